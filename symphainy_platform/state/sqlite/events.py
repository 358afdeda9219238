"""Reading the outbox: pages of events in commit order, and the cursors between them."""

from __future__ import annotations

import sqlite3
from typing import Any

import orjson

from symphainy_platform.state.records import PublishedEvent
from symphainy_platform.state.sqlite import cursors
from symphainy_platform.state.sqlite.queries import SQL
from symphainy_platform.state.sqlite.rows import Row
from symphainy_platform.state.store import EventFilter, EventPage

_LOOKED_AT = 1000
"""Rows that one page looks at, at the least: bounds a page whose filter matches few of them."""


def highest_event(connection: sqlite3.Connection) -> int:
    """Return the highest id that an event was ever given; 0 before the first."""
    row = connection.execute(SQL["highest_event"]).fetchone()
    return row[0] if row else 0


def read_events(connection: sqlite3.Connection, cursor: str, where: EventFilter, limit: int) -> EventPage:
    """Answer `events_after` inside a snapshot."""
    epoch, swept, highest = _meta(connection, "epoch"), _meta(connection, "outbox_swept"), highest_event(connection)
    after = cursors.event_id(epoch, cursor, swept=swept, highest=highest)
    window = max(limit, _LOOKED_AT)
    rows = _rows(connection, where, after, highest, window)
    found = [row for row in rows if _matches(row, where)]
    if more := len(found) > limit or len(rows) == window:
        highest = found[limit - 1][0] if len(found) >= limit else rows[-1][0]
    return EventPage(
        events=tuple(_published(epoch, row) for row in found[:limit]),
        cursor=cursors.event_cursor(epoch, highest),
        more=more,
    )


def _meta(connection: sqlite3.Connection, name: str) -> Any:
    return connection.execute(SQL["meta"], (name,)).fetchone()[0]


def _rows(connection: sqlite3.Connection, where: EventFilter, after: int, highest: int, window: int) -> list[Row]:
    if where.user_id is None:
        return connection.execute(SQL["events"], (after, highest, window)).fetchall()
    return connection.execute(
        SQL["events_of_user"], (where.tenant_id, where.user_id, after, highest, window)
    ).fetchall()


def _matches(row: Row, where: EventFilter) -> bool:
    _, tenant_id, user_id, _, _, kind, artifact_id, *_ = row
    return (
        where.tenant_id in (None, tenant_id)
        and where.user_id in (None, user_id)
        and where.type in (None, kind)
        and where.artifact_id in (None, artifact_id)
    )


def _published(epoch: bytes, row: Row) -> PublishedEvent:
    event_id, tenant_id, user_id, execution_id, intent_type, kind, artifact_id, payload, created_at = row
    return PublishedEvent(
        cursor=cursors.event_cursor(epoch, event_id),
        tenant_id=tenant_id,
        user_id=user_id,
        execution_id=execution_id,
        intent_type=intent_type,
        type=kind,
        artifact_id=artifact_id,
        payload=orjson.loads(payload),
        created_at=created_at,
    )
