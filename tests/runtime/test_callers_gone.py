"""What a caller handed over is finished without it, also when another process was faster."""

import asyncio

import pytest
from notebook_realm.script import edit_note
from runtime_callers import ANN, Caller


@pytest.fixture
async def processes(opened):
    async with opened() as one, opened() as other:
        yield Caller(one, ANN), Caller(other, ANN)


async def gone(task):
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def versions(database):
    return database("SELECT version FROM artifacts"), database("SELECT count(*) FROM outbox WHERE type='note_edited'")


async def test_a_lost_commit_of_a_caller_that_is_gone_is_taken_again(processes, monkeypatch, database):
    ann, elsewhere = processes
    note = (await ann("write_note", text="0")).events[0]["note_id"]
    reached, released, commit = asyncio.Event(), asyncio.Event(), ann.platform.store.commit

    async def held(batch):
        reached.set()
        await released.wait()
        return await commit(batch)

    monkeypatch.setattr(ann.platform.store, "commit", held)
    task = asyncio.create_task(ann("edit_note", note_id=note, text="mine"))
    await reached.wait()
    await gone(task)
    await elsewhere("edit_note", note_id=note, text="theirs")
    released.set()
    await ann.platform.drain()
    assert versions(database) == ([(3,)], [(2,)])


async def test_a_caller_that_leaves_a_second_attempt_leaves_it_to_the_platform(processes, scripted, database):
    ann, elsewhere = processes
    note = (await ann("write_note", text="0")).events[0]["note_id"]
    second, attempts = asyncio.Event(), []

    async def edit(ctx, params):
        result = await edit_note(ctx, params)
        if params.text == "mine":
            attempts.append(ctx.execution_id)
            if len(attempts) == 1:
                await elsewhere("edit_note", note_id=note, text="theirs")
            if len(attempts) == 2:
                second.set()
                await asyncio.Event().wait()
        return result

    scripted("edit_note", edit)
    task = asyncio.create_task(ann("edit_note", note_id=note, text="mine"))
    await second.wait()
    await gone(task)
    await ann.platform.drain()
    assert versions(database) == ([(3,)], [(2,)])
    assert len(set(attempts)) == 1
