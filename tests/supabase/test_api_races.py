"""Who meets whom, through the API: SQLSTATEs of races and of bad items mean what they mean on Postgres itself."""

import asyncio
import sys
import time
from pathlib import Path

import pytest
import pytest_asyncio

sys.path.append(str(Path(__file__).parents[1] / "postgres"))
from postgres_writers import Writer

from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.state.records import Commit, Committed, Conflict, Duplicate, Failed
from symphainy_platform.state.store import ArtifactById, EventFilter, load_one
from symphainy_platform.state.supabase.faults import with_state
from symphainy_platform.testing.store_suite.samples import (
    TENANT,
    artifact,
    commit_all,
    commit_one,
    entry,
    event,
    everything,
    execution,
    guard,
    writing,
)


@pytest.fixture
def projects(migrated_projects):
    return migrated_projects


@pytest_asyncio.fixture
async def writer(store, connect):
    """Somebody at the database itself whose transaction stays open until it is told to commit."""
    return Writer(await connect(), store._committer.tables)


async def test_a_duplicate_waits_for_the_first_and_gets_its_record(store, writer):
    first, second = (Commit(execution=execution(f"exec_{n}", key=guard("k", 10**9))) for n in (1, 2))
    await writer.write(first)
    waiting = asyncio.create_task(commit_one(store, second))
    await asyncio.wait([waiting], timeout=0.3)
    assert not waiting.done()
    await writer.commit()
    outcome = await waiting
    assert isinstance(outcome, Duplicate)
    assert outcome.record.execution_id == "exec_1"


async def test_a_lock_that_is_held_too_long_is_said_in_time(store, writer):
    await commit_all(store, writing("exec_0", artifact()))
    await writer.write(writing("exec_1", artifact(version=2)))
    begun = time.monotonic()
    with pytest.raises(DatabaseUnavailable) as refusal:
        await commit_one(store, writing("exec_2", artifact(version=2)))
    assert refusal.value.details["reason"] == "contended"
    assert time.monotonic() - begun < 6


async def test_an_expired_key_goes_to_one_of_those_who_want_it(open_store, clock):
    stores = [await open_store() for _ in range(3)]
    await commit_all(stores[0], Commit(execution=execution("exec_0", key=guard("k", 1))))
    clock.advance(2)
    wanted = [Commit(execution=execution(f"exec_{n}", key=guard("k"))) for n in range(1, 13)]
    outcomes = await asyncio.gather(*(commit_one(stores[n % 3], commit) for n, commit in enumerate(wanted)))
    assert [type(outcome) for outcome in outcomes].count(Committed) == 1
    assert [type(outcome) for outcome in outcomes].count(Duplicate) == 11


async def test_batches_over_the_same_artifacts_in_other_orders_do_not_fail(open_store):
    stores = [await open_store() for _ in range(3)]
    names = [f"a{n}" for n in range(12)]
    for turn in range(3):
        orders = [names, names[::-1], names[6:] + names[:6]]
        batches = [
            store.commit([writing(f"exec_{turn}_{n}_{name}", artifact(name, turn + 1)) for name in order])
            for n, (store, order) in enumerate(zip(stores, orders, strict=True))
        ]
        outcomes = [outcome for batch in await asyncio.gather(*batches) for outcome in batch]
        assert [type(outcome) for outcome in outcomes].count(Committed) == len(names)
        assert [type(outcome) for outcome in outcomes].count(Conflict) == 2 * len(names)


async def test_what_the_schema_refuses_fails_its_item_alone(store):
    bad = writing("exec_bad", artifact("bad"), entries=(entry(0, artifact_id="bad"),))  # entries count from 1
    outcomes = await store.commit([everything("exec_1", "a1"), bad, everything("exec_2", "a2")])
    assert [type(outcome) for outcome in outcomes] == [Committed, Failed, Committed]
    assert await load_one(store, ArtifactById(TENANT, "bad")) is None


async def test_what_commits_late_is_not_skipped(store, writer):
    def emitting(kind):
        return Commit(execution=execution(f"exec_{kind}"), events=(event(kind, None),))

    await commit_all(store, emitting("first"))
    await writer.write(emitting("slow"))
    await commit_all(store, emitting("fast"))
    page = await store.events_after("0", EventFilter())
    assert [found.type for found in page.events] == ["first"]
    await writer.commit()
    assert await store.changed_elsewhere()
    later = await store.events_after(page.cursor, EventFilter())
    assert [found.type for found in later.events] == ["slow", "fast"]


@pytest.mark.parametrize("state", ["40001", "40P01", "55P03"])
async def test_lost_races_are_run_again(store, state):
    call, lost = store._calls.run, [2]

    async def racing(work):
        lost[0] -= 1
        if lost[0] >= 0:
            raise with_state(state, "lost")
        return await call(work)

    store._calls.run = racing
    assert isinstance(await commit_one(store, everything()), Committed)
