"""Servers that several folders of tests share: each is started once, when a test first needs it."""

import asyncio

import asyncpg
import pytest
from argon2 import PasswordHasher
from servers.databases import Databases
from servers.postgres import PostgresServer
from servers.supabase_gateway import ROLES, SupabaseGateway

from symphainy_platform.realms.security import passwords


@pytest.fixture
def cheap_hashes(monkeypatch):
    """Hashes that cost nothing, for suites that make hundreds of them and look at something else."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda _: hasher)


@pytest.fixture(scope="session")
def postgres_server():
    """An embedded Postgres, for the whole run."""
    server = PostgresServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def databases(postgres_server):
    """Fresh databases for one test, by name, without a schema."""
    made = Databases(postgres_server)
    yield made
    made.empty()


@pytest.fixture
def migrated_databases(postgres_server):
    """The same with the schema of the store, once a store has migrated them."""
    made = Databases(postgres_server, migrated=True)
    yield made
    made.empty()


@pytest.fixture(scope="session")
def supabase_gateway(postgres_server):
    """The Supabase API over all databases of the embedded Postgres, for the whole run."""
    asyncio.run(_make_roles(postgres_server.url()))
    gateway = SupabaseGateway(postgres_server.url("", "gateway").rstrip("/"))
    gateway.start()
    yield gateway
    gateway.stop()


async def _make_roles(url):
    connection = await asyncpg.connect(url)
    await connection.execute(ROLES)
    await connection.close()
