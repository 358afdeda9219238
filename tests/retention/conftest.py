"""A platform whose year passes as fast as it can be written."""

import sqlite3
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from symphainy_platform import Platform, Settings, sweeping


@dataclass
class FakeClock:
    moment: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self):
        return self.moment

    def advance(self, **time):
        self.moment += timedelta(**time)


@pytest.fixture(autouse=True)
def logged():
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(sweeping, "PAUSE", 0)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def opened(tmp_path, clock):
    @asynccontextmanager
    async def open_one(**changes):
        async with Platform.open(Settings(home=tmp_path, **changes), clock=clock) as opened:
            yield opened

    return open_one


@pytest.fixture
def database(tmp_path):
    def rows(sql, *values):
        with closing(sqlite3.connect(tmp_path / "platform.db")) as connection:
            return connection.execute(sql, values).fetchall()

    return rows
