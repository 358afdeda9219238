"""Windows are the database's, whatever the clock of a process shows, through the API as well."""

import asyncpg
import pytest
import pytest_asyncio
from sql_stores.clocks import Clocks


@pytest.fixture
def store_with(projects):
    return projects.store


@pytest_asyncio.fixture
async def beside(projects):
    async def execute(statement):
        connection = await asyncpg.connect(projects.databases.url(user="postgres"))
        await connection.execute(statement)
        await connection.close()

    return execute


class TestClocks(Clocks):
    pass
