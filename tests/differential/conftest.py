"""One platform per store for all sequences: each sequence has a tenant of its own."""

import asyncio
import base64
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import structlog
from drawing import Draws
from lockstep import Lockstep, Side
from servers.supabase_gateway import SECRET_KEY
from stored import InDatabase, InFile

from symphainy_platform import Settings, sweeping
from symphainy_platform.state.postgres.connections import Database
from symphainy_platform.state.postgres.store import PostgresStore
from symphainy_platform.state.sqlite.store import SqliteStore
from symphainy_platform.state.supabase.store import SupabaseStore
from symphainy_platform.testing.clock import ManualClock

_MASTER_KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
_LEAST_MEMORY_KIB = 19_456


def _wait_for_no_disk(connection):
    connection.execute("PRAGMA synchronous = OFF")


@pytest.fixture
def stores(tmp_path, databases, supabase_gateway):
    """One clock, and a store of each kind on it."""
    clock = ManualClock()
    path, name = tmp_path / "platform.db", databases.name("project")
    project = Database(databases.url("project"))
    yield (
        clock,
        [
            Side("sqlite", SqliteStore(path, clock, prepare=_wait_for_no_disk), InFile(path)),
            Side(
                "postgres", PostgresStore(Database(databases.url()), clock), InDatabase(databases.url(user="postgres"))
            ),
            Side(
                "supabase",
                SupabaseStore(supabase_gateway.url(name), SECRET_KEY, clock, migrations=project),
                InDatabase(databases.url("project", user="postgres")),
            ),
        ],
    )
    supabase_gateway.forget(name)


@pytest.fixture
def lockstep(stores, monkeypatch):
    """A platform on each of the stores, to be led through the same steps."""
    clock, sides = stores
    monkeypatch.setattr(sweeping, "PAUSE", 0)
    memory = Path("/dev/shm")  # noqa: S108 - the folder in it has a name of its own
    with (
        TemporaryDirectory(dir=memory if memory.is_dir() else None) as home,
        asyncio.Runner() as runner,
        structlog.testing.capture_logs(),
    ):
        made = Lockstep(runner, sides, clock, Draws(monkeypatch))
        made.open(Settings(home=Path(home), master_key=_MASTER_KEY, password_memory_kib=_LEAST_MEMORY_KIB))
        yield made
        made.close()
