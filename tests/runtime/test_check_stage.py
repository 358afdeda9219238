"""What a service decides must be what its contract declares; else nothing is written but the failure."""

import asyncio
from dataclasses import replace

import pytest
from notebook_realm.script import write_note, written
from runtime_callers import ANN, EVE, Caller
from violations import VIOLATIONS, noted

from symphainy_platform import IntentResult


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


async def test_a_new_artifact_with_an_id_that_is_taken_is_a_violation(ann, scripted, database):
    taken = (await ann("write_note", text="first")).events[0]["note_id"]

    async def decide(ctx, _):
        note = ctx.state_surface.register_artifact("note", {"text": "second"}, artifact_id=taken)
        return IntentResult({"note": note}, [written(note)])

    scripted("write_note", decide)
    failure = await ann.failure("write_note", text="second")
    assert (failure.code, failure.retryable) == ("CONTRACT_VIOLATION", False)
    assert database("SELECT version FROM artifacts") == [(1,)]


async def test_a_write_of_an_artifact_that_the_contract_does_not_read_is_refused(ann, scripted):
    other = (await ann("write_note", text="other")).events[0]["note_id"]
    mine = (await ann("write_note", text="mine")).events[0]["note_id"]

    async def close_the_other(ctx, _):
        note = await ctx.state_surface.get_artifact(other)
        return IntentResult({"note": ctx.state_surface.transition(note, "CLOSED")}, [{"type": "note_closed"}])

    scripted("close_note", close_the_other)
    assert await ann.code("close_note", note_id=mine) == "CONTRACT_VIOLATION"


@pytest.mark.parametrize("change", [{"user_id": "bob"}, {"created_at": "2020-01-01T00:00:00.000000Z"}], ids=str)
async def test_an_update_changes_no_owner_and_no_beginning(ann, scripted, database, change):
    note = (await ann("write_note", text="x")).events[0]["note_id"]

    async def give_away(ctx, params):
        found = replace(await ctx.state_surface.get_artifact(params.note_id), **change)
        edited = ctx.state_surface.update_artifact(found, {"text": params.text})
        return IntentResult({"note": edited}, [{"type": "note_edited", "version": edited.version}])

    scripted("edit_note", give_away)
    assert await ann.code("edit_note", note_id=note, text="y") == "CONTRACT_VIOLATION"
    assert database("SELECT user_id, version FROM artifacts") == [("ann", 1)]


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
