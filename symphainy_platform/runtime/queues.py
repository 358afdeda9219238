"""Writers to one artifact queue in this process instead of colliding in the store.

Other processes have queues of their own, and collide: a queue that lost goes on with one writer at a
time, after a pause, until one is through; one that goes on and on stands back now and then, so that
nobody starves.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from time import monotonic

from symphainy_platform.runtime.claim import NOTHING
from symphainy_platform.state.records import Committed, Conflict, Outcome

TURN_SECONDS = 0.4
"""How long the writers of one process go on before they let those of others in."""

STAND_BACK_SECONDS = 0.02
"""How long they do: a read and a commit of somebody else fit in."""

_FIRST_PAUSE = 0.004
_LONGEST_PAUSE = 0.06

Place = tuple[str, str]
"""Tenant and artifact id."""


@dataclass(slots=True)
class _Queue:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    lost: int = 0
    newest: asyncio.Future[Outcome] | None = None
    turn_ends: float = field(default_factory=lambda: monotonic() + TURN_SECONDS)

    async def pace(self) -> None:
        """Wait, holding the lock, as long as others should have a chance."""
        if self.lost:
            bound = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**self.lost)
            await asyncio.sleep(random.uniform(0, bound))  # noqa: S311 - jitter, not a secret
        elif monotonic() > self.turn_ends:
            if self.newest is not None:
                await asyncio.wait([self.newest])
            await asyncio.sleep(STAND_BACK_SECONDS)
            self.turn_ends = monotonic() + TURN_SECONDS

    def decided(self, place: Place, handed: asyncio.Future[Outcome]) -> None:
        """Note who was faster."""
        outcome = None if handed.cancelled() or handed.exception() else handed.result()
        if isinstance(outcome, Conflict) and outcome.artifact_id == place[1]:
            self.lost += 1
        elif isinstance(outcome, Committed):
            self.lost = 0


class ArtifactQueues:
    """First come, first served, for each artifact; taken in sorted order, so never in a circle."""

    def __init__(self) -> None:
        """Start with empty queues."""
        self._queues: dict[Place, _Queue] = {}

    def turn(self, places: Sequence[Place]) -> AbstractAsyncContextManager[None]:
        """Hold the artifacts (tenant_id, artifact_id), all of them."""
        if not places:
            return NOTHING
        return self._hold(places[0]) if len(places) == 1 else self._hold_all(places)

    def busy(self, places: Sequence[Place]) -> bool:
        """Whether one would have to wait for any of them."""
        return any(place in self._queues for place in places)

    async def handed_over(self, places: Sequence[Place], handed: asyncio.Future[Outcome]) -> None:
        """Say, during the turn, what was given to the store; returns when the next writer may have its turn.

        That is at once, unless others were faster before: then the next one waits for the outcome.
        """
        for place in places:
            queue = self._queues[place]
            queue.newest = handed
            handed.add_done_callback(partial(queue.decided, place))
        if any(self._queues[place].lost for place in places):
            await asyncio.wait([handed])

    @asynccontextmanager
    async def _hold_all(self, places: Sequence[Place]) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for place in places:
                await stack.enter_async_context(self._hold(place))
            yield

    @asynccontextmanager
    async def _hold(self, place: Place) -> AsyncIterator[None]:
        queue = self._queues.setdefault(place, _Queue())
        queue.users += 1
        try:
            async with queue.lock:
                await queue.pace()
                yield
        finally:
            queue.users -= 1
            if not queue.users:
                del self._queues[place]
