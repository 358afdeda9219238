"""The store suite, bound to Postgres."""

import json

import asyncpg
import pytest

from symphainy_platform.state.postgres.connections import Database
from symphainy_platform.state.postgres.store import PostgresStore
from symphainy_platform.testing.store_suite import StoreSuite


class TestPostgresStore(StoreSuite):
    @pytest.fixture
    def homes(self, request):
        """Tests that migrate by themselves get databases without a schema."""
        return request.getfixturevalue("migrated_databases" if "store" in request.fixturenames else "databases")

    @pytest.fixture
    def store_factory(self, homes):
        return lambda clock, home="main": PostgresStore(Database(homes.url(home)), clock)

    @pytest.fixture
    def read_table(self, homes):
        async def read(table):
            connection = await asyncpg.connect(homes.url("main"))
            rows = [dict(row) for row in await connection.fetch(f"select * from symphainy.{table}")]  # noqa: S608 - of the suite
            await connection.close()
            return [row | {"context": json.loads(row["context"])} for row in rows]

        return read
