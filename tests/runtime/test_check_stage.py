"""What a service decides must be what its contract declares; else nothing is written but the failure."""

import asyncio

import pytest
from notebook_realm.script import write_note, written
from runtime_callers import ANN, EVE, Caller

from symphainy_platform import ArtifactAnswer, IntentError, IntentResult

NO_ID = "00000000-0000-4000-8000-000000000000"


def noted(ctx, payload=None, **options):
    return ctx.state_surface.register_artifact("note", {"text": "x"} if payload is None else payload, **options)


def undeclared_artifact(ctx):
    note = noted(ctx)
    ctx.state_surface.register_artifact("diary", {"text": "x"}, lifecycle_state="PENDING")
    return IntentResult({"note": note}, [written(note)])


def undeclared_update(ctx):
    note = noted(ctx)
    ctx.state_surface.transition(note, "CLOSED")
    return IntentResult({"note": note}, [written(note)])


def undeclared_log(ctx):
    note = noted(ctx)
    ctx.state_surface.append(note, "margins", [("k", {})])
    return IntentResult({"note": note}, [written(note)])


def log_of_nothing_written(ctx):
    note = noted(ctx)
    ctx.state_surface.staged.entries.append("no entry at all")
    return IntentResult({"note": note}, [written(note)])


def undeclared_row(ctx):
    note = noted(ctx)
    ctx.state_surface.write_row("chat_sessions", {"chat_session_id": "x"}, {"user_id": "ann"})
    return IntentResult({"note": note}, [written(note)])


def undeclared_event(ctx):
    note = noted(ctx)
    return IntentResult({"note": note}, [written(note), {"type": "note_burnt"}])


def event_without_type(ctx):
    note = noted(ctx)
    return IntentResult({"note": note}, [written(note), {}])


def event_of_another_shape(ctx):
    note = noted(ctx)
    return IntentResult({"note": note}, [{"type": "note_written", "note_id": 7}])


def event_with_more(ctx):
    note = noted(ctx)
    return IntentResult({"note": note}, [{**written(note), "text": "private"}])


def event_that_is_no_mapping(ctx):
    note = noted(ctx)
    return IntentResult({"note": note}, [written(note), "note_praised"])


def events_that_are_no_list(ctx):
    return IntentResult({"note": noted(ctx)}, None)


def missing_event(ctx):
    return IntentResult({"note": noted(ctx)})


def undeclared_state(ctx):
    return IntentResult({"note": noted(ctx, lifecycle_state="CLOSED")})


def illegal_transition(ctx):
    note = noted(ctx)
    ctx.state_surface.transition(note, "LOST")
    return IntentResult({"note": note}, [written(note)])


def payload_of_another_shape(ctx):
    note = noted(ctx, {"text": 7})
    return IntentResult({"note": note}, [written(note)])


def payload_with_more(ctx):
    note = noted(ctx, {"text": "x", "colour": "red"})
    return IntentResult({"note": note}, [written(note)])


def payload_that_is_no_object(ctx):
    note = noted(ctx, [1])
    return IntentResult({"note": note}, [written(note)])


def descriptor_that_is_no_json(ctx):
    note = noted(ctx, semantic_descriptor={"at": object()})
    return IntentResult({"note": note}, [written(note)])


def missing_artifact(ctx):
    return IntentResult({}, [written(noted(ctx))])


def undeclared_answer(ctx):
    note = noted(ctx)
    return IntentResult({"note": note, "receipt": {}}, [written(note)])


def answer_of_another_shape(ctx):
    return IntentResult({"note": {"text": 7}}, [written(noted(ctx))])


def answer_with_undeclared_field(ctx):
    return IntentResult({"note": {"text": "x", "secret": 1}}, [written(noted(ctx))])


def answer_that_is_no_json(ctx):
    return IntentResult({"note": {"text": object()}}, [written(noted(ctx))])


def answer_with_an_undeclared_extra(ctx):
    note = noted(ctx)
    return IntentResult({"note": ArtifactAnswer(note, {"mood": "good"})}, [written(note)])


def artifacts_that_are_no_mapping(ctx):
    return IntentResult([noted(ctx)])


def nothing_written(ctx):
    del ctx
    return IntentResult({"note": {"text": "x"}}, [{"type": "note_written", "note_id": NO_ID}])


def no_result(ctx):
    noted(ctx)
    return {"note": {}}


def no_answer(ctx):
    noted(ctx)


def undeclared_code(ctx):
    noted(ctx)
    raise IntentError("NOT_IN_THE_CONTRACT")


def nameless_code(ctx):
    noted(ctx)
    raise IntentError


def details_that_are_no_json(ctx):
    noted(ctx)
    raise IntentError("REFUSED", details={"what": object()})


VIOLATIONS = [
    undeclared_artifact,
    undeclared_update,
    undeclared_log,
    log_of_nothing_written,
    undeclared_row,
    undeclared_event,
    event_without_type,
    event_of_another_shape,
    event_with_more,
    event_that_is_no_mapping,
    events_that_are_no_list,
    missing_event,
    undeclared_state,
    illegal_transition,
    payload_of_another_shape,
    payload_with_more,
    payload_that_is_no_object,
    descriptor_that_is_no_json,
    missing_artifact,
    undeclared_answer,
    answer_of_another_shape,
    answer_with_undeclared_field,
    answer_that_is_no_json,
    answer_with_an_undeclared_extra,
    artifacts_that_are_no_mapping,
    nothing_written,
    no_result,
    no_answer,
    undeclared_code,
    nameless_code,
    details_that_are_no_json,
]


