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

from symphainy_platform.errors import DatabaseUnavailable, StoreRefusedError, SymphainyError
from symphainy_platform.state.postgres.driver import Connection
from symphainy_platform.state.postgres.faults import DATABASE_ERRORS, is_lost, is_read_only, unavailable
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
    "default_transaction_isolation": "read committed",  # what a lock protects is read after the wait for it
    "bytea_output": "hex",
}
_SESSION_OF_OTHERS = "select current_setting('default_transaction_isolation'), current_setting('bytea_output')"
"""What a pooled connection finds set: by the database or its user, or not at all."""
_RELIED_ON = ("read committed", "hex")


@dataclass(frozen=True, slots=True)
class Database:
    """Where the database is. Behind a transaction pooler (`pooled`) nothing may be set on a session."""

    url: str
    pooled: bool = False

    async def connect(self) -> Connection:
        """Open a connection.

        Raises one of DATABASE_ERRORS, ValueError for a URL that is none, StoreRefusedError for a database
        that cannot hold every text, or whose defaults nobody can change behind a pooler.
        """
        connection = await self._connect()
        try:
            await _check_defaults(connection, pooled=self.pooled)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _connect(self) -> Connection:
        connection: Connection = await asyncpg.connect(
            self.url,
            timeout=_CONNECT_SECONDS,
            command_timeout=_COMMAND_SECONDS,
            statement_cache_size=0 if self.pooled else 100,
            max_cached_statement_lifetime=0,
            server_settings=None if self.pooled else _ON_EVERY_CONNECTION,
        )
        return connection


async def _check_defaults(connection: Connection, *, pooled: bool) -> None:
    encoding = connection.get_settings().server_encoding
    if encoding != "UTF8":
        msg = f"The store's database has the encoding {encoding}, which cannot hold every text: create one with UTF8."
        raise StoreRefusedError(msg)
    if pooled and tuple(await connection.fetchrow(_SESSION_OF_OTHERS)) != _RELIED_ON:
        msg = (
            "The store's database has defaults that cannot be changed behind a pooler: run"
            " `alter database … set default_transaction_isolation = 'read committed'` and"
            " `alter database … set bytea_output = 'hex'`, and restart the pooler."
        )
        raise StoreRefusedError(msg)


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
            if not _is_usable(connection, error):
                connection.terminate()
            if is_lost(error) or is_read_only(error):
                self.drop_idle()
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

    def drop_idle(self) -> None:
        """End those that nobody uses: what has befallen one connection has probably befallen all."""
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
        except StoreRefusedError as error:  # it was another at the start
            raise DatabaseUnavailable(reason="refused") from error
        return connection


@asynccontextmanager
async def snapshot(connection: Connection) -> AsyncIterator[None]:
    """A block whose statements see one state of the database.

    When it is cancelled, it is left open, and the connection with it ends: the database may hang, and would
    be waited for once more if it were asked to roll back.
    """
    transaction = connection.transaction(isolation="repeatable_read", readonly=True)
    await transaction.start()
    try:
        yield
    except asyncpg.PostgresError as error:
        if not is_lost(error):
            await transaction.rollback()
        raise
    await transaction.commit()


def _is_usable(connection: Connection, error: BaseException) -> bool:
    """Whether a connection may be lent again after this error. One that has ended cannot be asked for its state."""
    if connection.is_closed() or is_lost(error) or is_read_only(error):
        return False
    return isinstance(error, (asyncpg.PostgresError, SymphainyError)) and not connection.is_in_transaction()


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
            try:
                async with asyncio.timeout(_COMMAND_SECONDS):
                    return await self._run(work)
            except TimeoutError:  # a firewall may have forgotten them all; new ones may work
                self._connections.drop_idle()
                raise

    async def _run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
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
