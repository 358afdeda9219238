"""The writer of batches alone: who waits for one, who is cancelled, who comes as it ends."""

import asyncio

from symphainy_platform.state.group_commit import GroupCommit
from symphainy_platform.state.records import Committed


class SlowStore:
    """Commits when it is told to."""

    name, lanes = "slow", 1

    def __init__(self):
        self.batches, self.go = [], asyncio.Event()

    async def commit(self, batch):
        self.batches.append(len(batch))
        await self.go.wait()
        return [Committed("now") for _ in batch]


class Written:
    """As much of a commit as the writer looks at."""

    artifacts = ()


async def test_one_waiter_that_is_cancelled_does_not_strand_its_batch():
    store = SlowStore()
    writer = GroupCommit(store)
    futures = [writer.hand_over(Written()) for _ in range(4)]
    futures[1].cancel()
    store.go.set()
    assert [await future for place, future in enumerate(futures) if place != 1] == [Committed("now")] * 3
    await writer.close()


async def test_what_is_handed_over_in_the_very_moment_that_the_lane_ends_is_written():
    store = SlowStore()
    store.go.set()
    writer = GroupCommit(store)
    first = writer.hand_over(Written())
    second = []
    first.add_done_callback(lambda _: second.append(writer.hand_over(Written())))
    await first
    await asyncio.sleep(0)
    assert await asyncio.wait_for(second[0], 1) == Committed("now")


async def test_settling_waits_for_what_was_handed_over_before_alone():
    """A status question must not wait as long as others keep the store busy."""
    store = SlowStore()
    writer = GroupCommit(store)
    writer.hand_over(Written())
    settled = asyncio.create_task(writer.settle())
    await asyncio.sleep(0)
    busy = True

    def keep_busy(_):
        if busy:
            writer.hand_over(Written()).add_done_callback(keep_busy)

    writer.hand_over(Written()).add_done_callback(keep_busy)
    store.go.set()
    await asyncio.wait_for(settled, 1)
    committed = len(store.batches)
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(store.batches) > committed
    busy = False
    await writer.close()
    assert not writer.busy
