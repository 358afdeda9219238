"""Queues of writers, and how they make room for those of other processes."""

import asyncio

import pytest

from symphainy_platform.runtime import queues as module
from symphainy_platform.runtime.queues import ArtifactQueues
from symphainy_platform.state.records import Committed, Conflict

PLACE = ("t1", "a1")
LOST = Conflict("a1", 7)
DONE = Committed("2026-01-01T00:00:00.000000Z")


class Writers:
    """Writers to one artifact: who has had a turn, and what they have given to the store."""

    def __init__(self):
        self.queues = ArtifactQueues()
        self.handed = []
        self.tasks = []

    async def come(self, count):
        """Let so many more wait for their turn; returns when nothing more happens by itself."""
        self.tasks += [asyncio.create_task(self._write()) for _ in range(count)]
        await self.settle()

    async def follow(self, count, outcome):
        """The same, after one whose commit came out so during its turn."""
        async with self.queues.turn([PLACE]):
            await self.come(count)
            handed = asyncio.get_running_loop().create_future()
            await self.queues.handed_over([PLACE], handed)
            if isinstance(outcome, Exception):
                handed.set_exception(outcome)
            else:
                handed.set_result(outcome)
            await self.settle()
        await self.settle()

    async def decide(self, number, outcome):
        self.handed[number].set_result(outcome)
        await self.settle()

    async def settle(self):
        await asyncio.wait(self.tasks, timeout=0.05)

    async def _write(self):
        async with self.queues.turn([PLACE]):
            handed = asyncio.get_running_loop().create_future()
            self.handed.append(handed)
            await self.queues.handed_over([PLACE], handed)
        await handed


@pytest.fixture
def writers(monkeypatch):
    monkeypatch.setattr(module, "_LONGEST_PAUSE", 0.0)
    monkeypatch.setattr(module, "STAND_BACK_SECONDS", 0.0)
    return Writers()


async def test_writers_do_not_wait_for_each_other_while_nobody_is_faster(writers):
    await writers.come(5)
    assert len(writers.handed) == 5


async def test_after_a_loss_they_go_one_at_a_time_until_one_is_through(writers):
    await writers.follow(4, LOST)
    assert len(writers.handed) == 1
    await writers.decide(0, LOST)
    assert len(writers.handed) == 2
    await writers.decide(1, DONE)
    assert len(writers.handed) == 4


@pytest.mark.parametrize("outcome", [Conflict("another", 7), RuntimeError(), DONE], ids=repr)
async def test_what_is_no_loss_of_this_artifact_holds_nobody_up(writers, outcome):
    await writers.follow(3, outcome)
    assert len(writers.handed) == 3


async def test_who_goes_on_and_on_stands_back_until_all_is_decided(writers, monkeypatch):
    monkeypatch.setattr(module, "TURN_SECONDS", -1)
    await writers.come(3)
    assert len(writers.handed) == 1
    await writers.decide(0, DONE)
    assert len(writers.handed) == 2
    await writers.decide(1, DONE)
    assert len(writers.handed) == 3
