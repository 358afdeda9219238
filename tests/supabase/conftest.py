"""Stores on fresh databases behind the Supabase API."""

import asyncpg
import pytest
import pytest_asyncio
from servers.supabase_gateway import SECRET_KEY

from symphainy_platform.state.postgres.connections import Database
from symphainy_platform.state.supabase.store import SupabaseStore
from symphainy_platform.testing.store_suite import ManualClock


class Projects:
    """The databases of one test as Supabase projects."""

    def __init__(self, databases, gateway):
        self.databases = databases
        self._gateway = gateway
        self._used = set()

    def url(self, home="main"):
        database = self.databases.name(home)
        self._used.add(database)
        return self._gateway.url(database)

    def store(self, clock, home="main", url=None):
        """A store on the project, with the direct way to its database for migrations."""
        return SupabaseStore(url or self.url(home), SECRET_KEY, clock, migrations=Database(self.databases.url(home)))

    def forget(self):
        """The schema goes, and the API must not believe in it any more."""
        for database in self._used:
            self._gateway.forget(database)


@pytest.fixture
def projects(databases, supabase_gateway):
    made = Projects(databases, supabase_gateway)
    yield made
    made.forget()


@pytest.fixture
def migrated_projects(migrated_databases, supabase_gateway):
    """Projects that keep their schema for the next test: for those that change only rows."""
    return Projects(migrated_databases, supabase_gateway)


@pytest.fixture
def clock():
    return ManualClock()


@pytest_asyncio.fixture
async def open_store(projects, clock):
    """Open another store on a project of this test, as another process would."""
    opened = []

    async def open_one(home="main", **options):
        store = projects.store(clock, home, **options)
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
async def connect(projects):
    """Connect to the database itself, by default as its owner: connect(user="postgres")."""
    opened = []

    async def connect_one(home="main", **options):
        opened.append(await asyncpg.connect(projects.databases.url(home, **options)))
        return opened[-1]

    yield connect_one
    for connection in opened:
        await connection.close()
