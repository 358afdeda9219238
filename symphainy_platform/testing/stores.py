"""The stores that the suites run on. A new store joins with one line in `STORES`."""

from __future__ import annotations

import os
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

    def remove(self, folder: Path) -> None:
        """The folder's database is not needed any more; its stores are closed."""


class SqliteBinding:
    """One database file in the folder."""

    name = "sqlite"
    _FILE = "platform.db"

    def create(self, folder: Path, clock: Clock) -> Store:
        """A store on the folder's file, which waits for no disk: the suite ends no machine."""
        return SqliteStore(folder / self._FILE, clock, prepare=_wait_for_no_disk)

    def dump(self, folder: Path) -> Mapping[str, Sequence[Row]]:
        """Read all tables in one snapshot."""
        with closing(sqlite3.connect(f"file:{folder / self._FILE}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("BEGIN")
            names = [name for (name,) in connection.execute(_TABLES)]
            return {name: [dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')] for name in names}  # noqa: S608 - the names come from the schema

    def remove(self, folder: Path) -> None:
        """Do nothing: the file goes with its folder."""


def _wait_for_no_disk(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA synchronous = OFF")


_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"

DATABASE_URL = "SYMPHAINY_TEST_DATABASE_URL"
"""Names a Postgres server whose user may make databases: the suites then run on it, too."""


def configured_stores() -> tuple[StoreBinding, ...]:
    """Every store that is configured; the suite runs whole on each of them."""
    if (url := os.environ.get(DATABASE_URL)) is None:
        return (SqliteBinding(),)
    from symphainy_platform.testing.postgres import PostgresBinding  # noqa: PLC0415 - asyncpg is an extra

    return (SqliteBinding(), PostgresBinding(url))


STORES = configured_stores()
"""What is configured when the suite is loaded."""
