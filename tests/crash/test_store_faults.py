"""A full, read-only, locked or damaged database: a code or a clear refusal, nothing lost, and recovery."""

import asyncio
import sqlite3
from contextlib import asynccontextmanager, closing

import pytest

from symphainy_platform import Identity, IntentError, Platform, Settings, StartError
from symphainy_platform.context import SystemClock
from symphainy_platform.state.sqlite.store import SqliteStore

ANN = Identity("t1", "ann")


class Disk:
    """Every connection of the store, and what is wrong with the disk at present."""

    def __init__(self):
        self._connections = []
        self._pragma = "PRAGMA busy_timeout = 10"

    def prepare(self, connection):
        connection.execute("PRAGMA busy_timeout = 10")
        connection.execute(self._pragma)
        self._connections.append(connection)

    def becomes(self, pragma):
        self._pragma = pragma
        for connection in list(self._connections):
            try:
                connection.execute(pragma)
            except sqlite3.ProgrammingError:  # the store has closed it
                self._connections.remove(connection)


def full(disk, file):
    with closing(sqlite3.connect(file)) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    disk.becomes(f"PRAGMA max_page_count = {pages}")
    return lambda: disk.becomes("PRAGMA max_page_count = 1000000")


def read_only(disk, _):
    disk.becomes("PRAGMA query_only = ON")
    return lambda: disk.becomes("PRAGMA query_only = OFF")


def locked(_, file):
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other.close


FAULTS = {"full": full, "read_only": read_only, "locked": locked}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "platform.db"


@asynccontextmanager
async def opened(file, disk=None):
    prepare = disk.prepare if disk else None
    store = SqliteStore(file, SystemClock(), prepare=prepare)
    async with Platform.open(Settings(home=file.parent), store=store) as platform:
        yield platform


def update(platform, number, key=None, size=20_000):
    return platform.submit_intent(
        "update_chat_context",
        {"context_updates": {f"k{number}": "x" * size}, "history_limit": 0},
        identity=ANN,
        idempotency_key=key,
    )


def rows(file, sql):
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.parametrize(("reason", "fault"), FAULTS.items(), ids=FAULTS)
async def test_a_write_that_cannot_be_stored_has_a_code_and_succeeds_later(file, reason, fault):
    disk = Disk()
    async with opened(file, disk) as platform:
        session = await platform.submit_intent("initialize_chat_session", {}, identity=ANN)
        await update(platform, 1)
        mend = fault(disk, file)
        for _ in range(2):
            with pytest.raises(IntentError) as refused:
                await update(platform, 2, "key", size=200_000)
            assert refused.value.code == "DATABASE_UNAVAILABLE"
            assert (refused.value.http_status, refused.value.retryable) == (503, True)
            assert refused.value.details["reason"] == reason
            assert str(file) not in str(refused.value.to_dict())
        read = await platform.submit_intent("get_chat_session", {}, identity=ANN)
        assert list(read.artifacts["chat_session"]["semantic_payload"]["context"]) == ["k1"]
        assert (await platform.read.execution(session.execution_id, identity=ANN))["status"] == "completed"
        mend()
        assert not (await update(platform, 2, "key", size=200_000)).idempotent_replay
        assert (await update(platform, 2, "key", size=200_000)).idempotent_replay
    assert rows(file, "SELECT version FROM artifacts") == [(3,)]
    assert rows(file, "SELECT count(*) FROM outbox") == [(3,)]


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_many_at_once_are_each_refused_or_done(file, fault):
    disk = Disk()
    async with opened(file, disk) as platform:
        await platform.submit_intent("initialize_chat_session", {}, identity=ANN)
        mend = fault(disk, file)
        calls = [update(platform, n, f"key{n}", size=100_000) for n in range(10)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert {getattr(result, "code", "fine") for result in results} <= {"fine", "DATABASE_UNAVAILABLE"}
        mend()
        await asyncio.gather(*(update(platform, n, f"key{n}", size=100_000) for n in range(10)))
    assert rows(file, "SELECT version FROM artifacts") == [(11,)]


async def test_health_and_sweep_have_words_for_a_fault(file):
    disk = Disk()
    async with opened(file, disk) as platform:
        assert (await platform.health()).ready
        mend = locked(disk, file)
        with pytest.raises(IntentError) as refused:
            await platform.sweep()
        assert refused.value.code == "DATABASE_UNAVAILABLE"
        mend()
        await platform.sweep()


def not_a_database(file):
    file.write_bytes(b"these are no pages of a database" * 400)


def torn_header(file):
    file.write_bytes(b"XXXX" + file.read_bytes()[4:])


def cut_short(file):
    file.write_bytes(file.read_bytes()[:5000])


def a_folder(file):
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("damage", [not_a_database, torn_header, cut_short, a_folder], ids=lambda case: case.__name__)
async def test_a_file_that_cannot_be_used_is_refused_with_a_sentence(file, damage):
    async with opened(file) as platform:
        await platform.submit_intent("initialize_chat_session", {}, identity=ANN)
    damage(file)
    with pytest.raises(StartError) as refused:
        async with opened(file):
            pass
    assert str(file) in str(refused.value)


async def test_damage_inside_is_refused_at_the_start_or_has_a_code(file):
    async with opened(file) as platform:
        await platform.submit_intent("initialize_chat_session", {}, identity=ANN)
        for number in range(20):
            await update(platform, number)
    content = file.read_bytes()
    middle = len(content) // 2
    file.write_bytes(content[:middle] + b"\xff" * (len(content) - middle))
    with pytest.raises((StartError, IntentError)) as refused:
        async with opened(file) as platform:
            await platform.submit_intent("get_chat_session", {}, identity=ANN)
    assert getattr(refused.value, "code", "start") in {"start", "DATABASE_UNAVAILABLE"}
