"""Calls of the API: counted, in time, made again when their outcome is unknown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

import asyncpg

from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.state.postgres.driver import Connection
from symphainy_platform.state.postgres.faults import DATABASE_ERRORS, is_lost
from symphainy_platform.state.postgres.queries import SQL
from symphainy_platform.state.supabase.api import Api
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
        self._running = 0
        self._finished = asyncio.Event()
        self._finished.set()
        self._closed = False

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work`, which must bear being run twice: again when its outcome is unknown, all within 5 s.

        Raises DatabaseUnavailable once it is closed; other errors as the driver of Postgres raises them.
        """
        with self._counted():
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
        self._closed = True
        await self._finished.wait()
        if self._api is not None:
            await self._api.close()

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
        self._api = self._api or self._make()
        statements = cast("Connection", Statements(self._api))  # all that the work uses of a connection
        try:
            if not self._in_this_life:
                await statements.execute(SQL["begin_epoch"])
                self._in_this_life = True
            return await work(statements)
        except (*DATABASE_ERRORS, asyncio.CancelledError) as error:
            if not isinstance(error, asyncpg.PostgresError) or is_lost(error):
                self._in_this_life = False
            raise
