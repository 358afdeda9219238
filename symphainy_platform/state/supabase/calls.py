"""Calls of the API: counted, in time, made again when their outcome is unknown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

import asyncpg

from symphainy_platform.state.postgres.driver import Connection
from symphainy_platform.state.postgres.faults import DATABASE_ERRORS, is_lost
from symphainy_platform.state.postgres.queries import SQL
from symphainy_platform.state.postgres.running import Running
from symphainy_platform.state.supabase.api import Api
from symphainy_platform.state.supabase.faults import Unintelligible
from symphainy_platform.state.supabase.statements import Statements

T = TypeVar("T")
_TOTAL_SECONDS = 5.0
_PAUSE_SECONDS = 0.05


class Calls:
    """What `Connections` is to the Postgres store.

    The API keeps its connections to the database to itself: whether this is another life of the database
    (see `begin_epoch`) is asked first of all, and again after each failure.
    """

    def __init__(self, make: Callable[[], Api]) -> None:
        """Make the client at the first call."""
        self._make = make
        self._api: Api | None = None
        self._in_this_life = False
        self._running = Running()

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work`, which must bear being run twice: again when its outcome is unknown, all within 5 s.

        Raises DatabaseUnavailable once it is closed; other errors as the driver of Postgres raises them.
        """
        with self._running.counted():
            async with asyncio.timeout(_TOTAL_SECONDS):
                try:
                    return await self._attempt(work)
                except DATABASE_ERRORS as error:
                    if not is_lost(error) or isinstance(error, ConnectionRefusedError):
                        raise
                await asyncio.sleep(_PAUSE_SECONDS)
                return await self._attempt(work)

    async def close(self) -> None:
        """Wait for what runs, then end every connection. Idempotent."""
        await self._running.finish()
        if self._api is not None:
            await self._api.close()

    async def _attempt(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        self._api = self._api or self._make()
        statements = cast("Connection", Statements(self._api))  # all that the work uses of a connection
        try:
            if not self._in_this_life:
                await statements.execute(SQL["begin_epoch"])
                self._in_this_life = True
            return await _understood(work, statements)
        except (*DATABASE_ERRORS, asyncio.CancelledError) as error:
            if not isinstance(error, asyncpg.PostgresError) or is_lost(error):
                self._in_this_life = False
            raise


async def _understood(work: Callable[[Connection], Awaitable[T]], statements: Connection) -> T:
    """Run `work`; rows that it can make nothing of are not those of its statement."""
    try:
        return await work(statements)
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        if isinstance(error, DATABASE_ERRORS):
            raise
        msg = "The API answered what no statement answers."
        raise Unintelligible(msg) from error
