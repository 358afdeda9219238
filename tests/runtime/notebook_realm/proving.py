"""Who the notebook believes: a pass in the parameters, and bearer tokens that say whom they stand for."""

from symphainy_platform import Identity, IntentError, Proven


async def by_words(attempt):
    """`tenant user pass_id note_id`: whoever knows these words is this user."""
    words = attempt.params.words.split(" ")
    if len(words) != 4:
        raise IntentError("PASS_REFUSED")
    tenant_id, user_id, pass_id, note_id = words
    return Proven(identity=Identity(tenant_id, user_id), facts={"pass_id": pass_id, "note_id": note_id})


PROVE = {"note_pass": by_words}


class NotePass:
    """Does what PROVE says at the time of the call."""

    facts = frozenset({"pass_id", "note_id"})

    async def prove(self, attempt):
        return await PROVE["note_pass"](attempt)


class WordsOfACaller:
    """`own:<tenant>:<user>` is that user; `guest:<tenant>:<user>` only introduces them."""

    async def identify(self, token):
        kind, _, name = token.partition(":")
        if kind not in {"own", "guest"}:
            return None
        return Identity(*name.split(":"), external=kind == "guest")
