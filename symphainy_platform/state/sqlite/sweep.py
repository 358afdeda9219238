"""One bounded step of a sweep: expired keys, old executions, old events."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from symphainy_platform.context import isoformat
from symphainy_platform.state.rows import to_json
from symphainy_platform.state.sqlite.audit import taken_events
from symphainy_platform.state.sqlite.connection import transaction
from symphainy_platform.state.sqlite.queries import SQL
from symphainy_platform.state.store import Retention, SweepResult


class Sweep:
    """Goes through the executions in the order of their commits, step by step.

    It remembers how far its pass has come, so that executions that must be kept (they stand behind
    a current version, or hold a key) are not looked at again in every step.
    """

    def __init__(self) -> None:
        """Begin a pass at the oldest execution."""
        self._passed = 0

    def step(self, connection: sqlite3.Connection, now: str, retention: Retention, limit: int) -> SweepResult:
        """Take one step in one transaction, at most `limit` rows of each sort."""
        with transaction(connection):
            keys = _release_keys(connection, now, limit)
            executions, looked_at_all = self._delete_executions(connection, now, retention.executions, limit)
            events = _delete_events(connection, _ago(now, retention.outbox), limit)
        more = limit in (keys, events) or not looked_at_all
        return SweepResult(keys=keys, executions=executions, events=events, more=more)

    def _delete_executions(
        self, connection: sqlite3.Connection, now: str, retention: float, limit: int
    ) -> tuple[int, bool]:
        """Return how many were deleted, and whether the pass has come to its end."""
        cutoff = _ago(now, retention)
        rows = connection.execute(SQL["swept_executions"], (now, now, self._passed, limit)).fetchall()
        old = [row for row in rows if row[1] <= cutoff]
        doomed = [rowid for rowid, _, kept in old if not kept]
        connection.execute(SQL["delete_executions"], (to_json(doomed),))
        at_end = len(rows) < limit or not old
        self._passed = 0 if at_end else rows[-1][0]
        return len(doomed), at_end


def _release_keys(connection: sqlite3.Connection, now: str, limit: int) -> int:
    keys = connection.execute(SQL["release_expired_keys"], (now, limit)).rowcount
    return keys + connection.execute(SQL["release_expired_client_keys"], (now, limit - keys)).rowcount


def _delete_events(connection: sqlite3.Connection, cutoff: str, limit: int) -> int:
    """Delete the oldest events, and remember how far: cursors before that have expired.

    The order of commits decides: an event of a clock that ran ahead goes with those that came after it.
    What the audit has not taken stays.
    """
    rows = connection.execute(SQL["oldest_events"], (limit,)).fetchall()
    taken = taken_events(connection)
    old = [event_id for event_id, created_at in rows if created_at <= cutoff and event_id <= taken]
    if not old:
        return 0
    deleted = connection.execute(SQL["delete_events"], (old[-1],)).rowcount
    connection.execute(SQL["set_meta"], (old[-1], "outbox_swept"))
    return deleted


def _ago(now: str, seconds: float) -> str:
    return isoformat(datetime.fromisoformat(now) - timedelta(seconds=seconds))
