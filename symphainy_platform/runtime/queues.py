"""Writers to one artifact queue in this process instead of colliding in the store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Queue:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class ArtifactQueues:
    """First come, first served, for each artifact; taken in sorted order, so never in a circle."""

    def __init__(self) -> None:
        """Start with empty queues."""
        self._queues: dict[tuple[str, str], _Queue] = {}

    @asynccontextmanager
    async def turn(self, places: Sequence[tuple[str, str]]) -> AsyncIterator[bool]:
        """Hold the artifacts (tenant_id, artifact_id); yields True when somebody was before us."""
        async with AsyncExitStack() as stack:
            waited = False
            for place in places:
                waited |= await stack.enter_async_context(self._hold(place))
            yield waited

    @asynccontextmanager
    async def _hold(self, place: tuple[str, str]) -> AsyncIterator[bool]:
        queue = self._queues.setdefault(place, _Queue())
        queue.users += 1
        try:
            waited = queue.lock.locked()
            async with queue.lock:
                yield waited
        finally:
            queue.users -= 1
            if not queue.users:
                del self._queues[place]
