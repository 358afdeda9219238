"""Stage `claim`: one execution at a time for one idempotency key, in this process.

Across processes the store's unique index decides, at the commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from symphainy_platform.state.records import Guard


class Claims:
    """Who is executing which key right now. Waiting is by future, never by polling."""

    def __init__(self) -> None:
        """Start with no key claimed."""
        self._held: dict[bytes, asyncio.Future[None]] = {}

    @asynccontextmanager
    async def hold(self, guard: Guard | None) -> AsyncIterator[None]:
        """Enter when nobody else executes this key; None claims nothing.

        When a holder leaves, however it ended, whoever waited looks at the records next.
        """
        if guard is None:
            yield
            return
        digest = guard.digest
        while (holder := self._held.get(digest)) is not None:
            await asyncio.shield(holder)
        released = self._held[digest] = asyncio.get_running_loop().create_future()
        try:
            yield
        finally:
            del self._held[digest]
            released.set_result(None)
