"""Reading: point reads on the event loop's own thread, longer ones on a few others."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, LifoQueue
from typing import TypeVar

from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.state.sqlite.connection import DatabaseFile
from symphainy_platform.state.sqlite.faults import is_busy, unavailable

T = TypeVar("T")
_THREADS = 2


class Readers:
    """Read connections. In WAL mode they neither wait for the writer nor make it wait."""

    def __init__(self, file: DatabaseFile) -> None:
        """Connect to `file` when a read first needs it."""
        self._file = file
        self._inline: sqlite3.Connection | None = None
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue()
        self._threads = ThreadPoolExecutor(_THREADS, "sqlite-reader")
        self._closed = False

    async def run_short(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a read of microseconds here (a hop to a thread costs several times as much).

        It never waits for a lock: when it would have to, it runs on a thread after all.
        """
        self._check_open()
        try:
            return self._run_inline(work)
        except sqlite3.Error as error:
            if not is_busy(error):
                self._drop_inline()
                raise unavailable(error) from error
        return await self.run_long(work)

    async def run_long(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a read that may take milliseconds on another thread."""
        self._check_open()
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._run_borrowed, work)

    async def close(self) -> None:
        """Wait for running reads and close the connections. Idempotent."""
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)
        self._drop_inline()
        while not self._idle.empty():
            self._idle.get_nowait().close()

    def _check_open(self) -> None:
        if self._closed:
            raise DatabaseUnavailable(reason="closed")

    def _run_inline(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._inline is None:
            self._inline = self._file.connect(wait=0, read_only=True)
        return work(self._inline)

    def _drop_inline(self) -> None:
        if self._inline is not None:
            self._inline.close()
            self._inline = None

    def _borrow(self) -> sqlite3.Connection:
        try:
            return self._idle.get_nowait()
        except Empty:
            return self._file.connect(read_only=True)

    def _run_borrowed(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run on an idle connection or a new one; one that met an error is not used again."""
        try:
            connection = self._borrow()
            try:
                result = work(connection)
            except BaseException:
                connection.close()
                raise
        except sqlite3.Error as error:
            raise unavailable(error) from error
        self._idle.put(connection)
        return result
