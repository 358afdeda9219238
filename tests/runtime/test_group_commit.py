"""The writer of batches alone: who waits for one, who is cancelled, who comes as it ends."""

import asyncio

import pytest

from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.state import group_commit
from symphainy_platform.state.artifact import ArtifactRef
from symphainy_platform.state.group_commit import GroupCommit
from symphainy_platform.state.records import Committed, Failed
from symphainy_platform.testing.store_suite.samples import artifact, writing


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


class LockedStore:
    """Two lanes; an artifact whose name begins with "locked" waits until `go` is set, and then fails while it is."""

    name, lanes = "locked", 2

    def __init__(self):
        self.batches, self.go, self.locked = [], asyncio.Event(), True

    async def commit(self, batch):
        names = [write.artifact.artifact_id for commit in batch for write in commit.artifacts]
        self.batches.append(names)
        await asyncio.sleep(0)
        if self.locked and any(name.startswith("locked") for name in names):
            await self.go.wait()
        return [self._outcome(name) for name in names]

    def _outcome(self, name):
        if self.locked and name.startswith("locked"):
            return Failed(DatabaseUnavailable(reason="contended"))
        return Committed("now")


def write_to(writer, *names):
    return [writer.hand_over(writing(f"exec_{name}", artifact(name))) for name in names]


async def results(futures):
    return [
        outcome.error.details["reason"] if isinstance(outcome, Failed) else type(outcome).__name__
        for outcome in await asyncio.wait_for(asyncio.gather(*futures, return_exceptions=True), 2)
    ]


@pytest.fixture
async def locked():
    """A store and its writer, who knows that the artifact "locked" is."""
    store = LockedStore()
    writer = GroupCommit(store)
    first = write_to(writer, "locked")
    store.go.set()
    assert await results(first) == ["contended"]
    store.go.clear()
    store.batches.clear()
    return store, writer


async def test_what_waited_for_a_lock_in_vain_keeps_nobody_waiting_again(locked):
    store, writer = locked
    slow = write_to(writer, "locked", "a", "b")
    assert await results(slow[1:]) == ["Committed"] * 2
    assert await results(write_to(writer, "c", "d")) == ["Committed"] * 2
    assert store.batches[:2] == [["locked"], ["a", "b"]]
    store.go.set()
    assert await results(slow[:1]) == ["contended"]


async def test_locked_artifacts_take_one_lane_at_a_time(locked):
    store, writer = locked
    store.go.set()
    assert await results(write_to(writer, "locked2")) == ["contended"]
    store.go.clear()
    slow = write_to(writer, "locked")
    await asyncio.sleep(0)
    slow += write_to(writer, "locked2")
    assert await results(write_to(writer, "a")) == ["Committed"]
    store.go.set()
    assert await results(slow) == ["contended"] * 2
    assert not writer.busy


async def test_who_waits_behind_a_locked_artifact_is_told_with_it(locked):
    store, writer = locked
    slow = write_to(writer, "locked")
    await asyncio.sleep(0.01)
    behind = write_to(writer, "locked", "locked")
    store.go.set()
    with pytest.raises(DatabaseUnavailable):
        await asyncio.wait_for(asyncio.shield(behind[0]), 2)
    assert await results(slow) == ["contended"]
    with pytest.raises(DatabaseUnavailable):
        await behind[1]
    assert store.batches == [["locked"]]
    await writer.close()


async def test_a_lock_that_was_given_back_is_forgotten(locked):
    store, writer = locked
    store.locked = False
    assert await results(write_to(writer, "locked")) == ["Committed"]
    store.batches.clear()
    await results(write_to(writer, "locked", "a"))
    assert store.batches == [["locked", "a"]]


async def test_a_lock_is_forgotten_after_a_while(monkeypatch):
    monkeypatch.setattr(group_commit, "APART", 0)
    store = LockedStore()
    store.go.set()
    writer = GroupCommit(store)
    await results(write_to(writer, "locked"))
    store.locked = False
    await results(write_to(writer, "a", "locked"))
    assert store.batches == [["locked"], ["a", "locked"]]


class TwoLanes(SlowStore):
    lanes = 2


async def batches_after(store, count):
    async with asyncio.timeout(2):
        while len(store.batches) < count:  # noqa: ASYNC110 - the lanes run meanwhile
            await asyncio.sleep(0)
    for _ in range(10):
        await asyncio.sleep(0)
    return store.batches


async def test_what_comes_gathers_behind_the_batch_that_is_written(monkeypatch):
    monkeypatch.setattr(group_commit, "PATIENCE", 60)
    store = TwoLanes()
    writer = GroupCommit(store)
    written = [writer.hand_over(Written())]
    await batches_after(store, 1)
    for _ in range(4):
        written.append(writer.hand_over(Written()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    store.go.set()
    await asyncio.wait_for(asyncio.gather(*written), 2)
    assert store.batches == [1, 4]
    await writer.close()


async def test_what_gathers_does_not_wait_for_ever(monkeypatch):
    monkeypatch.setattr(group_commit, "PATIENCE", 0.001)
    store = TwoLanes()
    writer = GroupCommit(store)
    for number in (5, 2):
        for _ in range(number):
            writer.hand_over(Written())
        await batches_after(store, 1)
    assert await batches_after(store, 2) == [5, 2]
    store.go.set()
    await writer.close()


async def test_who_waits_for_room_has_it_when_what_waits_is_given_up():
    store = LockedStore()
    writer = GroupCommit(store, max_waiting=2)
    first = write_to(writer, "locked")
    await asyncio.sleep(0)
    behind = write_to(writer, "locked", "locked")
    reader = asyncio.create_task(writer.enqueue(writing("exec_read", artifact("other"))))
    await asyncio.sleep(0)
    assert not reader.done()
    store.go.set()
    await results([*first, *behind])
    await asyncio.wait_for(reader, 2)
    store.locked = False
    await writer.close()


async def test_what_expects_a_locked_artifact_goes_apart_as_well():
    store = LockedStore()
    store.go.set()
    writer = GroupCommit(store)
    await results(write_to(writer, "locked"))
    store.locked = False
    expecting = writing("exec_y", artifact("y"), expects=(ArtifactRef("locked", 1),))
    assert await results([writer.hand_over(expecting), *write_to(writer, "a")]) == ["Committed"] * 2
    assert sorted(store.batches[1:]) == [["a"], ["y"]]
    await writer.close()
