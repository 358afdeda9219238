"""Epochs: which start of the store gave an event its id.

Ids alone are no cursor: a restored backup gives the ids of the events that it lacks once more. So
every start begins an epoch, cursors name the epoch of their event, and one whose event this file
never had is told from its own.
"""

from __future__ import annotations

import secrets
import sqlite3
from bisect import bisect_left

from symphainy_platform.state.sqlite.connection import transaction
from symphainy_platform.state.sqlite.queries import SQL

EPOCH_BYTES = 8


class Epochs:
    """The epochs from one event on."""

    def __init__(self, connection: sqlite3.Connection, first: int) -> None:
        """Read those of the event `first` (0: of the place before all events) and of all later ones."""
        rows = connection.execute(SQL["epochs"], (first,)).fetchall()
        self._after = [after for after, _ in rows]
        self._names: list[bytes] = [name for _, name in rows]

    def of(self, event_id: int) -> bytes:
        """Return the epoch of an event, `first` or later."""
        return self._names[max(bisect_left(self._after, event_id) - 1, 0)]


def highest_event(connection: sqlite3.Connection) -> int:
    """Return the highest id that an event was ever given; 0 before the first."""
    row = connection.execute(SQL["highest_event"]).fetchone()
    return row[0] if row else 0


def begin_epoch(connection: sqlite3.Connection) -> None:
    """Begin the epoch of the events to come, for all processes on the file."""
    with transaction(connection):
        highest = highest_event(connection)
        connection.execute(SQL["end_epochs"], (highest,))
        connection.execute(SQL["begin_epoch"], (highest, secrets.token_bytes(EPOCH_BYTES)))
        connection.execute(SQL["forget_epochs"])
