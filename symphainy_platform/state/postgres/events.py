"""Reading the outbox: pages of events in the order of their transactions, and the cursors between them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from symphainy_platform.errors import CursorExpired
from symphainy_platform.state.cursors import decode, encode, not_our_cursor
from symphainy_platform.state.outbox import event_from, page_of, window
from symphainy_platform.state.postgres.driver import Connection
from symphainy_platform.state.postgres.queries import SQL
from symphainy_platform.state.rows import Row
from symphainy_platform.state.store import EventFilter, EventPage

_BEFORE_EVERYTHING = "0"
_EPOCH_BYTES = 8
_NUMBER_BYTES = 8
_CURSOR_BYTES = _EPOCH_BYTES + 2 * _NUMBER_BYTES

Place = tuple[int, int]
"""(position, id) of an event."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """How far the outbox goes in one snapshot: events below `horizon` are complete."""

    horizon: int
    swept: Place
    newest: Place
    starts: Sequence[int]
    epochs: Sequence[bytes]

    def cursor(self, place: Place) -> str:
        """Write the cursor that resumes right after an event."""
        position, event_id = place
        numbers = position.to_bytes(_NUMBER_BYTES, "big") + event_id.to_bytes(_NUMBER_BYTES, "big")
        return encode(self._epoch(position) + numbers)

    def place(self, cursor: str) -> Place:
        """Return the place behind which a cursor resumes, if all that follow are here.

        Raises InvalidParameterValue for what is no cursor, CursorExpired for one that holds no more.
        """
        if cursor == _BEFORE_EVERYTHING:
            return self.swept
        place = place_in(cursor)
        if place is None:
            raise not_our_cursor(cursor)
        if not self.swept <= place <= self.newest or self.cursor(place) != cursor:
            raise CursorExpired
        return place

    def _epoch(self, position: int) -> bytes:
        return self.epochs[max(bisect_left(self.starts, position) - 1, 0)]


def place_in(cursor: str) -> Place | None:
    """Read the place that a cursor names, whatever its epoch; None for what is no cursor of an event."""
    value = decode(cursor)
    if value is None or len(value) != _CURSOR_BYTES:
        return None
    position = int.from_bytes(value[_EPOCH_BYTES:-_NUMBER_BYTES], "big")
    return position, int.from_bytes(value[-_NUMBER_BYTES:], "big")


async def read_outbox(connection: Connection) -> Outbox:
    """Ask how far the outbox goes."""
    horizon, *numbers, epochs = await connection.fetchrow(SQL["outbox_state"])
    swept, newest = (numbers[0], numbers[1]), (numbers[2] or 0, numbers[3] or 0)
    named = [each.split() for each in epochs.split(",")]
    starts, names = [int(start) for start, _ in named], [bytes.fromhex(name) for _, name in named]
    return Outbox(horizon, swept, max(swept, newest), starts, names)


async def newest_cursor(connection: Connection) -> str:
    """Answer `event_cursor`: the cursor after the last complete event."""
    outbox = await read_outbox(connection)
    return outbox.cursor(outbox.newest)


async def read_events(connection: Connection, cursor: str, where: EventFilter, limit: int) -> tuple[EventPage, int]:
    """Answer `events_after`, and the horizon of its snapshot.

    No transaction: what was complete once stays so, and a sweep in between removes only what came
    before events that are still there.
    """
    outbox = await read_outbox(connection)
    after, last = outbox.place(cursor), outbox.newest
    rows, end = page_of(await _rows(connection, where, after, last, window(limit)), where, limit)
    events = tuple(event_from(row, outbox.cursor(_place(row))) for row in rows)
    cursor = outbox.cursor(last if end is None else _place(end))
    return EventPage(events=events, cursor=cursor, more=end is not None), outbox.horizon


def _place(row: Row) -> Place:
    return row[0], row[1]


async def _rows(connection: Connection, where: EventFilter, after: Place, last: Place, window: int) -> list[Row]:
    if after == last:
        return []
    if where.user_id is None or where.tenant_id is None:
        query, owner = SQL["events"], []
    else:
        query, owner = SQL["events_of_user"], [where.tenant_id, where.user_id]
    rows: list[Row] = await connection.fetch(query, *after, *last, window, *owner)
    return rows
