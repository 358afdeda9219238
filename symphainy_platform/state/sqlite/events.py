"""Reading the outbox: pages of events in commit order, and the cursors between them."""

from __future__ import annotations

import sqlite3

from symphainy_platform.errors import CursorExpired
from symphainy_platform.state.outbox import event_from, page_of, window
from symphainy_platform.state.rows import Row
from symphainy_platform.state.sqlite import cursors
from symphainy_platform.state.sqlite.epochs import Epochs, highest_event
from symphainy_platform.state.sqlite.queries import SQL
from symphainy_platform.state.store import EventFilter, EventPage


def newest_cursor(connection: sqlite3.Connection) -> str:
    """Answer `event_cursor`: the cursor after the last event, inside a snapshot."""
    highest = highest_event(connection)
    return cursors.event_cursor(Epochs(connection, highest).of(highest), highest)


def read_events(connection: sqlite3.Connection, cursor: str, where: EventFilter, limit: int) -> EventPage:
    """Answer `events_after` inside a snapshot."""
    highest = highest_event(connection)
    after = _place(connection, cursor, highest)
    epochs = Epochs(connection, after)
    rows, end = page_of(_rows(connection, where, after, highest, window(limit)), where, limit)
    events = tuple(event_from(row, _cursor(epochs, row[0])) for row in rows)
    return EventPage(events=events, cursor=_cursor(epochs, highest if end is None else end[0]), more=end is not None)


def _cursor(epochs: Epochs, event_id: int) -> str:
    return cursors.event_cursor(epochs.of(event_id), event_id)


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
