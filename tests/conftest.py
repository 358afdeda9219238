"""Servers that several folders of tests share: each is started once, when a test first needs it."""

import pytest
from servers.databases import Databases
from servers.postgres import PostgresServer


@pytest.fixture(scope="session")
def postgres_server():
    """An embedded Postgres, for the whole run."""
    server = PostgresServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def databases(postgres_server):
    """Fresh databases for one test, by name."""
    made = Databases(postgres_server)
    yield made
    made.empty()
