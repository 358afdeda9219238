"""Stores on fresh databases of the embedded server."""

import asyncpg
import pytest
import pytest_asyncio
from writers import Writer

from symphainy_platform.state.postgres.connections import Database
from symphainy_platform.state.postgres.store import PostgresStore
from symphainy_platform.testing.store_suite import ManualClock


@pytest.fixture
def clock():
    return ManualClock()


@pytest_asyncio.fixture
async def open_store(databases, clock):
    """Open another store on a database of this test, as another process would: open_store("main")."""
    opened = []

    async def open_one(home="main", **options):
        store = PostgresStore(Database(databases.url(home), **options), clock)
        await store.migrate()
        await store.open()
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        await store.close()


@pytest_asyncio.fixture
async def store(open_store):
    return await open_store()


@pytest_asyncio.fixture
async def connect(databases):
    """Connect beside the stores, by default as the owner of the database: connect(user="postgres")."""
    opened = []

    async def connect_one(home="main", **options):
        opened.append(await asyncpg.connect(databases.url(home, **options)))
        return opened[-1]

    yield connect_one
    for connection in opened:
        await connection.close()


@pytest_asyncio.fixture
async def writer(store, connect):
    """Somebody whose transaction stays open until it is told to commit."""
    return Writer(await connect(), store._committer.tables)
