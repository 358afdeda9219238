"""Reading the outbox: pages of events in commit order, and the cursors between them."""

from __future__ import annotations

import sqlite3

import orjson

from symphainy_platform.errors import CursorExpired
from symphainy_platform.state.records import PublishedEvent
from symphainy_platform.state.rows import Row
from symphainy_platform.state.sqlite import cursors
from symphainy_platform.state.sqlite.epochs import Epochs, highest_event
from symphainy_platform.state.sqlite.queries import SQL
from symphainy_platform.state.store import EventFilter, EventPage

_LOOKED_AT = 1000
"""Rows that one page looks at, at the least: bounds a page whose filter matches few of them."""


def newest_cursor(connection: sqlite3.Connection) -> str:
    """Answer `event_cursor`: the cursor after the last event, inside a snapshot."""
    highest = highest_event(connection)
    return cursors.event_cursor(Epochs(connection, highest).of(highest), highest)


def read_events(connection: sqlite3.Connection, cursor: str, where: EventFilter, limit: int) -> EventPage:
    """Answer `events_after` inside a snapshot."""
    highest = highest_event(connection)
    after = _place(connection, cursor, highest)
    epochs = Epochs(connection, after)
    window = max(limit, _LOOKED_AT)
    rows = _rows(connection, where, after, highest, window)
    found = [row for row in rows if _matches(row, where)]
    if more := len(found) > limit or len(rows) == window:
        highest = found[limit - 1][0] if len(found) >= limit else rows[-1][0]
    return EventPage(
        events=tuple(_published(epochs, row) for row in found[:limit]),
        cursor=cursors.event_cursor(epochs.of(highest), highest),
        more=more,
    )


def _place(connection: sqlite3.Connection, cursor: str, highest: int) -> int:
    """Return the id of the event behind which a cursor resumes, if all that follow are here."""
    swept: int = connection.execute(SQL["meta"], ("outbox_swept",)).fetchone()[0]
    place = cursors.event_place(cursor)
    if place is None:
        return swept
    epoch, event_id = place
    if not swept <= event_id <= highest or Epochs(connection, event_id).of(event_id) != epoch:
        raise CursorExpired
    return event_id


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


def _published(epochs: Epochs, row: Row) -> PublishedEvent:
    event_id, tenant_id, user_id, execution_id, intent_type, kind, artifact_id, payload, created_at = row
    return PublishedEvent(
        cursor=cursors.event_cursor(epochs.of(event_id), event_id),
        tenant_id=tenant_id,
        user_id=user_id,
        execution_id=execution_id,
        intent_type=intent_type,
        type=kind,
        artifact_id=artifact_id,
        payload=orjson.loads(payload),
        created_at=created_at,
    )
