"""The audit chains and the appender's position."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import orjson

from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.state.records import AuditEntry, AuditPosition
from symphainy_platform.state.rows import Row, to_json
from symphainy_platform.state.sqlite import cursors
from symphainy_platform.state.sqlite.connection import transaction
from symphainy_platform.state.sqlite.queries import SQL
from symphainy_platform.state.store import AuditedEvents, AuditHead, AuditRange

_POSITION = "audit_position"
_EVERY_EVENT = 2**63 - 1


def read_position(connection: sqlite3.Connection) -> AuditPosition:
    """Answer `audit_position`. Raises DatabaseUnavailable when somebody wrote other things there."""
    row = connection.execute(SQL["meta"], (_POSITION,)).fetchone()
    if row is None:
        return AuditPosition()
    try:
        value = orjson.loads(row[0])
        return AuditPosition(value["cursor"], frozenset(value["types"]))
    except (ValueError, KeyError, TypeError):
        raise DatabaseUnavailable(reason="damaged") from None


def taken_events(connection: sqlite3.Connection) -> int:
    """Return the id of the last event that a sweep may remove: all, until the audit has begun."""
    position = read_position(connection)
    if not position.types:
        return _EVERY_EVENT
    place = cursors.event_place(position.cursor)
    return place[1] if place else 0


def append_entries(
    connection: sqlite3.Connection, entries: Sequence[AuditEntry], after: AuditPosition, upto: AuditPosition
) -> bool:
    """Answer `append_audit`; one transaction."""
    rows = [(each.tenant_id, each.seq, each.event_cursor, each.body, each.digest) for each in entries]
    with transaction(connection):
        if read_position(connection) != after:
            return False
        connection.executemany(SQL["insert_audit"], rows)
        write_position(connection, upto)
    return True


def write_position(connection: sqlite3.Connection, position: AuditPosition) -> None:
    """Set the position, inside a transaction."""
    connection.execute(SQL["put_meta"], (_POSITION, _text(position)))


def read_tenants(connection: sqlite3.Connection, after: str, limit: int) -> list[str]:
    """Answer `audit_tenants`, by one look into the index per tenant."""
    return [tenant for (tenant,) in connection.execute(SQL["audit_tenants"], (after, limit))]


def audit_head(connection: sqlite3.Connection, read: AuditHead) -> AuditEntry | None:
    """Answer an AuditHead."""
    row = connection.execute(SQL["audit_head"], (read.tenant_id,)).fetchone()
    return row and _entry(row)


def audit_range(connection: sqlite3.Connection, read: AuditRange) -> list[AuditEntry]:
    """Answer an AuditRange."""
    rows = connection.execute(SQL["audit_range"], (read.tenant_id, read.first, read.limit))
    return list(map(_entry, rows.fetchall()))


def audited_events(connection: sqlite3.Connection, read: AuditedEvents) -> list[AuditEntry]:
    """Answer an AuditedEvents."""
    rows = connection.execute(SQL["audited_events"], (to_json(read.cursors), read.tenant_id))
    return list(map(_entry, rows.fetchall()))


def _entry(row: Row) -> AuditEntry:
    tenant_id, seq, event_cursor, body, digest = row
    return AuditEntry(tenant_id=tenant_id, seq=seq, event_cursor=event_cursor, body=body, digest=digest)


def _text(position: AuditPosition) -> str:
    return to_json({"cursor": position.cursor, "types": sorted(position.types)})
