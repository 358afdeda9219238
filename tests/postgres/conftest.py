"""Stores on fresh databases of the embedded server."""

import asyncpg
import pytest
import pytest_asyncio
from postgres_writers import Writer

from symphainy_platform.state.postgres.connections import Database
from symphainy_platform.state.postgres.store import PostgresStore
from symphainy_platform.testing.store_suite import ManualClock


@pytest.fixture
def clock():
    return ManualClock()


@pytest_asyncio.fixture
async def new_store(databases, clock):
    """Make another store on a database of this test, neither migrated nor opened: new_store("main")."""
    made = []

    def make(home="main", *, user="owner", **options):
        made.append(PostgresStore(Database(databases.url(home, user), **options), clock))
        return made[-1]

    yield make
    for store in made:
        await store.close()


@pytest_asyncio.fixture
async def open_store(new_store):
    """Open another store on a database of this test, as another process would: open_store("main")."""

    async def open_one(home="main", **options):
        store = new_store(home, **options)
        await store.migrate()
        await store.open()
        return store

    return open_one


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
