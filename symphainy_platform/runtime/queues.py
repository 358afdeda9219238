"""Writers to one artifact queue in this process instead of colliding in the store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from symphainy_platform.runtime.claim import NOTHING


@dataclass(slots=True)
class _Queue:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class ArtifactQueues:
    """First come, first served, for each artifact; taken in sorted order, so never in a circle."""

    def __init__(self) -> None:
        """Start with empty queues."""
        self._queues: dict[tuple[str, str], _Queue] = {}

    def turn(self, places: Sequence[tuple[str, str]]) -> AbstractAsyncContextManager[None]:
        """Hold the artifacts (tenant_id, artifact_id), all of them."""
        if not places:
            return NOTHING
        return self._hold(places[0]) if len(places) == 1 else self._hold_all(places)

    @asynccontextmanager
    async def _hold_all(self, places: Sequence[tuple[str, str]]) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for place in places:
                await stack.enter_async_context(self._hold(place))
            yield

    @asynccontextmanager
    async def _hold(self, place: tuple[str, str]) -> AsyncIterator[None]:
        queue = self._queues.setdefault(place, _Queue())
        queue.users += 1
        try:
            async with queue.lock:
                yield
        finally:
            queue.users -= 1
            if not queue.users:
                del self._queues[place]
