"""Callers that go away and services that hang: nobody is stranded, and what was handed over is committed."""

import asyncio
from contextlib import suppress

import pytest
from notebook_realm.script import write_note
from runtime_callers import ANN, Caller

from symphainy_platform import IntentError, IntentResult
from symphainy_platform.state.records import Conflict


class Gate:
    """Holds whoever comes until it is opened."""

    def __init__(self):
        self.reached, self.opened = asyncio.Event(), asyncio.Event()

    async def wait(self):
        self.reached.set()
        await self.opened.wait()


@pytest.fixture
def gate():
    return Gate()


@pytest.fixture
def held_service(scripted, gate):
    """The first call of the service waits at the gate; later ones do not."""

    async def decide(ctx, params):
        if not gate.reached.is_set():
            await gate.wait()
        return await write_note(ctx, params)

    for intent in ("write_note", "keep_note"):
        scripted(intent, decide)
    return gate


@pytest.fixture
def held_store(platform, gate, monkeypatch):
    """The first commit of the store waits at the gate."""
    commit = platform.store.commit

    async def held(batch):
        if not gate.reached.is_set():
            await gate.wait()
        return await commit(batch)

    monkeypatch.setattr(platform.store, "commit", held)
    return gate


async def cancelled(task):
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def drained(platform):
    await platform.drain()
    await platform._parts.writer.settle()


# ------------------------------------------------------------------------------------ cancelled callers


@pytest.mark.parametrize("key", [None, "k1"])
async def test_cancelled_before_the_hand_over_writes_nothing_and_strands_nobody(
    platform, ann, held_service, database, key
):
    first = asyncio.create_task(ann("keep_note", key, name="n", text="x"))
    await held_service.reached.wait()
    others = [asyncio.create_task(ann("keep_note", key, name="n", text="x")) for _ in range(5)]
    await cancelled(first)
    results = await asyncio.gather(*others)
    assert len({result.execution_id for result in results}) == 1
    assert [result.idempotent_replay for result in results].count(False) == 1
    await drained(platform)
    assert database("SELECT status FROM executions") == [("completed",)]


@pytest.mark.parametrize("key", [None, "k1"])
async def test_cancelled_after_the_hand_over_is_committed_and_can_be_asked_for(
    platform, ann, held_store, database, key
):
    first = asyncio.create_task(ann("keep_note", key, name="n", text="x"))
    await held_store.reached.wait()
    second = asyncio.create_task(ann("keep_note", key, name="n", text="x"))
    await cancelled(first)
    held_store.opened.set()
    answer = await second
    assert answer.idempotent_replay
    assert (await ann.status(answer.execution_id))["status"] == "completed"
    await drained(platform)
    assert database("SELECT count(*), count(DISTINCT execution_id) FROM outbox") == [(1, 1)]


async def test_cancelled_while_it_waits_for_the_first_harms_nobody(ann, held_service):
    first = asyncio.create_task(ann("keep_note", name="n", text="x"))
    await held_service.reached.wait()
    waiting = [asyncio.create_task(ann("keep_note", name="n", text="x")) for _ in range(3)]
    await asyncio.wait([first], timeout=0.01)
    await cancelled(waiting[0])
    held_service.opened.set()
    assert len({result.execution_id for result in await asyncio.gather(first, *waiting[1:])}) == 1


async def test_cancelled_in_the_artifacts_queue_lets_the_next_pass(ann, scripted, gate):
    note = (await ann("write_note", text="x")).events[0]["note_id"]

    async def edit(ctx, params):
        if params.text == "first":
            await gate.wait()
        found = await ctx.state_surface.get_artifact(params.note_id)
        edited = ctx.state_surface.update_artifact(found, {"text": params.text})
        return IntentResult({"note": edited}, [{"type": "note_edited", "version": edited.version}])

    scripted("edit_note", edit)
    tasks = [asyncio.create_task(ann("edit_note", note_id=note, text=text)) for text in ("first", "second", "third")]
    await gate.reached.wait()
    await cancelled(tasks[1])
    await cancelled(tasks[0])
    assert (await tasks[2]).events == [{"type": "note_edited", "version": 2}]


async def go_on(ctx, params):
    return await write_note(ctx, params)


async def refuse(*_):
    raise IntentError("REFUSED")


async def crash(*_):
    raise ValueError


@pytest.mark.parametrize("then", [go_on, refuse, crash])
async def test_a_service_that_swallows_its_cancellation_commits_nothing(ann, scripted, gate, database, then):
    async def stubborn(ctx, params):
        with suppress(asyncio.CancelledError):
            await gate.wait()
        return await then(ctx, params)

    scripted("write_note", stubborn)
    task = asyncio.create_task(ann("write_note", text="x"))
    await gate.reached.wait()
    await cancelled(task)
    await drained(ann.platform)
    assert database("SELECT * FROM executions") == []


async def test_a_caller_may_submit_an_intent_while_it_is_being_cancelled(ann, gate):
    """To clean up, say; that its task was asked to end before is no reason to end the new intent."""

    async def job():
        with suppress(asyncio.CancelledError):
            await gate.wait()
        return await ann("write_note", text="cleaned up")

    task = asyncio.create_task(job())
    await gate.reached.wait()
    task.cancel()
    assert (await task).status == "completed"


