"""The store suite, bound to SQLite."""

import asyncio
import json
import sqlite3

import pytest

from symphainy_platform.state.sqlite.store import SqliteStore
from symphainy_platform.testing.store_suite import StoreSuite


class TestSqliteStore(StoreSuite):
    @pytest.fixture
    def store_factory(self, tmp_path):
        return lambda clock, home="main": SqliteStore(tmp_path / f"{home}.db", clock)

    @pytest.fixture
    def read_table(self, tmp_path):
        def read(table):
            connection = sqlite3.connect(tmp_path / "main.db")
            connection.row_factory = sqlite3.Row
            rows = [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]  # noqa: S608 - of the suite
            connection.close()
            return [row | {"context": json.loads(row["context"])} for row in rows]

        return lambda table: asyncio.to_thread(read, table)
