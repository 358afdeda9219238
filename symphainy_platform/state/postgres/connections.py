"""Connections to the database: lent to one task at a time, replaced when they end.

Not asyncpg's pool: it resets a connection on release, one more round trip, and hands out those that a
restarted server has closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncpg

from symphainy_platform.errors import SymphainyError
from symphainy_platform.state.postgres.driver import Connection
from symphainy_platform.state.postgres.faults import DATABASE_ERRORS, is_lost, unavailable
from symphainy_platform.state.postgres.running import Running

T = TypeVar("T")
_CONNECT_SECONDS = 3.0
_COMMAND_SECONDS = 5.0
_CLOSE_SECONDS = 1.0
_ON_EVERY_CONNECTION = {
    "application_name": "symphainy",
    "timezone": "UTC",
    "jit": "off",  # the statements are short
    "enable_seqscan": "off",  # a plan that was made while a table was small must not read all of it later
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "idle_in_transaction_session_timeout": "5000",  # one stuck transaction holds everybody's events back
}


@dataclass(frozen=True, slots=True)
class Database:
    """Where the database is. Behind a transaction pooler (`pooled`) nothing may be set on a session."""

    url: str
    pooled: bool = False

    async def connect(self) -> Connection:
        """Open a connection. Raises one of DATABASE_ERRORS, or ValueError for a URL that is none."""
        connection: Connection = await asyncpg.connect(
            self.url,
            timeout=_CONNECT_SECONDS,
            command_timeout=_COMMAND_SECONDS,
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
    """Open connections that nobody uses just now. `prepare` sees each of them once, before its first use."""

    def __init__(self, database: Database, prepare: Callable[[Connection], Awaitable[Any]]) -> None:
        """Connect to nothing yet."""
        self._database = database
        self._prepare = prepare
        self._idle: list[Connection] = []
        self.running = Running()

    async def close(self) -> None:
        """Wait for what runs, then end every connection. Idempotent."""
        await self.running.finish()
        while self._idle:
            await end(self._idle.pop())

    async def keep(self, connection: Connection) -> None:
        """Take a connection that was made elsewhere."""
        await self._prepare(connection)
        self._idle.append(connection)

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[Connection]:
        """Lend a connection; one that was left in the middle of something is not used again."""
        connection = self._take_idle() or await self._connect()
        try:
            yield connection
        except BaseException as error:
            if connection.is_in_transaction() or not isinstance(error, (asyncpg.PostgresError, SymphainyError)):
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


class Lane:
    """A share of the connections: so many of them may be in use for one purpose, not to hold up another."""

    def __init__(self, connections: Connections, size: int) -> None:
        """Use `size` connections at the most."""
        self._connections = connections
        self._free = asyncio.Semaphore(size)

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work`, which must bear being run twice: again when its connection was lost meanwhile.

        Raises DatabaseUnavailable when there is no connection to be had in time, or this one was lost,
        too; other errors of the database as they are.
        """
        with self._connections.running.counted():
            async with asyncio.timeout(_COMMAND_SECONDS):
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

    async def _attempt(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        async with self._free, self._connections.lent() as connection:
            return await work(connection)
