"""What runs on a store, so that its close() can wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from symphainy_platform.errors import DatabaseUnavailable


class Running:
    """Counts what runs, until it is told to finish."""

    def __init__(self) -> None:
        """Nothing runs."""
        self._count = 0
        self._none = asyncio.Event()
        self._none.set()
        self._closed = False

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count this block. Raises DatabaseUnavailable once finish() was called."""
        if self._closed:
            raise DatabaseUnavailable(reason="closed")
        self._count += 1
        self._none.clear()
        try:
            yield
        finally:
            self._count -= 1
            if not self._count:
                self._none.set()

    async def finish(self) -> None:
        """Let nothing more begin, and wait for what runs. Idempotent."""
        self._closed = True
        await self._none.wait()
