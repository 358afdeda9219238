"""Point reads of many callers at once: what waits is answered by one statement of each kind.

Nearly every intent reads an artifact or the record of a key. One by one, their round trips would cost more
than the commit that follows; so, as with commits, whatever waits goes together, without a timer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.state.postgres.connections import snapshot
from symphainy_platform.state.postgres.driver import Connection
from symphainy_platform.state.postgres.queries import SQL
from symphainy_platform.state.rows import artifact_from, execution_from
from symphainy_platform.state.store import ArtifactById, ExecutionByClientKey, ExecutionById, ExecutionByKey, Read

_ARTIFACTS = "many_artifacts"
_LANES = 2
_MOST = 64
"""Loads that are answered together."""


class _Place(NamedTuple):
    """Where one read looks: which statement, whose tenant, which id or digest."""

    statement: str
    tenant_id: str
    name: str


class _Load(NamedTuple):
    places: list[_Place]
    answer: asyncio.Future[list[Any]]


class SharedReads:
    """Answers loads of point reads; those that come while two are under way wait and go together."""

    def __init__(
        self,
        alone: Callable[[Sequence[Read[Any]]], Awaitable[list[Any]]],
        ask: Callable[[Callable[[Connection], Awaitable[dict[_Place, Any]]]], Awaitable[dict[_Place, Any]]],
    ) -> None:
        """Answer a single load by `alone`, and several on the connection that `ask` lends."""
        self._alone = alone
        self._ask = ask
        self._waiting: deque[_Load] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._running = 0

    async def load(self, reads: Sequence[Read[Any]]) -> list[Any]:
        """Answer reads from one snapshot, in order. Raises what the store raises."""
        places = [place for read in reads if (place := _place(read)) is not None]
        if len(places) < len(reads):
            return await self._alone(reads)
        if self._running < _LANES and not self._waiting:
            with self._lane():
                return await self._alone(reads)
        load = _Load(places, asyncio.get_running_loop().create_future())
        self._waiting.append(load)
        return await load.answer

    @contextmanager
    def _lane(self) -> Iterator[None]:
        """Count what is under way; its end lets go whatever waits."""
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            if self._waiting:
                task = asyncio.create_task(self._answer_waiting())
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _answer_waiting(self) -> None:
        if self._running < _LANES and self._waiting:
            with self._lane():
                await self._answer([self._waiting.popleft() for _ in range(min(_MOST, len(self._waiting)))])

    async def _answer(self, loads: Sequence[_Load]) -> None:
        places = list(dict.fromkeys(place for load in loads for place in load.places))
        try:
            found = await self._ask(lambda connection: _find(connection, places))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is everybody's: nobody is left waiting
            _tell_all(loads, error)
        else:
            for load in loads:
                if not load.answer.done():  # its caller may be gone
                    load.answer.set_result([found.get(place) for place in load.places])
        finally:
            for load in loads:
                load.answer.cancel()  # those who have no answer yet, when this task is cancelled


async def _find(connection: Connection, places: Sequence[_Place]) -> dict[_Place, Any]:
    """Look at all places in one snapshot; what is missing is left out."""
    kinds = sorted({place.statement for place in places})
    if len(kinds) == 1:
        return await _find_kind(connection, kinds[0], places)
    found: dict[_Place, Any] = {}
    async with snapshot(connection):
        for kind in kinds:
            found |= await _find_kind(connection, kind, [place for place in places if place.statement == kind])
    return found


async def _find_kind(connection: Connection, statement: str, places: Sequence[_Place]) -> dict[_Place, Any]:
    tenants, names = [place.tenant_id for place in places], [place.name for place in places]
    rows = await connection.fetch(SQL[statement], tenants, names)
    made_from = artifact_from if statement == _ARTIFACTS else execution_from
    return {places[number - 1]: made_from(tuple(columns)) for number, *columns in rows}


def _place(read: Read[Any]) -> _Place | None:
    """Where a read looks, if it is one that can be shared."""
    if isinstance(read, ArtifactById) and read.version is None:
        return _Place(_ARTIFACTS, read.tenant_id, read.artifact_id)
    if isinstance(read, ExecutionById):
        return _Place("many_executions", read.tenant_id, read.execution_id)
    if isinstance(read, ExecutionByKey):
        return _Place("many_executions_by_key", read.tenant_id, read.digest.hex())
    if isinstance(read, ExecutionByClientKey):
        return _Place("many_executions_by_client_key", read.tenant_id, read.digest.hex())
    return None


def _tell_all(loads: Sequence[_Load], error: Exception) -> None:
    for load in loads:
        if not load.answer.done():
            load.answer.set_exception(_copy(error) if isinstance(error, DatabaseUnavailable) else error)


def _copy(error: DatabaseUnavailable) -> DatabaseUnavailable:
    """One error for each caller: it collects a traceback of its own."""
    copied = DatabaseUnavailable(error.message, **error.details)
    copied.__cause__ = error.__cause__
    return copied
