"""Statistics of a young database, in time.

The database keeps plans. One that was made while a table was empty may look a row up by its tenant alone, and
so read all rows of a tenant, until the table is analysed for the first time: the database comes to that
within minutes by itself. Under load that is thousands of intents, each slower than the one before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.state.postgres.driver import Connection
from symphainy_platform.state.postgres.queries import SQL

log = structlog.get_logger(__name__)

YOUNG = 4096
"""Executions up to which a database is young."""

_STEPS = (256, YOUNG)
"""Intents that this process has written when it has the tables analysed."""

Ask = Callable[[Callable[[Connection], Awaitable[None]]], Awaitable[None]]


class Statistics:
    """Has the tables of a young database analysed as they grow.

    Before Postgres 17 a role that does not own them may not do that: the database then ignores it, and comes to it
    later.
    """

    def __init__(self, ask: Ask) -> None:
        """Ask the database over `ask`; nothing is due before `begin`."""
        self._ask = ask
        self._due: list[int] = []
        self._written = 0
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Look whether the database is young."""
        await self._ask(self._look)

    def grown(self, intents: int) -> None:
        """Note that so many intents more were written."""
        self._written += intents
        if self._due and self._written >= self._due[0] and (self._task is None or self._task.done()):
            self._due.pop(0)
            self._task = asyncio.create_task(self._analyse())

    async def close(self) -> None:
        """Wait for what is under way."""
        self._due.clear()
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _look(self, connection: Connection) -> None:
        known = await connection.fetchval(SQL["executions_known_of"])
        self._due = [step for step in _STEPS if known < YOUNG]

    async def _analyse(self) -> None:
        try:
            await self._ask(_analyse)
        except DatabaseUnavailable as error:  # slower for a while, and nothing is lost
            log.info("tables_not_analysed", reason=error.details.get("reason"))


async def _analyse(connection: Connection) -> None:
    await connection.fetchval(SQL["analyse"])
