"""Connections to the database: lent to one task at a time, replaced when they end.

Not asyncpg's pool: it resets a connection on release, one more round trip, and hands out those that a
restarted server has closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncpg

from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.state.postgres.driver import Connection
from symphainy_platform.state.postgres.faults import DATABASE_ERRORS, is_lost, unavailable

T = TypeVar("T")
_CONNECT_SECONDS = 3.0
_COMMAND_SECONDS = 5.0
_CLOSE_SECONDS = 1.0
_ON_EVERY_CONNECTION = {
    "application_name": "symphainy",
    "timezone": "UTC",
    "jit": "off",  # the statements are short
    "idle_in_transaction_session_timeout": "5000",  # one stuck transaction holds everybody's events back
}


@dataclass(frozen=True, slots=True)
class Database:
    """Where the database is. Behind a transaction pooler (`pooled`) nothing may be set on a session."""

    url: str
    pooled: bool = False

    async def connect(self, *, command_seconds: float | None = _COMMAND_SECONDS) -> Connection:
        """Open a connection. Raises one of DATABASE_ERRORS, or ValueError for a URL that is none."""
        connection: Connection = await asyncpg.connect(
            self.url,
            timeout=_CONNECT_SECONDS,
            command_timeout=command_seconds,
            statement_cache_size=0 if self.pooled else 100,
            max_cached_statement_lifetime=0,
            server_settings=None if self.pooled else _ON_EVERY_CONNECTION,
        )
        return connection


async def end(connection: Connection) -> None:
    """Close a connection that is not in use, in order; one that cannot be is dropped."""
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            await connection.close()
    except DATABASE_ERRORS:
        connection.terminate()


class Connections:
    """At most `size` connections, made when they are needed; `prepare` sees each new one first."""

    def __init__(self, database: Database, size: int, prepare: Callable[[Connection], Awaitable[Any]]) -> None:
        """Connect to nothing yet."""
        self._database = database
        self._prepare = prepare
        self._idle: list[Connection] = []
        self._free = asyncio.Semaphore(size)
        self._running = 0
        self._finished = asyncio.Event()
        self._finished.set()
        self._closed = False

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work`, which must bear being run twice: again when its connection was lost meanwhile.

        Raises DatabaseUnavailable when there is no connection to be had, or this one was lost, too;
        other errors of the database as they are.
        """
        with self._counted():
            try:
                return await self._attempt(work)
            except DATABASE_ERRORS as error:
                if not is_lost(error):
                    raise
            try:
                return await self._attempt(work)
            except DATABASE_ERRORS as error:
                if not is_lost(error):
                    raise
                raise unavailable(error) from error

    async def close(self) -> None:
        """Wait for what runs, then end every connection. Idempotent."""
        self._closed = True
        await self._finished.wait()
        while self._idle:
            await end(self._idle.pop())

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Count what runs, so that close() can wait for it."""
        if self._closed:
            raise DatabaseUnavailable(reason="closed")
        self._running += 1
        self._finished.clear()
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._finished.set()

    async def _attempt(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        async with self._lent() as connection:
            return await work(connection)

    @asynccontextmanager
    async def _lent(self) -> AsyncIterator[Connection]:
        """Lend a connection; one that was left in the middle of something is not used again."""
        async with self._free:
            connection = self._take_idle() or await self._connect()
            try:
                yield connection
            except BaseException as error:
                if not isinstance(error, asyncpg.PostgresError) or connection.is_in_transaction():
                    connection.terminate()
                if isinstance(error, DATABASE_ERRORS) and is_lost(error):
                    self._drop_idle()
                raise
            finally:
                if not connection.is_closed():
                    self._idle.append(connection)

    def _take_idle(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None

    def _drop_idle(self) -> None:
        """What ended one connection has probably ended all."""
        while self._idle:
            self._idle.pop().terminate()

    async def _connect(self) -> Connection:
        try:
            connection = await self._database.connect()
            try:
                await self._prepare(connection)
            except BaseException:
                connection.terminate()
                raise
        except (*DATABASE_ERRORS, ValueError) as error:
            raise unavailable(error) from error
        return connection
