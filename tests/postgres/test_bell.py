"""Hearing of other processes' commits: soon, seldom, and again after a lost connection."""

import asyncio

import pytest

from symphainy_platform.state.postgres.bell import Bell
from symphainy_platform.state.postgres.connections import Connections, Database, Lane
from symphainy_platform.testing.store_suite.samples import commit_all, everything, writing


@pytest.fixture
def heard():
    return asyncio.Event()


@pytest.fixture
async def listening(open_store, heard):
    store = await open_store()
    store.on_change(heard.set)
    await store.changed_elsewhere()
    return store


async def soon(event):
    async with asyncio.timeout(5):
        await event.wait()
    event.clear()


async def test_a_commit_of_another_process_is_heard(listening, open_store, heard):
    other = await open_store()
    for n in range(3):
        await commit_all(other, everything(f"exec_{n}", f"a{n}"))
        await soon(heard)
    assert await listening.changed_elsewhere()


async def test_own_commits_are_not_heard(listening, open_store, heard):
    await commit_all(listening, everything())
    await listening._bell._ringing
    assert not heard.is_set()
    await commit_all(await open_store(), everything("exec_2", "a2"))
    await soon(heard)


async def test_commits_without_events_ring_for_nobody(store):
    await commit_all(store, writing("exec_1"))
    assert store._bell._ringing is None


async def test_many_commits_ring_seldom(store, connect):
    rings = []
    outside = await connect()
    await outside.add_listener("symphainy_outbox", lambda *_: rings.append(1))
    begun = asyncio.get_running_loop().time()
    for n in range(50):
        await commit_all(store, everything(f"exec_{n}", f"a{n}"))
    await store._bell._ringing
    await outside.fetchval("select 1")
    taken = asyncio.get_running_loop().time() - begun
    assert 1 <= len(rings) <= taken / 0.02 + 1


async def test_a_lost_connection_is_made_anew(listening, open_store, connect, heard):
    admin = await connect(user="postgres")
    await admin.execute(
        """select pg_terminate_backend(pid) from pg_stat_activity
            where query like 'LISTEN%' and datname = current_database()"""
    )
    while not listening._bell._connection.is_closed():
        await admin.fetchval("select 1")
    listening._bell._not_before = 0.0
    await listening.changed_elsewhere()
    await commit_all(await open_store(), everything())
    await soon(heard)


async def test_a_database_that_is_away_does_not_hold_anybody_up():
    away = Database("postgresql://x@127.0.0.1:1/x")
    bell = Bell(away, Lane(Connections(away, lambda _: None), 1))
    bell.listen(lambda: None)
    bell.ring()
    await bell.keep_listening()
    await bell._ringing
    await bell.close()
    await bell.close()


async def test_a_pooled_store_neither_rings_nor_listens(open_store, heard):
    store = await open_store(pooled=True)
    store.on_change(heard.set)
    await store.changed_elsewhere()
    await commit_all(store, everything())
    assert store._bell._connection is None
