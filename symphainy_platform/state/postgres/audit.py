"""The audit chains and the appender's position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symphainy_platform.state.postgres.driver import Connection
from symphainy_platform.state.postgres.events import place_in
from symphainy_platform.state.postgres.queries import SQL
from symphainy_platform.state.records import AuditEntry, AuditPosition
from symphainy_platform.state.rows import Row, to_json
from symphainy_platform.state.store import AuditedEvents, AuditHead, AuditRange


async def read_position(connection: Connection) -> AuditPosition:
    """Answer `audit_position`."""
    cursor, types = await connection.fetchrow(SQL["audit_position"])
    return AuditPosition(cursor, frozenset(types))


async def append_entries(
    connection: Connection, entries: Sequence[AuditEntry], after: AuditPosition, upto: AuditPosition
) -> bool:
    """Answer `append_audit`; one transaction."""
    moved: bool = await connection.fetchval(
        SQL["append_audit"], to_json(list(map(_written, entries))), _position(after), _position(upto)
    )
    return moved


async def read_tenants(connection: Connection, after: str, limit: int) -> list[str]:
    """Answer `audit_tenants`, by one look into the index per tenant."""
    return [tenant for (tenant,) in await connection.fetch(SQL["audit_tenants"], after, limit)]


async def audit_head(connection: Connection, read: AuditHead, _: bytes) -> AuditEntry | None:
    """Answer an AuditHead."""
    row = await connection.fetchrow(SQL["audit_head"], read.tenant_id)
    return row and _entry(row)


async def audit_range(connection: Connection, read: AuditRange, _: bytes) -> list[AuditEntry]:
    """Answer an AuditRange."""
    return list(map(_entry, await connection.fetch(SQL["audit_range"], read.tenant_id, read.first, read.limit)))


async def audited_events(connection: Connection, read: AuditedEvents, _: bytes) -> list[AuditEntry]:
    """Answer an AuditedEvents."""
    rows = await connection.fetch(SQL["audited_events"], read.tenant_id, list(read.cursors))
    return list(map(_entry, rows))


def _entry(row: Row) -> AuditEntry:
    tenant_id, seq, event_cursor, body, digest = row
    return AuditEntry(tenant_id=tenant_id, seq=seq, event_cursor=event_cursor, body=body, digest=digest)


def _written(entry: AuditEntry) -> dict[str, Any]:
    return {
        "tenant_id": entry.tenant_id,
        "seq": entry.seq,
        "event_cursor": entry.event_cursor,
        "body": entry.body,
        "digest": entry.digest.hex(),
    }


def _position(position: AuditPosition) -> str:
    """The position with the place of its event, so that a sweep can tell what was taken."""
    number, event_id = place_in(position.cursor) or (0, 0)
    return to_json({"cursor": position.cursor, "types": sorted(position.types), "position": number, "id": event_id})
