"""Stage `claim`: one execution at a time for one idempotency key, in this process.

Across processes the store's unique index decides, at the commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from symphainy_platform.runtime.execution import Execution
from symphainy_platform.state.records import Guard

NOTHING: nullcontext[None] = nullcontext()
"""What holds nothing; it may be entered by everybody at once."""


class Claims:
    """Who is executing which key right now. Waiting is by future, never by polling."""

    def __init__(self) -> None:
        """Start with no key claimed."""
        self._held: dict[bytes, asyncio.Future[None]] = {}

    def hold(self, guard: Guard | None, execution: Execution | None = None) -> AbstractAsyncContextManager[None]:
        """Enter when nobody else executes this key; None claims nothing.

        When a holder leaves, however it ended, whoever waited looks at the records next. What a
        cancelled `execution` has handed to the store is decided first: before, there is no record.
        """
        return NOTHING if guard is None else self._hold(guard.digest, execution)

    @asynccontextmanager
    async def _hold(self, digest: bytes, execution: Execution | None) -> AsyncIterator[None]:
        while (holder := self._held.get(digest)) is not None:
            await asyncio.shield(holder)
        self._held[digest] = asyncio.get_running_loop().create_future()
        try:
            yield
        finally:
            handed = execution.handed if execution else None
            if handed is None or handed.done():
                self._release(digest)
            else:
                handed.add_done_callback(lambda _: self._release(digest))

    def _release(self, digest: bytes) -> None:
        self._held.pop(digest).set_result(None)
