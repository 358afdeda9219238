"""The one thread that writes: whole jobs in order, each result handed back to its event loop."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, TypeVar

from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.state.sqlite.faults import is_busy, unavailable

T = TypeVar("T")
_Result = tuple[Any, BaseException | None]


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[sqlite3.Connection], Any]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]


class WriterThread:
    """Runs jobs on the connection that only it uses.

    A job that was handed over runs, whatever becomes of its caller. After a fault the connection
    is made anew for the next job, so that the store works again when the fault goes away.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        """Connect by `connect` at the first job and after a fault."""
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="sqlite-writer", daemon=True)
        self._running = False

    def start(self) -> None:
        """Start the thread."""
        self._running = True
        self._thread.start()

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` on the writer's connection. Raises DatabaseUnavailable for errors of SQLite."""
        if not self._running:
            raise DatabaseUnavailable(reason="closed")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._jobs.put(_Job(work, loop, done))
        return await done

    async def close(self) -> None:
        """Finish what was handed over, then let go of the connection. Idempotent."""
        if self._running:
            self._running = False
            self._jobs.put(None)
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            _hand_back(job, self._outcome(job.work))
        self._drop_connection()

    def _outcome(self, work: Callable[[sqlite3.Connection], Any]) -> _Result:
        try:
            return self._attempt(work), None
        except sqlite3.Error as error:
            if not is_busy(error):
                self._drop_connection()
            return None, unavailable(error)
        except BaseException as error:  # noqa: BLE001 - belongs to the caller, who waits in another thread
            return None, error

    def _attempt(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            self._connection = self._connect()
        return work(self._connection)

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _hand_back(job: _Job, result: _Result) -> None:
    if not job.loop.is_closed():  # nobody waits in a loop that is closed
        job.loop.call_soon_threadsafe(_resolve, job.done, result)


def _resolve(done: asyncio.Future[Any], result: _Result) -> None:
    if done.cancelled():
        return
    value, error = result
    if error is None:
        done.set_result(value)
    else:
        done.set_exception(error)
