"""Cursors of events: they carry the epoch of their event and its id."""

from __future__ import annotations

from symphainy_platform.state.cursors import decode, encode, not_our_cursor
from symphainy_platform.state.sqlite.epochs import EPOCH_BYTES

_ID_BYTES = 8
_BEFORE_EVERYTHING = "0"


def event_cursor(epoch: bytes, event_id: int) -> str:
    """Write the cursor that resumes right after an event."""
    return encode(epoch + event_id.to_bytes(_ID_BYTES, "big"))


def event_place(cursor: str) -> tuple[bytes, int] | None:
    """Read the epoch and the id of the event that a cursor resumes after; None: before all events.

    Raises InvalidParameterValue for what is no cursor, CursorExpired for one of another sort of store.
    """
    if cursor == _BEFORE_EVERYTHING:
        return None
    value = decode(cursor)
    if value is None or len(value) != EPOCH_BYTES + _ID_BYTES:
        raise not_our_cursor(cursor)
    return value[:EPOCH_BYTES], int.from_bytes(value[EPOCH_BYTES:], "big")
