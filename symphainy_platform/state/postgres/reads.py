"""Answering reads: one function per kind of read, each one bounded, indexed statement."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import fields
from typing import Any, cast

from symphainy_platform.state.answers import ABOVE_EVERY_VERSION, listing_page, listing_query, newest_wording
from symphainy_platform.state.artifact import Artifact, LogEntry
from symphainy_platform.state.cursors import listing_place
from symphainy_platform.state.postgres.audit import audit_head, audit_range, audited_events
from symphainy_platform.state.postgres.connections import snapshot
from symphainy_platform.state.postgres.driver import Connection
from symphainy_platform.state.postgres.points import answer_points, points_of
from symphainy_platform.state.postgres.queries import SQL
from symphainy_platform.state.records import ExecutionRecord
from symphainy_platform.state.rows import artifact_from, execution_from, log_entries_from
from symphainy_platform.state.store import (
    ArtifactById,
    ArtifactListing,
    ArtifactPage,
    ArtifactVersions,
    AuditedEvents,
    AuditHead,
    AuditRange,
    CompletedIntents,
    DueArtifacts,
    ExecutionByClientKey,
    ExecutionById,
    ExecutionByKey,
    LogKeys,
    LogRange,
    NewestArtifact,
    Read,
)

Answer = Callable[[Connection, Any, bytes], Coroutine[Any, Any, Any]]
_NEWEST = ("infinity", "")
"""After every (created_at, artifact_id): where a listing starts."""


async def answer_reads(connection: Connection, reads: Sequence[Read[Any]], listings: bytes) -> list[Any]:
    """Answer reads from one snapshot, in order; `listings` is the key of listings' cursors.

    Each read is one statement, so that a single one needs no transaction; nor do a few point reads, which
    are put into one.
    """
    if len(reads) == 1:
        return [await ANSWERS[type(reads[0])](connection, reads[0], listings)]
    if (points := points_of(reads)) is not None:
        return await answer_points(connection, points)
    async with snapshot(connection):
        return [await ANSWERS[type(read)](connection, read, listings) for read in reads]


async def answer_findable(
    reads: Sequence[Read[Any]], answer: Callable[[Sequence[Read[Any]]], Awaitable[list[Any]]]
) -> list[Any]:
    """Answer reads in order; `answer` is asked for those that can find anything."""
    possible = [_can_be_found(read) for read in reads]
    asked = [read for read, found in zip(reads, possible, strict=True) if found]
    answers = iter(await answer(asked) if asked else ())
    return [next(answers) if found else _missing(read) for read, found in zip(reads, possible, strict=True)]


def _can_be_found(read: Read[Any]) -> bool:
    """Tell whether the texts of a read are such as a table may hold; keys of a log and cursors are looked at apart."""
    texts = [each for value in _values(read) for each in (value if isinstance(value, tuple) else (value,))]
    return all(_is_storable(text) for text in texts if isinstance(text, str))


def _missing(read: Read[Any]) -> Any:
    """What a read answers that finds nothing."""
    return _MISSING.get(type(read), lambda: None)()


def _values(read: Read[Any]) -> list[Any]:
    apart = {LogKeys: "keys", ArtifactListing: "cursor"}.get(type(read))
    return [getattr(read, field.name) for field in fields(cast("Any", read)) if field.name != apart]


def _is_storable(text: str) -> bool:
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


async def _artifact_by_id(connection: Connection, read: ArtifactById, _: bytes) -> Artifact | None:
    if read.version is None:
        row = await connection.fetchrow(SQL["artifact"], read.tenant_id, read.artifact_id)
    else:
        row = await connection.fetchrow(SQL["artifact_version"], read.tenant_id, read.artifact_id, read.version)
    return row and artifact_from(row)


async def _newest_artifact(connection: Connection, read: NewestArtifact, _: bytes) -> Artifact | None:
    row = await connection.fetchrow(
        SQL["newest_artifact"], read.tenant_id, read.user_id, read.artifact_type, list(read.states)
    )
    return row and artifact_from(row)


async def _artifact_listing(connection: Connection, read: ArtifactListing, listings: bytes) -> ArtifactPage:
    name, filters = listing_query(read)
    place = _NEWEST if read.cursor is None else listing_place(listings, read)
    rows = await connection.fetch(SQL[name], *place, *filters, read.limit + 1)
    return listing_page(listings, read, rows)


async def _due_artifacts(connection: Connection, read: DueArtifacts, _: bytes) -> list[Artifact]:
    return list(map(artifact_from, await connection.fetch(SQL["due_artifacts"], read.now, read.limit)))


async def _artifact_versions(connection: Connection, read: ArtifactVersions, _: bytes) -> tuple[Artifact, ...]:
    before = ABOVE_EVERY_VERSION if read.before is None else read.before
    rows = await connection.fetch(SQL["artifact_versions"], read.tenant_id, read.artifact_id, before, read.limit)
    return tuple(map(artifact_from, rows))


async def _log_range(connection: Connection, read: LogRange, _: bytes) -> list[LogEntry]:
    place = (read.tenant_id, read.artifact_id, read.log, read.generation, read.first, read.last)
    if read.version is None:
        return newest_wording(await connection.fetch(SQL["log_range"], *place))
    return newest_wording(await connection.fetch(SQL["log_range_as_of"], *place, read.version))


async def _log_keys(connection: Connection, read: LogKeys, _: bytes) -> list[LogEntry]:
    place = (read.tenant_id, read.artifact_id, read.log, read.generation)
    return log_entries_from(await connection.fetch(SQL["log_keys"], *place, list(filter(_is_storable, read.keys))))


async def _execution_by_id(connection: Connection, read: ExecutionById, _: bytes) -> ExecutionRecord | None:
    return _execution(await connection.fetchrow(SQL["execution"], read.tenant_id, read.execution_id))


async def _execution_by_key(connection: Connection, read: ExecutionByKey, _: bytes) -> ExecutionRecord | None:
    return _execution(await connection.fetchrow(SQL["execution_by_key"], read.tenant_id, read.digest))


async def _execution_by_client_key(
    connection: Connection, read: ExecutionByClientKey, _: bytes
) -> ExecutionRecord | None:
    return _execution(await connection.fetchrow(SQL["execution_by_client_key"], read.tenant_id, read.digest))


def _execution(row: Any) -> ExecutionRecord | None:
    return row and execution_from(tuple(row))


async def _completed_intents(connection: Connection, read: CompletedIntents, _: bytes) -> frozenset[str]:
    rows = await connection.fetch(SQL["completed_intents"], read.tenant_id, read.user_id, list(read.intent_types))
    return frozenset(intent for (intent,) in rows)


_MISSING: dict[type[Read[Any]], Callable[[], Any]] = {
    ArtifactListing: lambda: ArtifactPage((), None),
    ArtifactVersions: tuple,
    DueArtifacts: list,
    LogRange: list,
    LogKeys: list,
    CompletedIntents: frozenset,
    AuditRange: list,
    AuditedEvents: list,
}
ANSWERS: dict[type[Read[Any]], Answer] = {
    ArtifactById: _artifact_by_id,
    NewestArtifact: _newest_artifact,
    ArtifactListing: _artifact_listing,
    ArtifactVersions: _artifact_versions,
    DueArtifacts: _due_artifacts,
    LogRange: _log_range,
    LogKeys: _log_keys,
    ExecutionById: _execution_by_id,
    ExecutionByKey: _execution_by_key,
    ExecutionByClientKey: _execution_by_client_key,
    CompletedIntents: _completed_intents,
    AuditHead: audit_head,
    AuditRange: audit_range,
    AuditedEvents: audited_events,
}
