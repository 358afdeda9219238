"""The Postgres server of a row, flushing for real, and databases on it that a store has migrated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from symphainy_platform.context import SystemClock
from symphainy_platform.state.postgres.connections import Database, end
from symphainy_platform.state.postgres.store import PostgresStore
from tests.servers.postgres import PostgresServer


@contextmanager
def durable_server(options: Mapping[str, str] | None = None) -> Iterator[PostgresServer]:
    """Run a server with these settings beside its own defaults; it goes away with its data."""
    server = PostgresServer(durable=True, options=dict(options or {}))
    try:
        server.start()
        yield server
    finally:
        server.remove()


def store_on(url: str) -> PostgresStore:
    """Return the store of a database, as production has it."""
    return PostgresStore(Database(url), SystemClock())


async def database(server: PostgresServer, name: str) -> str:
    """Make a database with the platform's tables; returns its URL."""
    connection = await Database(server.url()).connect()
    try:
        await connection.execute(f"create database {name}")
    finally:
        await end(connection)
    store = store_on(server.url(name))
    try:
        await store.migrate()
    finally:
        await store.close()
    return server.url(name)
