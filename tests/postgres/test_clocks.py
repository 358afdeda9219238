"""Windows are the database's, whatever the clock of a process shows."""

import pytest
import pytest_asyncio
from sql_stores.clocks import Clocks

from symphainy_platform.state.postgres.connections import Database
from symphainy_platform.state.postgres.store import PostgresStore


@pytest.fixture
def store_with(databases):
    return lambda clock: PostgresStore(Database(databases.url()), clock)


@pytest_asyncio.fixture
async def beside(connect):
    async def execute(statement):
        await (await connect(user="postgres")).execute(statement)

    return execute


class TestClocks(Clocks):
    pass
