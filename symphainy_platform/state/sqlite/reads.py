"""Answering reads: one function per kind of read, each a bounded, indexed query."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from symphainy_platform.state.answers import ABOVE_EVERY_VERSION, listing_page, listing_query, newest_wording
from symphainy_platform.state.artifact import Artifact, LogEntry
from symphainy_platform.state.cursors import listing_place
from symphainy_platform.state.records import ExecutionRecord
from symphainy_platform.state.rows import artifact_from, execution_from, log_entries_from, to_json
from symphainy_platform.state.sqlite.audit import audit_head, audit_range, audited_events
from symphainy_platform.state.sqlite.queries import SQL
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

Answer = Callable[[sqlite3.Connection, Any], Any]
_ARTIFACT = SQL["artifact"]
_NEWEST = ("~", "")
"""After every (created_at, artifact_id): where a listing starts."""
_LONG = 128
"""From so many log entries on, a read leaves the event loop's thread."""


def is_long(read: Read[Any]) -> bool:
    """Tell whether a read may take longer than a hop to another thread is worth."""
    if isinstance(read, LogRange):
        return read.last - read.first >= _LONG
    if isinstance(read, LogKeys):
        return len(read.keys) > _LONG
    return type(read) not in _POINT_READS


def is_one_statement(read: Read[Any]) -> bool:
    """Tell whether the answer needs no transaction: it is one statement, or its later ones depend on no snapshot.

    Entries that LogKeys has found by their keys never go: their newest wording is what it asks for.
    """
    if isinstance(read, NewestArtifact):
        return len(read.states) == 1
    return not isinstance(read, ArtifactListing)


def answer_read(connection: sqlite3.Connection, read: Read[Any]) -> Any:
    """Answer one read on a connection."""
    return ANSWERS[type(read)](connection, read)


def _artifact_by_id(connection: sqlite3.Connection, read: ArtifactById) -> Artifact | None:
    if read.version is None:
        row = connection.execute(_ARTIFACT, (read.tenant_id, read.artifact_id)).fetchone()
    else:
        place = (read.tenant_id, read.artifact_id, read.version)
        row = connection.execute(SQL["artifact_version"], (*place, *place)).fetchone()
    return row and artifact_from(row)


def _newest_artifact(connection: sqlite3.Connection, read: NewestArtifact) -> Artifact | None:
    of_type = (read.tenant_id, read.user_id, read.artifact_type)
    rows = [connection.execute(SQL["newest_artifact"], (*of_type, state)).fetchone() for state in read.states]
    found = [artifact_from(row) for row in rows if row]
    return max(found, key=lambda artifact: (artifact.created_at, artifact.artifact_id), default=None)


def _artifact_listing(connection: sqlite3.Connection, read: ArtifactListing) -> ArtifactPage:
    name, filters = listing_query(read)
    epoch = connection.execute(SQL["meta"], ("epoch",)).fetchone()[0]
    place = _NEWEST if read.cursor is None else listing_place(epoch, read)
    rows = connection.execute(SQL[name], (*filters, *place, read.limit + 1)).fetchall()
    return listing_page(epoch, read, rows)


def _due_artifacts(connection: sqlite3.Connection, read: DueArtifacts) -> list[Artifact]:
    return list(map(artifact_from, connection.execute(SQL["due_artifacts"], (read.now, read.limit)).fetchall()))


def _artifact_versions(connection: sqlite3.Connection, read: ArtifactVersions) -> tuple[Artifact, ...]:
    before = ABOVE_EVERY_VERSION if read.before is None else read.before
    place = (read.tenant_id, read.artifact_id, before)
    rows = connection.execute(SQL["artifact_versions"], (*place, *place, read.limit))
    return tuple(map(artifact_from, rows.fetchall()))


def _log_range(connection: sqlite3.Connection, read: LogRange) -> list[LogEntry]:
    place = (read.tenant_id, read.artifact_id, read.log, read.generation, read.first, read.last)
    if read.version is None:
        return newest_wording(connection.execute(SQL["log_range"], place).fetchall())
    return newest_wording(connection.execute(SQL["log_range_as_of"], (*place, read.version)).fetchall())


def _log_keys(connection: sqlite3.Connection, read: LogKeys) -> list[LogEntry]:
    place = (read.tenant_id, read.artifact_id, read.log, read.generation)
    seqs = [seq for (seq,) in connection.execute(SQL["log_seqs_of_keys"], (to_json(read.keys), *place)).fetchall()]
    if not seqs:  # new messages, mostly
        return []
    return log_entries_from(connection.execute(SQL["log_entries"], (to_json(seqs), *place)).fetchall())


def _execution_by_id(connection: sqlite3.Connection, read: ExecutionById) -> ExecutionRecord | None:
    return _execution(connection.execute(SQL["execution"], (read.tenant_id, read.execution_id)))


def _execution_by_key(connection: sqlite3.Connection, read: ExecutionByKey) -> ExecutionRecord | None:
    return _execution(connection.execute(SQL["execution_by_key"], (read.tenant_id, read.digest)))


def _execution_by_client_key(connection: sqlite3.Connection, read: ExecutionByClientKey) -> ExecutionRecord | None:
    return _execution(connection.execute(SQL["execution_by_client_key"], (read.tenant_id, read.digest)))


def _execution(cursor: sqlite3.Cursor) -> ExecutionRecord | None:
    row = cursor.fetchone()
    return row and execution_from(row)


def _completed_intents(connection: sqlite3.Connection, read: CompletedIntents) -> frozenset[str]:
    parameters = (to_json(read.intent_types), read.tenant_id, read.user_id)
    return frozenset(intent for (intent,) in connection.execute(SQL["completed_intents"], parameters))


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
_POINT_READS = frozenset(
    {ArtifactById, NewestArtifact, ExecutionById, ExecutionByKey, ExecutionByClientKey, CompletedIntents},
)