async def test_draining_waits_for_what_its_caller_has_just_left(opened, database, monkeypatch):
    """Handed over, then left by its caller, then overtaken: it is run again before the platform closes."""
    async with opened() as platform:
        ann = Caller(platform, ANN)
        note = (await ann("write_note", text="x")).events[0]["note_id"]
        commit, held, go = platform.store.commit, asyncio.Event(), asyncio.Event()

        async def overtaken(batch):
            if not held.is_set():
                held.set()
                await go.wait()
                return [Conflict(note, 1) for _ in batch]
            return await commit(batch)

        monkeypatch.setattr(platform.store, "commit", overtaken)
        task = asyncio.create_task(ann("edit_note", note_id=note, text="y"))
        await held.wait()
        draining = asyncio.create_task(platform._dispatcher.drain())
        await asyncio.sleep(0)
        await cancelled(task)
        go.set()
        await draining
        assert database("SELECT version FROM artifacts") == [(2,)]


async def test_a_read_whose_caller_is_gone_is_forgotten(platform, ann, scripted, gate):
    note = (await ann("write_note", text="x")).events[0]["note_id"]

    async def slow_read(*_):
        await gate.wait()

    scripted("read_note", slow_read)
    task = asyncio.create_task(ann("read_note", note_id=note))
    await gate.reached.wait()
    await cancelled(task)
    await drained(platform)


# ------------------------------------------------------------------------------------ deadlines


@pytest.fixture
async def hasty(opened):
    async with opened(default_deadline_seconds=0.05) as platform:
        yield Caller(platform, ANN)


async def test_a_service_that_hangs_is_ended_and_recorded(hasty, scripted, database):
    async def hang(*_):
        await asyncio.Event().wait()

    scripted("keep_note", hang)
    failure = await hasty.failure("keep_note", name="n", text="x")
    assert (failure.code, failure.http_status, failure.retryable) == ("EXECUTION_TIMEOUT", 504, True)
    assert (await hasty.status(failure.execution_id))["error_code"] == "EXECUTION_TIMEOUT"
    assert database("SELECT * FROM artifacts") == []


@pytest.mark.usefixtures("held_service")
async def test_who_waits_behind_a_hanging_service_is_not_stranded(hasty):
    results = await asyncio.gather(*(hasty("keep_note", name="n", text="x") for _ in range(5)), return_exceptions=True)
    codes = [getattr(result, "code", "fine") for result in results]
    assert codes[0] == "EXECUTION_TIMEOUT"
    assert set(codes) <= {"fine", "EXECUTION_TIMEOUT"}
    assert not (await hasty.platform.submit_intent("write_note", {"text": "x"}, identity=ANN)).idempotent_replay
    assert (await hasty("keep_note", name="n", text="x")).status == "completed"


async def test_a_service_that_swallows_its_deadline_is_late_all_the_same(hasty, scripted, database):
    async def stubborn(ctx, params):
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return await write_note(ctx, params)

    scripted("write_note", stubborn)
    assert await hasty.code("write_note", text="x") == "EXECUTION_TIMEOUT"
    assert database("SELECT * FROM artifacts") == []


async def slow_to_commit(platform, monkeypatch):
    """A store whose commits take longer than the deadline."""
    commit = platform.store.commit

    async def slow(batch):
        await asyncio.sleep(0.08)
        return await commit(batch)

    monkeypatch.setattr(platform.store, "commit", slow)


@pytest.mark.parametrize("key", [None, "k1"])
async def test_no_deadline_applies_after_the_hand_over(hasty, monkeypatch, key):
    note = (await hasty("write_note", text="x")).events[0]["note_id"]
    await slow_to_commit(hasty.platform, monkeypatch)
    intents = [
        ("write_note", {"text": "x"}),
        ("edit_note", {"note_id": note, "text": "x"}),
        ("read_note", {"note_id": note}),
        ("initialize_chat_session", {}),
    ]
    for number, (intent, params) in enumerate(intents):
        result = await hasty(intent, key and f"{key}-{number}", **params)
        assert result.status == "completed"


async def test_a_final_failure_that_is_slow_to_record_is_still_that_failure(hasty, scripted, monkeypatch):
    async def settle(*_):
        raise IntentError("SETTLED")

    scripted("keep_note", settle)
    await slow_to_commit(hasty.platform, monkeypatch)
    first = await hasty.failure("keep_note", name="n", text="x")
    again = await hasty.failure("keep_note", name="n", text="x")
    assert first.to_dict() == again.to_dict()
    assert first.code == "SETTLED"


async def test_a_deadline_is_the_contexts_too(platform, ann, scripted):
    seen = []

    async def look(ctx, params):
        seen.append((ctx.deadline - ctx.now()).total_seconds())
        return await write_note(ctx, params)

    scripted("write_note", look)
    await ann("write_note", text="x")
    assert seen == [platform.settings.default_deadline_seconds]
