"""A store with events, the audit over it, and somebody who has the file open behind its back."""

import sqlite3
from contextlib import closing

import pytest
import pytest_asyncio
import structlog

from symphainy_platform.runtime.audit import Audit
from symphainy_platform.state.records import Commit
from symphainy_platform.state.sqlite.store import SqliteStore
from symphainy_platform.testing.store_suite import ManualClock
from symphainy_platform.testing.store_suite.samples import commit_all, event, execution

TYPES = frozenset({"signed_in", "signed_out"})


@pytest.fixture(autouse=True)
def logged():
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "platform.db"


@pytest_asyncio.fixture
async def store(path, clock):
    store = SqliteStore(path, clock)
    await store.migrate()
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def audit(store):
    return Audit(store, TYPES)


@pytest.fixture
def emit(store):
    """Commit events of these types, each by an execution of its own."""
    made = []

    async def commit(*types, tenant="acme", **payload):
        commits = []
        for kind in types:
            made.append(kind)
            record = execution(f"exec_{len(made)}", tenant_id=tenant)
            commits.append(Commit(execution=record, events=(event(kind, n=len(made), **payload),)))
        await commit_all(store, *commits)

    return commit


@pytest.fixture
def tamper(path):
    """Run a statement on the file, as somebody who may write it could."""

    def run(statement, *values):
        with closing(sqlite3.connect(path)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    return run
