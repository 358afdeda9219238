"""The store suite, bound to the Supabase API."""

import json

import asyncpg
import pytest

from symphainy_platform.testing.store_suite import StoreSuite


class TestSupabaseStore(StoreSuite):
    @pytest.fixture
    def homes(self, request):
        """Tests that migrate by themselves get projects without a schema."""
        return request.getfixturevalue("migrated_projects" if "store" in request.fixturenames else "projects")

    @pytest.fixture
    def store_factory(self, homes):
        return homes.store

    @pytest.fixture
    def read_table(self, homes):
        async def read(table):
            connection = await asyncpg.connect(homes.databases.url("main"))
            rows = [dict(row) for row in await connection.fetch(f"select * from symphainy.{table}")]  # noqa: S608 - of the suite
            await connection.close()
            return [row | {"context": json.loads(row["context"])} for row in rows]

        return read
