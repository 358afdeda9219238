"""A platform on a real SQLite file with a clock that only the test moves, and a realm that it may script."""

import sqlite3
from contextlib import asynccontextmanager, closing

import notebook_realm
import pytest
import structlog
from notebook_realm import presenting, script
from notebook_realm.proving import PROVE
from runtime_callers import ANN, BOB, Caller, FakeClock

from symphainy_platform import Platform, Settings


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path)


@pytest.fixture
def opened(settings, clock):
    """Opens a platform (another process, as far as the store can tell) on the test's file."""

    @asynccontextmanager
    async def open_one(**changes):
        with_changes = settings.model_copy(update=changes)
        async with Platform.open(with_changes, clock=clock, plugins=[notebook_realm]) as platform:
            yield platform

    return open_one


@pytest.fixture
async def platform(opened):
    async with opened() as platform:
        yield platform


@pytest.fixture
def ann(platform):
    return Caller(platform, ANN)


@pytest.fixture
def bob(platform):
    return Caller(platform, BOB)


@pytest.fixture
def scripted(monkeypatch):
    """Puts another decision in the place of a service's own."""

    def put(intent, decide):
        monkeypatch.setitem(script.DECIDE, intent, decide)

    return put


@pytest.fixture
def shown(monkeypatch):
    """Puts another presenter in the place of the notes' own."""
    return lambda show: monkeypatch.setitem(presenting.SHOW, "note", show)


@pytest.fixture
def database(tmp_path):
    """Answers SQL from the test's file, on a connection of its own."""

    def rows(sql, *values):
        with closing(sqlite3.connect(tmp_path / "platform.db")) as connection:
            return connection.execute(sql, values).fetchall()

    return rows


@pytest.fixture(autouse=True)
def logged():
    """What was logged, as data; nothing is written to the terminal."""
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture
def proving(monkeypatch):
    """Puts another proof in the place of the notebook's own."""
    return lambda prove: monkeypatch.setitem(PROVE, "note_pass", prove)


@pytest.fixture
def asked(monkeypatch):
    """Puts another answer to `may the stored answer still be given?` in the place of yes."""
    return lambda answer: monkeypatch.setitem(script.ASKED, "still_open", answer)


@pytest.fixture
def anybody(platform):
    """Somebody who has not said who it is."""
    return Caller(platform, None)
