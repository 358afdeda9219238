"""Key rings on real stores, and other rings on the same file: what other processes would have. A Supabase project."""

import asyncio
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from supabase_world import EC, ED, RSA, world_of

from symphainy_platform.identity.keyring import KeyRing
from symphainy_platform.settings import Settings
from symphainy_platform.state.sqlite.store import SqliteStore
from symphainy_platform.testing.clock import ManualClock


class CountingStore(SqliteStore):
    """Counts how often the keys were asked for."""

    asked = 0

    async def keys(self):
        self.asked += 1
        await asyncio.sleep(0)  # others are served meanwhile, as with a database elsewhere
        return await super().keys()


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest_asyncio.fixture
async def open_store(home, clock):
    """Open another store object on the one file, as another process would."""
    async with AsyncExitStack() as closing:

        async def opened():
            store = CountingStore(home / "platform.db", clock)
            await store.migrate()
            await store.open()
            closing.push_async_callback(store.close)
            return store

        yield opened


@pytest_asyncio.fixture
async def open_ring(open_store, home, clock):
    """Open another ring on the one file; settings by name."""

    async def opened(**settings):
        return KeyRing(await open_store(), Settings(home=home, **settings), clock)

    return opened


@pytest_asyncio.fixture
async def ring(open_ring):
    return await open_ring()


@pytest_asyncio.fixture
async def world(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with world_of(EC, RSA, ED) as world:
        yield world
