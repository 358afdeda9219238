"""Cursors of events over restarts, copies, restored backups, and a file of the first schema."""

import base64
import sqlite3
from contextlib import asynccontextmanager, closing

import pytest

from symphainy_platform.errors import CursorExpired
from symphainy_platform.state.sqlite.migrate import known_steps
from symphainy_platform.state.sqlite.store import SqliteStore
from symphainy_platform.state.store import EventFilter, Retention
from symphainy_platform.testing.store_suite.samples import commit_all, everything

ALL = EventFilter()


@asynccontextmanager
async def opened(path, clock):
    store = SqliteStore(path, clock)
    await store.migrate()
    await store.open()
    yield store
    await store.close()


async def write(store, *names):
    """One commit with one event each; return the cursors of these events."""
    start = await store.event_cursor()
    await commit_all(store, *(everything(f"exec_{name}", name) for name in names))
    return [event.cursor for event in (await store.events_after(start, ALL)).events]


async def seen(store, cursor):
    return [event.artifact_id for event in (await store.events_after(cursor, ALL)).events]


def copy(path, to):
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)


async def test_restart_keeps_every_cursor(path, clock):
    async with opened(path, clock) as store:
        start = await store.event_cursor()
        before = [start, *(await write(store, "a", "b"))]
    async with opened(path, clock) as store:
        assert await seen(store, before[-1]) == []
        await write(store, "c")
    async with opened(path, clock) as store:
        assert [await seen(store, cursor) for cursor in before] == [["a", "b", "c"], ["b", "c"], ["c"]]
        assert await seen(store, "0") == ["a", "b", "c"]


async def test_restored_backup_refuses_cursors_of_events_that_it_lacks(path, clock):
    backup = path.with_name("backup.db")
    async with opened(path, clock) as store:
        kept = await write(store, "a")
        copy(path, backup)
        lost = await write(store, "b", "c")
    async with opened(backup, clock) as store:
        new = await write(store, "d", "e", "f")
        for cursor in lost:
            with pytest.raises(CursorExpired):
                await store.events_after(cursor, ALL)
        assert await seen(store, kept[0]) == ["d", "e", "f"]
        assert await seen(store, new[0]) == ["e", "f"]


async def test_backup_of_a_store_that_had_just_started(path, clock):
    backup = path.with_name("backup.db")
    async with opened(path, clock) as store:
        await write(store, "a")
    async with opened(path, clock) as store:
        start = await store.event_cursor()
        copy(path, backup)
        lost = await write(store, "b")
    async with opened(backup, clock) as store:
        await write(store, "c")
        assert await seen(store, start) == ["c"]
        with pytest.raises(CursorExpired):
            await store.events_after(lost[0], ALL)


async def test_original_goes_on_beside_its_copy(path, clock):
    async with opened(path, clock) as store:
        await write(store, "a")
        copy(path, path.with_name("copy.db"))
        async with opened(path.with_name("copy.db"), clock) as other:
            foreign = await write(other, "b")
        own = await write(store, "c")
        assert await seen(store, own[0]) == []
        with pytest.raises(CursorExpired):
            await store.events_after(foreign[0], ALL)


async def test_second_process_that_starts_leaves_cursors_as_they_are(path, clock):
    async with opened(path, clock) as store:
        first = await write(store, "a")
        async with opened(path, clock) as second:
            start = await second.event_cursor()
            await write(store, "b")
            await write(second, "c")
            assert [await seen(each, cursor) for each in (store, second) for cursor in (*first, start)] == [
                ["b", "c"]
            ] * 4


async def test_epochs_do_not_pile_up(path, clock):
    for number in range(5):
        async with opened(path, clock):
            pass
        async with opened(path, clock) as store:
            await write(store, f"a{number}")
    assert epochs_of(path) == [-1, 0, 1, 2, 3, 4]
    async with opened(path, clock) as store:
        last = (await store.events_after("0", ALL)).events[-1].cursor
        await store.sweep("2100-01-01T00:00:00.000000Z", Retention(executions=1, outbox=1))
    async with opened(path, clock) as store:
        assert epochs_of(path) == [4, 5]
        assert await seen(store, last) == []
        await write(store, "b")
        assert await seen(store, last) == await seen(store, "0") == ["b"]


def epochs_of(path):
    with closing(sqlite3.connect(path)) as connection:
        return [after for (after,) in connection.execute("SELECT after_id FROM outbox_epochs ORDER BY 1")]


async def test_file_of_the_first_schema_keeps_its_cursors(path, clock):
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(known_steps()["0001_initial"])
        connection.execute("INSERT INTO schema_migrations VALUES ('0001_initial', '')")
        connection.execute(
            "INSERT INTO outbox VALUES (7, 't1', 'ann', 'exec_0', 'intent', 'old', NULL, '{}', '2026-01-01T00:00:00Z')"
        )
        (epoch,) = connection.execute("SELECT value FROM meta WHERE name = 'epoch'").fetchone()
        connection.commit()
    given = base64.urlsafe_b64encode(epoch[:8] + (7).to_bytes(8, "big")).rstrip(b"=").decode()
    async with opened(path, clock) as store:
        assert await store.event_cursor() == given
        await write(store, "a")
        assert await seen(store, given) == ["a"]
