"""Races that go the same way whichever store the racers use: a suite over `store`, `open_store`, `clock`, `writer`."""

import asyncio
import time

import pytest

from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.state.records import Commit, Committed, Conflict, Duplicate
from symphainy_platform.testing.store_suite.samples import artifact, commit_all, commit_one, execution, guard, writing


def claiming(execution_id, **options):
    return Commit(execution=execution(execution_id, key=guard("k", **options)))


async def blocked(task):
    await asyncio.wait([task], timeout=0.3)
    return not task.done()


class Races:
    async def test_a_duplicate_waits_for_the_first_and_gets_its_record(self, store, writer):
        await writer.write(claiming("exec_1", lifetime=10**9))
        second = asyncio.create_task(commit_one(store, claiming("exec_2")))
        assert await blocked(second)
        await writer.commit()
        outcome = await second
        assert isinstance(outcome, Duplicate)
        assert outcome.record.execution_id == "exec_1"

    async def test_an_expired_key_goes_to_one_of_those_who_want_it(self, open_store, clock):
        stores = [await open_store() for _ in range(3)]
        await commit_all(stores[0], claiming("exec_0", lifetime=1))
        clock.advance(2)
        outcomes = await asyncio.gather(*(commit_one(stores[n % 3], claiming(f"exec_{n}")) for n in range(1, 13)))
        (winner,) = [n for n, outcome in enumerate(outcomes, 1) if isinstance(outcome, Committed)]
        losers = [outcome.record.execution_id for outcome in outcomes if isinstance(outcome, Duplicate)]
        assert losers == [f"exec_{winner}"] * 11

    async def test_a_lock_that_is_held_too_long_is_said_in_time(self, store, writer):
        await commit_all(store, writing("exec_0", artifact()))
        await writer.write(writing("exec_1", artifact(version=2)))
        begun = time.monotonic()
        with pytest.raises(DatabaseUnavailable) as refusal:
            await commit_one(store, writing("exec_2", artifact(version=2)))
        assert refusal.value.details["reason"] == "contended"
        assert time.monotonic() - begun < 6

    async def test_batches_over_the_same_artifacts_in_other_orders_do_not_fail(self, open_store):
        stores = [await open_store() for _ in range(3)]
        names = [f"a{n}" for n in range(12)]
        for turn in range(5):
            orders = [names, names[::-1], names[6:] + names[:6]]
            batches = [
                store.commit([writing(f"exec_{turn}_{n}_{name}", artifact(name, turn + 1)) for name in order])
                for n, (store, order) in enumerate(zip(stores, orders, strict=True))
            ]
            outcomes = [outcome for batch in await asyncio.gather(*batches) for outcome in batch]
            assert [type(outcome) for outcome in outcomes].count(Committed) == len(names)
            assert [type(outcome) for outcome in outcomes].count(Conflict) == 2 * len(names)
