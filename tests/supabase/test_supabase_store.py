"""The store suite, bound to the Supabase API."""

import json

import asyncpg
import pytest

from symphainy_platform.testing.store_suite import StoreSuite


class TestSupabaseStore(StoreSuite):
    @pytest.fixture
    def store_factory(self, projects):
        return projects.store

    @pytest.fixture
    def read_table(self, databases):
        async def read(table):
            connection = await asyncpg.connect(databases.url("main"))
            rows = [dict(row) for row in await connection.fetch(f"select * from symphainy.{table}")]  # noqa: S608 - of the suite
            await connection.close()
            return [row | {"context": json.loads(row["context"])} for row in rows]

        return read
