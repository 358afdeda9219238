"""What each service does: the right thing, until a test puts something else in its place."""

from symphainy_platform import ArtifactAnswer, IntentError, IntentResult, IntentService


def written(note):
    return {"type": "note_written", "note_id": note.artifact_id}


async def write_note(ctx, params):
    note = ctx.state_surface.register_artifact("note", {"text": params.text})
    return IntentResult({"note": note}, [written(note)])


async def close_note(ctx, params):
    note = await ctx.state_surface.get_artifact(params.note_id)
    closed = ctx.state_surface.transition(note, "CLOSED")
    return IntentResult({"note": closed}, [{"type": "note_closed"}])


async def edit_note(ctx, params):
    note = await ctx.state_surface.get_artifact(params.note_id)
    if note.semantic_payload == {"text": params.text}:
        return IntentResult({"note": note})
    edited = ctx.state_surface.update_artifact(note, {"text": params.text})
    return IntentResult({"note": edited}, [{"type": "note_edited", "version": edited.version}])


async def read_note(ctx, params):
    note = await ctx.state_surface.get_artifact(params.note_id)
    return IntentResult({"note": {"text": note.semantic_payload["text"]}}, [{"type": "note_read"}])


async def sign_note(_ctx, _params):
    return IntentResult({"note": {"text": "signed"}})


ROW = {"user_id": "u", "active_agent": "a", "context": {}, "lifecycle_state": "X", "version": 1}
ROW |= {"created_at": "2026", "updated_at": "2026"}


async def copy_note(ctx, params):
    note = await ctx.state_surface.get_artifact(params.note_id)
    copy = ctx.state_surface.register_artifact("note", note.semantic_payload)
    ctx.state_surface.write_row("chat_sessions", {"chat_session_id": copy.artifact_id}, ROW)
    return IntentResult({"note": copy}, [{"type": "note_copied"}])


async def burn_note(ctx, params):
    note = await ctx.state_surface.get_artifact(params.note_id)
    ctx.state_surface.transition(note, "BURNT")
    raise IntentError("NOTE_STOLEN", events=[{"type": "note_burnt", "why": "stolen"}])


async def greet_guest(ctx, _params):
    pass_id = ctx.facts["pass_id"]
    return IntentResult({"guest": {"pass_id": pass_id}}, [{"type": "guest_greeted", "pass_id": pass_id}])


def praise(note_id):
    return {"type": "note_praised", "note_id": note_id}


async def praise_note(_ctx, params):
    return IntentResult({"praise": {"note_id": params.note_id}}, [praise(params.note_id)])


def loan_code(ctx):
    """A secret of whoever has the pass; made again from it, stored nowhere."""
    return f"sesame-{ctx.facts['pass_id'][::-1]}"


async def lend_note(ctx, _params):
    note = ctx.state_surface.register_artifact("note", {"text": "lent"})
    answer = ArtifactAnswer(note, {"loan_code": loan_code(ctx), "shelf": "top"})
    return IntentResult({"note": answer}, [written(note)])


async def restore_loan(ctx, _params, name, artifact):
    del name, artifact
    return {"loan_code": loan_code(ctx)}


RESTORE = {"lend_note": restore_loan}


async def turn_page(ctx, params):
    note = await ctx.state_surface.get_artifact(ctx.facts["note_id"])
    if params.tear:
        ctx.state_surface.transition(note, "BURNT")
        raise IntentError("PAGE_TORN", events=[{"type": "page_torn", "note_id": note.artifact_id}])
    turned = ctx.state_surface.update_artifact(note, {"text": f"{note.semantic_payload['text']}."})
    return IntentResult({"note": turned}, [{"type": "page_turned"}])


async def always(_ctx, _params):
    return True


ASKED = {"still_open": always}


def shelved(note):
    return {"type": "note_shelved", "note_id": note.artifact_id}


async def shelve_notes(ctx, params):
    """Close what is open of another user, and leave that user a note about it."""
    page = await ctx.state_surface.list_artifacts("note", lifecycle_state="OPEN", owner=params.owner)
    closed = [ctx.state_surface.transition(note, "CLOSED") for note in page.artifacts]
    notice = ctx.state_surface.register_artifact("note", {"text": f"{len(closed)} shelved"}, owner=params.owner)
    return IntentResult({"notice": notice}, [*map(shelved, closed), written(notice)])


async def tidy_notes(ctx, _params):
    page = await ctx.state_surface.list_artifacts("note", lifecycle_state="OPEN")
    closed = [ctx.state_surface.transition(note, "CLOSED") for note in page.artifacts]
    return IntentResult({"tidied": {"count": len(closed)}}, [{"type": "notes_tidied", "count": len(closed)}])


DECIDE = {
    "greet_guest": greet_guest,
    "praise_note": praise_note,
    "lend_note": lend_note,
    "turn_page": turn_page,
    "shelve_notes": shelve_notes,
    "tidy_notes": tidy_notes,
    "copy_note": copy_note,
    "burn_note": burn_note,
    "write_note": write_note,
    "keep_note": write_note,
    "close_note": close_note,
    "edit_note": edit_note,
    "read_note": read_note,
    "sign_note": sign_note,
    "sign_guest": sign_note,
    "audit_notes": sign_note,
}


class ScriptedService(IntentService):
    """Does what DECIDE says at the time of the call."""

    async def execute(self, ctx, params):
        return await DECIDE[self.intent_type](ctx, params)
