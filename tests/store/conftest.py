"""SQLite stores whose connections the tests can reach, to break them on purpose."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import pytest_asyncio

from symphainy_platform.state.sqlite.store import SqliteStore
from symphainy_platform.testing.store_suite import ManualClock

CHILD = Path(__file__).with_name("child.py")


class Connections:
    """The `prepare` of a store: keeps its connections and runs pragmas on new ones."""

    def __init__(self):
        self.pragmas = ["busy_timeout = 100"]
        self.opened = []

    def __call__(self, connection):
        for pragma in self.pragmas:
            connection.execute(f"PRAGMA {pragma}").fetchall()
        self.opened.append(connection)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "platform.db"


@pytest.fixture
def connections():
    return Connections()


@pytest_asyncio.fixture
async def store(path, clock, connections):
    store = SqliteStore(path, clock, prepare=connections)
    await store.migrate()
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def outside(store):
    """A connection of somebody else to the same file."""
    connection = sqlite3.connect(store._file.path, isolation_level=None)
    yield connection
    connection.close()


@pytest.fixture
def child(path):
    """Start child.py on the store's file: child("verb", …) -> Popen; none outlives the test."""
    started = []

    def start(*arguments):
        command = [sys.executable, str(CHILD), str(path), *map(str, arguments)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own script
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()
