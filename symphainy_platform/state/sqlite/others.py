"""Noticing what other processes commit."""

from __future__ import annotations

import sqlite3


class OtherWriters:
    """Asks the writer's connection, because its `data_version` does not count its own commits."""

    def __init__(self) -> None:
        """Nothing has been seen yet: the first answer is True."""
        self._seen: tuple[sqlite3.Connection, int] | None = None

    def have_committed(self, connection: sqlite3.Connection) -> bool:
        """Tell whether another connection committed since the last call.

        A new connection counts from elsewhere, so after a fault the answer is True once.
        """
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        before, self._seen = self._seen, (connection, version)
        return before is None or before[0] is not connection or before[1] != version