@pytest.mark.parametrize("violation", VIOLATIONS, ids=lambda violation: violation.__name__)
async def test_a_violation_writes_nothing_but_its_failure(ann, scripted, database, violation):
    async def decide(ctx, _):
        return violation(ctx)

    scripted("write_note", decide)
    failure = await ann.failure("write_note", text="x")
    assert failure.code == "CONTRACT_VIOLATION"
    assert failure.http_status == 500
    assert not failure.retryable
    assert await ann.status(failure.execution_id) == {**failure.to_dict(), "status": "failed"}
    for table in ("artifacts", "artifact_log", "outbox", "chat_sessions"):
        assert database(f"SELECT * FROM {table}") == []  # noqa: S608 - names of this list


async def test_a_write_of_an_artifact_that_the_contract_does_not_read_is_refused(ann, scripted):
    other = (await ann("write_note", text="other")).events[0]["note_id"]
    mine = (await ann("write_note", text="mine")).events[0]["note_id"]

    async def close_the_other(ctx, _):
        note = await ctx.state_surface.get_artifact(other)
        return IntentResult({"note": ctx.state_surface.transition(note, "CLOSED")}, [{"type": "note_closed"}])

    scripted("close_note", close_the_other)
    assert await ann.code("close_note", note_id=mine) == "CONTRACT_VIOLATION"


async def test_a_read_that_stages_a_write_is_refused(ann, scripted, database):
    note = (await ann("write_note", text="x")).events[0]["note_id"]

    async def scribble(ctx, _):
        found = await ctx.state_surface.get_artifact(note)
        ctx.state_surface.update_artifact(found, {"text": "scribbled"})
        return IntentResult({"note": {"text": "x"}}, [{"type": "note_read"}])

    scripted("read_note", scribble)
    assert await ann.code("read_note", note_id=note) == "CONTRACT_VIOLATION"
    assert database("SELECT version FROM artifacts") == [(1,)]


async def test_an_unchanged_update_must_not_say_that_it_changed(ann, scripted):
    note = (await ann("write_note", text="x")).events[0]["note_id"]

    async def boast(ctx, _):
        found = await ctx.state_surface.get_artifact(note)
        return IntentResult({"note": found}, [{"type": "note_edited", "version": 2}])

    scripted("edit_note", boast)
    assert await ann.code("edit_note", note_id=note, text="x") == "CONTRACT_VIOLATION"


async def test_a_row_that_is_declared_must_be_written(ann, scripted, database):
    note = (await ann("write_note", text="x")).events[0]["note_id"]
    assert (await ann("copy_note", note_id=note)).status == "completed"

    async def forget_the_row(ctx, _):
        return IntentResult({"note": noted(ctx)}, [{"type": "note_copied"}])

    scripted("copy_note", forget_the_row)
    assert await ann.code("copy_note", note_id=note) == "CONTRACT_VIOLATION"
    assert database("SELECT count(*) FROM artifacts") == [(2,)]


async def test_a_service_sees_nothing_of_other_users(platform, ann, bob, scripted):
    foreign = (await bob("write_note", text="private")).events[0]["note_id"]
    seen = []

    async def pry(ctx, params):
        seen.append(await ctx.state_surface.get_artifact(foreign))
        seen.append((await ctx.state_surface.list_artifacts("note")).artifacts)
        return await write_note(ctx, params)

    scripted("write_note", pry)
    await ann("write_note", text="x")
    await Caller(platform, EVE)("write_note", text="x")
    assert seen == [None, (), None, ()]


async def test_an_optional_table_may_be_left_alone(ann):
    note = (await ann("write_note", text="x")).events[0]["note_id"]
    assert (await ann("close_note", note_id=note)).status == "completed"


async def test_a_bad_neighbour_in_the_batch_harms_nobody(ann, scripted, database):
    async def some_unstorable(ctx, params):
        if params.text.startswith("bad"):
            note = noted(ctx, semantic_descriptor={"at": object()})
            return IntentResult({"note": note}, [written(note)])
        return await write_note(ctx, params)

    scripted("write_note", some_unstorable)
    texts = [f"{'bad' if n % 5 == 0 else 'good'} {n}" for n in range(40)]
    results = await asyncio.gather(*(ann("write_note", text=text) for text in texts), return_exceptions=True)
    codes = [getattr(result, "code", "fine") for result in results]
    assert codes == ["CONTRACT_VIOLATION" if n % 5 == 0 else "fine" for n in range(40)]
    assert database("SELECT count(*) FROM artifacts") == [(32,)]


async def test_another_callers_identity_never_reaches_a_service(platform, scripted):
    seen = []

    async def look(ctx, params):
        seen.append((ctx.tenant_id, ctx.user_id, ctx.roles))
        note = noted(ctx, {"text": params.text})
        return IntentResult({"note": note}, [written(note)])

    scripted("write_note", look)
    await Caller(platform, ANN)("write_note", text="x")
    assert seen == [("t1", "ann", frozenset())]
