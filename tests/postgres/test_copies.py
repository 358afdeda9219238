"""Cursors of a copy, of a restored dump, of a server that was started again."""

import asyncpg
import pytest
from servers.postgres import PostgresServer

from symphainy_platform.errors import CursorExpired
from symphainy_platform.state.postgres.connections import Database
from symphainy_platform.state.postgres.store import PostgresStore
from symphainy_platform.state.records import Commit
from symphainy_platform.state.store import EventFilter
from symphainy_platform.testing.store_suite.samples import commit_all, event, execution


async def emit(store, *kinds):
    for kind in kinds:
        await commit_all(store, Commit(execution=execution(f"exec_{kind}"), events=(event(kind),)))


async def kinds(store, cursor="0"):
    return [found.type for found in (await store.events_after(cursor, EventFilter())).events]


async def opened(url, clock):
    store = PostgresStore(Database(url), clock)
    await store.migrate()
    await store.open()
    return store


async def copy(databases, connect):
    """Copy the main database to `copied`, within the server."""
    source = databases.name("main")
    admin = await connect("elsewhere", user="postgres")
    await admin.execute("drop database if exists copied with (force)")
    await admin.execute(f"create database copied owner owner template {source}")
    return databases.url_of("copied")


async def test_a_copy_shares_what_it_has_and_refuses_what_only_the_original_has(open_store, clock, connect, databases):
    original = await open_store()
    await emit(original, "a", "b")
    first, second = (await original.events_after("0", EventFilter())).events
    await original.close()
    copied = await opened(await copy(databases, connect), clock)
    original = await open_store()
    await emit(original, "of the original")
    await emit(copied, "of the copy")
    (theirs,) = (await original.events_after(second.cursor, EventFilter())).events
    (ours,) = (await copied.events_after(second.cursor, EventFilter())).events
    assert await kinds(copied, first.cursor) == ["b", "of the copy"]
    for store, foreign in ((copied, theirs), (original, ours)):
        with pytest.raises(CursorExpired):
            await store.events_after(foreign.cursor, EventFilter())
    await copied.close()


async def test_events_go_on_behind_those_of_a_dump_from_a_server_that_was_older(store, connect, clock, databases):
    """Transaction ids of the new server are lower than those in the dump."""
    await emit(store, "a")
    await store.close()
    beside = await connect(user="postgres")
    await beside.execute("update symphainy.outbox set position = position + 1000000000")
    await beside.execute("update symphainy.outbox_state set lineage = 'another server', life = 'another life'")
    restored = await opened(databases.url(), clock)
    (old,) = (await restored.events_after("0", EventFilter())).events
    now = await restored.event_cursor()
    await emit(restored, "b", "c")
    assert await kinds(restored) == ["a", "b", "c"]
    assert await kinds(restored, old.cursor) == await kinds(restored, now) == ["b", "c"]
    await restored.close()


async def test_cursors_outlive_restarts_of_the_server(clock):
    server = PostgresServer()
    try:
        server.start()
        store = await opened(server.url(), clock)
        await emit(store, "a")
        before = await store.event_cursor()
        server.stop()
        server.start()
        await emit(store, "b")
        again = await opened(server.url(), clock)
        assert await kinds(again, before) == ["b"]
        assert await kinds(again) == ["a", "b"]
        connection = await asyncpg.connect(server.url())
        assert await connection.fetchval("select count(*) from symphainy.outbox_epochs") == 2
        await connection.close()
        await store.close()
        await again.close()
    finally:
        server.remove()


async def test_opening_again_begins_no_epoch(open_store, connect):
    for _ in range(3):
        await open_store()
    connection = await connect(user="postgres")
    assert await connection.fetchval("select count(*) from symphainy.outbox_epochs") == 1
