"""The stores that the suites run on. A new store joins with one line in `STORES`."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol

from symphainy_platform.context import Clock
from symphainy_platform.state.sqlite.store import SqliteStore
from symphainy_platform.state.store import Store
from symphainy_platform.testing.state import Row


class StoreBinding(Protocol):
    """What the compliance suite needs of a store beside the port."""

    name: str

    def create(self, folder: Path, clock: Clock) -> Store:
        """A store for this folder, not yet migrated or opened. The same folder is the same database."""

    def dump(self, folder: Path) -> Mapping[str, Sequence[Row]]:
        """Every row of every table, tables named as in 50-stores ("SQL"), by a connection of its own.

        Values are hashable; JSON stays text.
        """


class SqliteBinding:
    """One database file in the folder."""

    name = "sqlite"
    _FILE = "platform.db"

    def create(self, folder: Path, clock: Clock) -> Store:
        """A store on the folder's file."""
        return SqliteStore(folder / self._FILE, clock)

    def dump(self, folder: Path) -> Mapping[str, Sequence[Row]]:
        """Read all tables in one snapshot."""
        with closing(sqlite3.connect(f"file:{folder / self._FILE}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("BEGIN")
            names = [name for (name,) in connection.execute(_TABLES)]
            return {name: [dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')] for name in names}  # noqa: S608 - the names come from the schema


_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"

STORES: tuple[StoreBinding, ...] = (SqliteBinding(),)
"""Every store that is configured; the suite runs whole on each of them."""
