"""Secret fields of answers: told to whoever may have them, as often as they ask, and kept nowhere."""

import pytest
from notebook_realm import script
from notebook_realm.script import loan_code, written
from runtime_callers import ANN, ROBOT

from symphainy_platform import IntentError, IntentResult

WORDS = "t1 ann pass-4711 -"
SECRET = "sesame-1174-ssap"


@pytest.fixture
def restoring(monkeypatch):
    """Puts another way to make the secret again in the place of the service's own."""
    return lambda restore: monkeypatch.setitem(script.RESTORE, "lend_note", restore)


def shown(answer):
    return answer.artifacts["note"]["semantic_payload"]


async def test_a_replay_has_the_secret_again(anybody):
    first = await anybody("lend_note", words=WORDS)
    again = await anybody("lend_note", words=WORDS)
    assert shown(first) == {"text": "lent", "loan_code": SECRET, "shelf": "top"}
    assert again.to_dict() == {**first.to_dict(), "idempotent_replay": True}


async def test_a_replay_by_another_process_and_after_a_restart_has_it_too(opened):
    async with opened() as one, opened() as other:
        first = await one.submit_intent("lend_note", {"words": WORDS}, identity=None)
        second = await other.submit_intent("lend_note", {"words": WORDS}, identity=None)
    async with opened() as later:
        third = await later.submit_intent("lend_note", {"words": WORDS}, identity=None)
    assert shown(first) == shown(second) == shown(third)
    assert second.idempotent_replay
    assert third.idempotent_replay


async def test_the_service_is_told_which_answer_it_completes(anybody, restoring):
    asked = []

    async def restore(ctx, params, name, artifact):
        asked.append((ctx.user_id, dict(ctx.facts), params.words, name, artifact.semantic_payload, artifact.version))
        return {"loan_code": "again"}

    restoring(restore)
    await anybody("lend_note", words=WORDS)
    assert asked == []
    assert shown(await anybody("lend_note", words=WORDS))["loan_code"] == "again"
    assert asked == [("ann", {"pass_id": "pass-4711", "note_id": "-"}, WORDS, "note", {"text": "lent"}, 1)]


async def test_status_and_stored_artifacts_never_show_it(platform, anybody, ann):
    answer = await anybody("lend_note", words=WORDS)
    for identity in (ANN, ROBOT):
        status = await platform.read.execution(answer.execution_id, identity=identity)
        assert status["artifacts"]["note"]["semantic_payload"] == {"text": "lent", "shelf": "top"}
        note = await platform.read.artifact(answer.events[0]["note_id"], identity=identity)
        assert SECRET not in f"{status} {note}"
    assert (await ann.status(answer.execution_id))["status"] == "completed"


async def everything_at_rest(platform, tmp_path, database):
    """Every table, and the raw bytes of the database with its write-ahead log."""
    await platform.drain()
    tables = [name for (name,) in database("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    rows = [database(f"SELECT * FROM {name}") for name in tables]  # noqa: S608 - names of the schema
    files = sorted(tmp_path.glob("platform.db*"))
    assert any(file.name.endswith("-wal") and file.stat().st_size for file in files)
    return str(rows).encode() + b"".join(file.read_bytes() for file in files)


async def test_nothing_at_rest_and_nothing_logged_holds_it(platform, anybody, tmp_path, database, logged):
    await anybody("lend_note", words=WORDS)
    await anybody("lend_note", words=WORDS)
    await anybody.code("lend_note", words="hunter2")
    at_rest = await everything_at_rest(platform, tmp_path, database)
    assert b"lent" in at_rest
    for secret in (SECRET, WORDS, "hunter2"):
        assert secret.encode() not in at_rest
        assert secret not in str(logged)


async def test_a_plain_answer_that_is_replayed_must_not_hold_a_secret(platform, anybody, scripted, tmp_path, database):
    """Nobody could make it again: it is made again from an artifact."""

    async def plain(ctx, _):
        note = ctx.state_surface.register_artifact("note", {"text": "lent"})
        return IntentResult({"note": {"text": "lent", "loan_code": loan_code(ctx)}}, [written(note)])

    scripted("lend_note", plain)
    assert await anybody.code("lend_note", words=WORDS) == "CONTRACT_VIOLATION"
    assert SECRET.encode() not in await everything_at_rest(platform, tmp_path, database)


async def test_a_plain_answer_of_an_intent_without_replays_may_hold_a_secret(anybody, ann, scripted, database):
    async def greet(_, params):
        secret = {"pass_id": "p", "token": params.words}
        return IntentResult({"guest": secret}, [{"type": "guest_greeted", "pass_id": "p"}])

    scripted("greet_guest", greet)
    answer = await anybody("greet_guest", words=WORDS)
    assert answer.artifacts["guest"]["semantic_payload"]["token"] == WORDS
    status = await ann.status(answer.execution_id)
    assert status["artifacts"]["guest"]["semantic_payload"] == {"pass_id": "p"}
    assert WORDS not in str(database("SELECT * FROM executions"))


async def test_a_service_that_will_not_make_it_again_refuses_the_replay(anybody, restoring):
    async def restore(*_):
        raise IntentError("LOAN_ENDED")

    first = await anybody("lend_note", words=WORDS)
    restoring(restore)
    failure = await anybody.failure("lend_note", words=WORDS)
    assert (failure.code, failure.message) == ("LOAN_ENDED", "The loan has ended.")
    assert failure.execution_id != first.execution_id


async def test_an_undeclared_refusal_of_the_replay_is_a_violation(anybody, restoring):
    async def restore(*_):
        raise IntentError("NOT_IN_THE_CONTRACT")

    await anybody("lend_note", words=WORDS)
    restoring(restore)
    assert await anybody.code("lend_note", words=WORDS) == "CONTRACT_VIOLATION"


@pytest.mark.parametrize("crash", [ValueError("hunter2"), SystemExit(3)], ids=lambda crash: type(crash).__name__)
async def test_a_crash_of_the_restoring_leaks_nothing(anybody, restoring, logged, crash):
    async def restore(*_):
        raise crash

    await anybody("lend_note", words=WORDS)
    restoring(restore)
    failure = await anybody.failure("lend_note", words=WORDS)
    assert failure.code == "HANDLER_ERROR"
    assert "what was committed stands" in failure.message
    assert [line["error_type"] for line in logged if line["event"] == "restore_failed"] == [type(crash).__name__]
    assert "hunter2" not in f"{failure.to_dict()} {logged}"


async def test_what_restoring_stages_is_dropped(anybody, restoring, database):
    async def restore(ctx, *_):
        ctx.state_surface.register_artifact("note", {"text": "more"})
        return {"loan_code": loan_code(ctx)}

    await anybody("lend_note", words=WORDS)
    restoring(restore)
    await anybody("lend_note", words=WORDS)
    assert database("SELECT count(*) FROM artifacts") == [(1,)]
