"""Stopping: what runs is finished, what comes is refused, and nothing is left behind."""

import asyncio
import threading

import pytest
from notebook_realm.script import write_note
from runtime_callers import ANN, Caller


@pytest.fixture
def held(scripted):
    started, go = asyncio.Event(), asyncio.Event()

    async def decide(ctx, params):
        started.set()
        await go.wait()
        return await write_note(ctx, params)

    scripted("write_note", decide)
    return started, go


async def test_what_runs_is_finished_and_what_comes_is_refused(platform, ann, held):
    started, go = held
    running = asyncio.create_task(ann("write_note", text="x"))
    await started.wait()
    platform.stop_accepting()
    failure = await ann.failure("write_note", text="x")
    assert (failure.code, failure.http_status, failure.retryable) == ("SHUTTING_DOWN", 503, True)
    draining = asyncio.create_task(platform.drain())
    await asyncio.wait([draining], timeout=0.02)
    assert not draining.done()
    go.set()
    assert (await running).status == "completed"
    await draining


async def test_closing_waits_for_what_runs(opened, held, database):
    started, go = held
    async with opened() as platform:
        running = asyncio.create_task(Caller(platform, ANN)("write_note", text="x"))
        await started.wait()
        go.set()
    assert (await running).status == "completed"
    assert database("SELECT status FROM executions") == [("completed",)]


async def test_what_nobody_waits_for_is_written_before_the_store_closes(opened, database):
    async with opened() as platform:
        for _ in range(20):
            await Caller(platform, ANN)("get_chat_session")
    assert database("SELECT count(*) FROM executions") == [(20,)]


async def test_a_closed_platform_refuses_with_a_code(opened):
    async with opened() as platform:
        ann = Caller(platform, ANN)
    assert await ann.code("write_note", text="x") == "SHUTTING_DOWN"


async def test_an_error_in_the_callers_block_closes_the_platform_all_the_same(opened):
    with pytest.raises(ZeroDivisionError):
        async with opened() as platform:
            raise ZeroDivisionError
    assert await Caller(platform, ANN).code("write_note", text="x") == "SHUTTING_DOWN"


async def test_nothing_is_left_behind(opened):
    before = threading.active_count(), len(asyncio.all_tasks())
    for _ in range(3):
        async with opened() as platform:
            await Caller(platform, ANN)("write_note", text="x")
            events = platform.events(identity=ANN, after="0")
            await anext(events)
            await events.aclose()
    await asyncio.get_running_loop().shutdown_default_executor()
    assert (threading.active_count(), len(asyncio.all_tasks())) <= before
