"""A failure commits what its contract declares for that very code, together with its record, and nothing else."""

import asyncio

import pytest

from symphainy_platform import IntentError
from symphainy_platform.state.records import Failed


@pytest.fixture
async def note(ann):
    return (await ann("write_note", text="x")).events[0]["note_id"]


def failed(code, *events):
    return IntentError(code, events=events)


async def test_the_declared_effects_of_a_failure_are_committed(platform, ann, note, database):
    failure = await ann.failure("burn_note", note_id=note)
    assert (failure.code, failure.http_status) == ("NOTE_STOLEN", 401)
    assert (await platform.read.artifact(note, identity=ann.identity))["lifecycle_state"] == "BURNT"
    assert database("SELECT type, execution_id, artifact_id FROM outbox WHERE id > 1") == [
        ("note_burnt", failure.execution_id, note)
    ]
    assert await ann.status(failure.execution_id) == {**failure.to_dict(), "status": "failed"}
    assert await ann.code("burn_note", note_id=note) == "NOTE_NOT_OPEN"


async def test_eight_at_once_burn_it_once(ann, note, database):
    failures = await asyncio.gather(*(ann.code("burn_note", note_id=note) for _ in range(8)))
    assert sorted(failures) == ["NOTE_NOT_OPEN"] * 7 + ["NOTE_STOLEN"]
    assert database("SELECT count(*) FROM outbox WHERE type = 'note_burnt'") == [(1,)]


def other_state(ctx, note):
    ctx.state_surface.transition(note, "CLOSED")
    raise failed("NOTE_STOLEN")


def other_payload(ctx, note):
    ctx.state_surface.update_artifact(ctx.state_surface.transition(note, "BURNT"), {"text": "ashes"})
    raise failed("NOTE_STOLEN")


def payload_alone(ctx, note):
    ctx.state_surface.update_artifact(note, {"text": "ashes"})
    raise failed("NOTE_STOLEN")


def new_artifact(ctx, _):
    ctx.state_surface.register_artifact("note", {"text": "a copy"})
    raise failed("NOTE_STOLEN")


def log_entry(ctx, note):
    ctx.state_surface.append(ctx.state_surface.transition(note, "BURNT"), "lines", [("k", {})])
    raise failed("NOTE_STOLEN")


def row(ctx, note):
    ctx.state_surface.transition(note, "BURNT")
    values = {"user_id": "u", "active_agent": "a", "context": "{}", "lifecycle_state": "X", "version": 1}
    times = {"created_at": "2026", "updated_at": "2026"}
    ctx.state_surface.write_row("chat_sessions", {"chat_session_id": "x"}, {**values, **times})
    raise failed("NOTE_STOLEN")


def undeclared_event(ctx, note):
    ctx.state_surface.transition(note, "BURNT")
    raise failed("NOTE_STOLEN", {"type": "note_closed"})


def event_of_another_shape(ctx, note):
    ctx.state_surface.transition(note, "BURNT")
    raise failed("NOTE_STOLEN", {"type": "note_burnt", "why": 7})


def no_event(ctx, note):
    ctx.state_surface.transition(note, "BURNT")
    raise failed("NOTE_STOLEN", "note_burnt")


UNDECLARED = [
    other_state,
    other_payload,
    payload_alone,
    new_artifact,
    log_entry,
    row,
    undeclared_event,
    event_of_another_shape,
    no_event,
]


@pytest.mark.parametrize("undeclared", UNDECLARED, ids=lambda case: case.__name__)
async def test_undeclared_effects_of_a_failure_are_a_violation(ann, note, scripted, database, undeclared):
    async def decide(ctx, params):
        undeclared(ctx, await ctx.state_surface.get_artifact(params.note_id))

    scripted("burn_note", decide)
    failure = await ann.failure("burn_note", note_id=note)
    assert failure.code == "CONTRACT_VIOLATION"
    assert (await ann.status(failure.execution_id))["error_code"] == "CONTRACT_VIOLATION"
    assert database("SELECT version, lifecycle_state FROM artifacts") == [(1, "OPEN")]
    assert database("SELECT count(*) FROM outbox") == [(1,)]
    assert database("SELECT * FROM chat_sessions") == []


async def test_what_was_staged_before_another_failure_is_dropped(ann, note, scripted, database):
    async def damp(ctx, params):
        ctx.state_surface.transition(await ctx.state_surface.get_artifact(params.note_id), "BURNT")
        raise IntentError("NOTE_DAMP")

    scripted("burn_note", damp)
    assert await ann.code("burn_note", note_id=note) == "NOTE_DAMP"
    assert database("SELECT version, lifecycle_state FROM artifacts") == [(1, "OPEN")]


async def test_effects_that_cannot_be_stored_are_a_failure_of_their_own(platform, ann, note, monkeypatch):
    commit, tries = platform.store.commit, []

    async def refuse_once(batch):
        tries.append(batch)
        if len(tries) == 1:
            return [Failed(IntentError("CONTRACT_VIOLATION", "unstorable", kind="internal"))]
        return await commit(batch)

    monkeypatch.setattr(platform.store, "commit", refuse_once)
    assert await ann.code("burn_note", note_id=note) == "CONTRACT_VIOLATION"
