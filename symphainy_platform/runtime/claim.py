"""Stage `claim`: one execution at a time for one idempotency key, in this process.

Across processes the store's unique index decides, at the commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from symphainy_platform.state.records import Guard

NOTHING: nullcontext[None] = nullcontext()
"""What holds nothing; it may be entered by everybody at once."""


class Claims:
    """Who is executing which key right now. Waiting is by future, never by polling."""

    def __init__(self) -> None:
        """Start with no key claimed."""
        self._held: dict[bytes, asyncio.Future[None]] = {}

    def hold(self, guard: Guard | None) -> AbstractAsyncContextManager[None]:
        """Enter when nobody else executes this key; None claims nothing.

        When a holder leaves, however it ended, whoever waited looks at the records next.
        """
        return NOTHING if guard is None else self._hold(guard.digest)

    @asynccontextmanager
    async def _hold(self, digest: bytes) -> AsyncIterator[None]:
        while (holder := self._held.get(digest)) is not None:
            await asyncio.shield(holder)
        released = self._held[digest] = asyncio.get_running_loop().create_future()
        try:
            yield
        finally:
            del self._held[digest]
            released.set_result(None)
