"""Events of several processes: none skipped, none doubled, those of one artifact in order."""

import asyncio

import pytest

from symphainy_platform.state.records import Commit, Conflict
from symphainy_platform.state.store import ArtifactById, EventFilter, load_one
from symphainy_platform.testing.store_suite.samples import (
    TENANT,
    artifact,
    commit_all,
    event,
    everything,
    execution,
    writing,
)

EVERYTHING = EventFilter()


def emitting(kind, artifact_id=None):
    return Commit(execution=execution(f"exec_{kind}"), events=(event(kind, artifact_id),))


async def kinds(store, cursor="0"):
    page = await store.events_after(cursor, EVERYTHING)
    return [found.type for found in page.events]


async def test_what_commits_late_is_not_skipped(store, writer):
    await commit_all(store, emitting("first"))
    await writer.write(emitting("slow"))
    await commit_all(store, emitting("fast"))
    page = await store.events_after("0", EVERYTHING)
    assert [found.type for found in page.events] == ["first"]
    await writer.commit()
    assert await kinds(store, page.cursor) == ["slow", "fast"]


async def test_what_is_given_up_holds_nobody_back_for_ever(store, writer):
    await writer.write(emitting("slow"))
    await commit_all(store, emitting("fast"))
    assert await kinds(store) == []
    await writer.give_up()
    assert await kinds(store) == ["fast"]


async def test_the_cursor_of_now_skips_nothing_that_is_still_open(store, writer):
    await writer.write(emitting("slow"))
    await commit_all(store, emitting("fast"))
    now = await store.event_cursor()
    await writer.commit()
    assert await kinds(store, now) == ["slow", "fast"]


async def test_an_event_of_ours_that_was_withheld_is_announced(store, writer):
    await store.changed_elsewhere()
    await writer.write(emitting("slow"))
    await commit_all(store, emitting("fast"))
    page = await store.events_after("0", EVERYTHING)
    assert page.events == ()
    await writer.commit()
    assert await store.changed_elsewhere()
    assert await kinds(store, page.cursor) == ["slow", "fast"]


async def test_writers_of_one_artifact_wait_for_each_other(store, writer):
    await commit_all(store, writing("exec_0", artifact()))
    await writer.write(writing("exec_1", artifact(version=2), events=(event("second", "a1"),)))
    waiting = asyncio.create_task(store.commit([emitting("about_a1", "a1")]))
    await asyncio.wait([waiting], timeout=0.1)
    assert not waiting.done()
    await writer.commit()
    await waiting
    assert await kinds(store) == ["second", "about_a1"]


async def count_up(store, name, times):
    """Add versions to one shared artifact, each with its event; again after each conflict."""
    done = 0
    while done < times:
        head = await load_one(store, ArtifactById(TENANT, "shared"))
        version = head.version + 1
        change = writing(
            f"exec_{name}_{version}", artifact("shared", version), events=(event("v", "shared", n=version),)
        )
        (outcome,) = await store.commit([change])
        done += not isinstance(outcome, Conflict)


async def follow(store, count):
    """Read with a cursor until so many events have come."""
    seen, cursor = [], "0"
    while len(seen) < count:
        page = await store.events_after(cursor, EVERYTHING, 7)
        seen += page.events
        cursor = page.cursor
    return seen


@pytest.mark.parametrize("stores", [4])
async def test_events_of_many_writers_come_once_and_in_order(open_store, stores):
    processes = [await open_store() for _ in range(stores)]
    await commit_all(processes[0], writing("exec_0", artifact("shared")))
    own = [
        commit_all(process, *(everything(f"exec_{n}_{turn}_{item}", f"a{n}_{turn}_{item}") for item in range(5)))
        for n, process in enumerate(processes)
        for turn in range(10)
    ]
    shared = [count_up(process, n, 10) for n, process in enumerate(processes)]
    total = stores * (10 * 5 + 10)
    *seen, _ = await asyncio.gather(*(follow(process, total) for process in processes), asyncio.gather(*own, *shared))
    assert {len(events) for events in seen} == {total}
    assert len({found.cursor for found in seen[0]}) == total
    assert all([found.cursor for found in events] == [found.cursor for found in seen[0]] for events in seen)
    versions = [found.payload["n"] for found in seen[0] if found.artifact_id == "shared"]
    assert versions == list(range(2, 2 + stores * 10))
