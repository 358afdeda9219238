"""Cursors of a copy, of a restored dump, of a server that was started again."""

import asyncpg
import pytest
from servers.postgres import PostgresServer

from symphainy_platform.errors import CursorExpired
from symphainy_platform.state.postgres.connections import Database
from symphainy_platform.state.postgres.events import newest_cursor
from symphainy_platform.state.postgres.migrate import known_steps
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


async def test_a_dump_in_the_same_database_knows_no_event_that_it_lacks(open_store, connect, clock, databases):
    """What `pg_restore --clean` leaves: tables made anew, with the rows of the dump."""
    original = await open_store()
    await emit(original, "a", "b")
    kept = await original.event_cursor()
    beside = await connect(user="postgres")
    await beside.execute(
        "create table outbox as table symphainy.outbox; create table state as table symphainy.outbox_state"
    )
    await emit(original, "lost")
    lost = await original.event_cursor()
    await original.close()
    await beside.execute("""
        create table symphainy.anew (like symphainy.outbox including all);
        insert into symphainy.anew overriding system value table outbox;
        drop table symphainy.outbox;
        alter table symphainy.anew rename to outbox;
        select symphainy.wall_in('outbox');
        delete from symphainy.outbox_state;
        insert into symphainy.outbox_state table state;
        drop table outbox, state;
    """)
    restored = await opened(databases.url(), clock)
    await emit(restored, "new")
    assert await kinds(restored) == ["a", "b", "new"]
    assert await kinds(restored, kept) == ["new"]
    with pytest.raises(CursorExpired):
        await restored.events_after(lost, EventFilter())
    await restored.close()


async def test_a_schema_that_is_migrated_loses_no_cursor(new_store, open_store, connect):
    """The step changes the text of `life`: that begins an epoch, but events keep theirs."""
    steps = [name for name in known_steps() if name < "20261120091100"]
    await new_store().migrate(to=steps[-1])
    beside = await connect(user="postgres")
    await beside.execute("""
        select symphainy.begin_epoch();
        insert into symphainy.outbox
               (position, tenant_id, user_id, execution_id, intent_type, type, payload, created_at)
        values (pg_current_xact_id()::text::bigint, 't', 'u', 'e', 'i', 'old', '{}', now());
    """)
    before = await newest_cursor(beside)
    store = await open_store()
    await emit(store, "new")
    assert await kinds(store) == ["old", "new"]
    assert await kinds(store, before) == ["new"]


async def test_roles_that_know_the_server_and_that_do_not_share_one_life(open_store, connect):
    admin = await connect(user="postgres")
    await admin.execute("revoke execute on function pg_control_system() from public")
    await admin.execute("grant execute on function pg_control_system() to owner")
    try:
        await open_store()
        beside = await connect(user="postgres")
        lives = [await beside.fetchrow("table symphainy.outbox_state")]
        await beside.execute("set role symphainy_app")
        await beside.execute("select symphainy.begin_epoch()")
        await beside.execute("reset role")
        lives.append(await beside.fetchrow("table symphainy.outbox_state"))
        assert lives[0] == lives[1]
    finally:
        await admin.execute("grant execute on function pg_control_system() to public")
