"""Telling other processes of commits, and hearing of theirs: NOTIFY on a connection of its own.

Not in the transaction that commits: NOTIFY would put all commits of the database behind one lock. What is
missed costs nothing but time, since whoever follows events also asks every 100 ms.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.state.postgres.connections import Database, end
from symphainy_platform.state.postgres.driver import Connection, Runner
from symphainy_platform.state.postgres.faults import DATABASE_ERRORS
from symphainy_platform.state.postgres.queries import SQL

_CHANNEL = "symphainy_outbox"
_QUIET_SECONDS = 0.02
"""At most one NOTIFY in this time, however many commits there are."""
_RETRY_SECONDS = 1.0
"""After a connection that could not be had, the next one is tried after this time."""


class Bell:
    """Rings at most once per 20 ms, and calls whoever listens when another process rings."""

    def __init__(self, database: Database, lane: Runner) -> None:
        """Listen on a connection of its own to `database`; ring there, or on one of `lane` while nobody listens."""
        self._database = database
        self._lane = lane
        self._connection: Connection | None = None
        self._hears: Callable[[], None] | None = None
        self._ringing: asyncio.Task[None] | None = None
        self._again = False
        self._connecting = asyncio.Lock()
        self._not_before = 0.0
        self._closed = False

    def listen(self, hears: Callable[[], None]) -> None:
        """Call `hears` for the rings of other processes, from the next `keep_listening` on."""
        self._hears = hears

    def ring(self) -> None:
        """Say that something was committed here. Returns at once; a ring that cannot be sent is lost."""
        if self._closed or self._database.pooled:
            return
        self._again = True
        if self._ringing is None or self._ringing.done():
            self._ringing = asyncio.create_task(self._ring())

    async def keep_listening(self) -> None:
        """Listen (again, when the connection was lost), if anybody wants to hear."""
        if self._hears is not None and not self._database.pooled:
            await self._connect()

    async def close(self) -> None:
        """End the connection. Idempotent."""
        self._closed = True
        if self._ringing is not None:
            self._ringing.cancel()
            await asyncio.wait([self._ringing])
        async with self._connecting:
            if self._connection is not None:
                await end(self._connection)

    async def _ring(self) -> None:
        while self._again:
            self._again = False
            await self._send()
            await asyncio.sleep(_QUIET_SECONDS)

    async def _send(self) -> None:
        try:
            if self._connection is not None and not self._connection.is_closed():
                await self._connection.execute(SQL["ring"], _CHANNEL)
            else:
                await self._lane.run(lambda connection: connection.execute(SQL["ring"], _CHANNEL))
        except (*DATABASE_ERRORS, DatabaseUnavailable):
            self._again = False  # the ring is lost; the next commit rings again
            if self._connection is not None:
                self._connection.terminate()  # it may hear nothing any more, either: listen on another

    async def _connect(self) -> None:
        """Connect and listen, if that is not so; nothing when there is no connection to be had just now."""
        async with self._connecting:
            if self._connection is not None and not self._connection.is_closed():
                return
            now = asyncio.get_running_loop().time()
            if self._closed or now < self._not_before:
                return
            self._not_before = now + _RETRY_SECONDS
            self._connection = None
            try:
                connection = await self._database.connect()
                await connection.add_listener(_CHANNEL, self._heard)
            except (*DATABASE_ERRORS, ValueError):
                return  # tried again in a second; meanwhile there is the polling
            self._connection = connection

    def _heard(self, connection: Any, pid: int, _channel: str, _payload: str) -> None:
        if self._hears is not None and pid != connection.get_server_pid():
            self._hears()
