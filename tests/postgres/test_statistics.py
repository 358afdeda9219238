"""A young database is analysed in time, so that kept plans find rows by their whole keys."""

import asyncio

import asyncpg
import pytest
import pytest_asyncio
from servers.postgres import PostgresServer

from symphainy_platform.state.postgres.connections import Database
from symphainy_platform.state.postgres.store import PostgresStore
from symphainy_platform.state.store import ArtifactById, ExecutionByKey
from symphainy_platform.testing.store_suite.samples import (
    TENANT,
    artifact,
    commit_all,
    digest,
    execution,
    guard,
    writing,
)

_ANALYSED = "select count(*) from pg_class where relnamespace = 'symphainy'::regnamespace and reltuples >= 256"
_ROWS_READ = """
    select sum(idx_tup_read)::int from pg_stat_user_indexes
     where schemaname = 'symphainy' and relname in ('executions', 'artifacts')
"""
_TIMES = "select sum(analyze_count)::int from pg_stat_user_tables where relname = 'executions'"
_ALL = 320
_BATCH = 16


def intent(number):
    """What makes an artifact, under a key."""
    made = execution(f"exec_{number}", key=guard(f"key {number}", lifetime=86_400))
    return writing(f"exec_{number}", artifact(f"a{number}"), execution=made)


async def write(store, first, last):
    for start in range(first, last, _BATCH):
        await commit_all(store, *map(intent, range(start, min(last, start + _BATCH))))


async def read_each(store, last):
    """Read every key and every artifact, many at a time."""
    keys = [ExecutionByKey(TENANT, digest(f"key {number}")) for number in range(last)]
    artifacts = [ArtifactById(TENANT, f"a{number}") for number in range(last)]
    answers = await asyncio.gather(*[store.load([read]) for read in keys + artifacts])
    assert all(found is not None for (found,) in answers)


async def counted(connection, query, at_least):
    """A count of the server's, once it has counted connections that have ended: soon after they have."""
    async with asyncio.timeout(10):
        while (found := await connection.fetchval(query) or 0) < at_least:
            await connection.execute("select pg_stat_clear_snapshot()")
    return found


@pytest_asyncio.fixture
async def young(open_store, connect):
    """A connection beside the stores, to a database with nothing but its schema."""
    await (await open_store()).close()
    return await connect(user="postgres")


async def test_look_ups_read_what_they_find(young, open_store):
    store = await open_store()
    await read_each(store, 0)
    await write(store, 0, _ALL)
    await store._statistics.close()
    assert await young.fetchval(_ANALYSED) >= 2
    await read_each(store, _ALL)
    await young.execute("select pg_stat_reset()")
    reader = await open_store()
    await read_each(reader, _ALL)
    await read_each(store, _ALL)
    await write(store, _ALL, _ALL + 64)
    await store.close()
    await reader.close()
    found = 4 * _ALL
    assert found <= await counted(young, _ROWS_READ, found) < 2 * found


async def test_a_grown_database_is_left_alone(young, open_store):
    await young.execute("update pg_class set reltuples = 5000 where oid = 'symphainy.executions'::regclass")
    store = await open_store()
    await write(store, 0, _ALL)
    await store._statistics.close()
    assert await young.fetchval(_ANALYSED) == 1


async def test_it_is_analysed_once_at_each_size(young, open_store):
    store = await open_store()
    for number in range(3):
        await write(store, number * _ALL, (number + 1) * _ALL)
    await store.close()
    assert await counted(young, _TIMES, 1) == 1


@pytest.mark.parametrize("role", ["symphainy_app", "service_role"])
@pytest.mark.parametrize(("version", "known"), [(16, -1), (18, 0)])
async def test_the_platforms_roles_may_analyse_where_the_server_can_say_so(clock, version, known, role):
    server = PostgresServer(version=version)
    try:
        server.start()
        store = PostgresStore(Database(server.url()), clock)
        await store.migrate()
        await store.close()
        connection = await asyncpg.connect(server.url())
        await connection.execute(f"set role {role}")
        assert await connection.fetchval("select symphainy.analyse_tables()") > len(
            ("executions", "artifacts", "outbox")
        )
        assert await connection.fetchval("select reltuples from pg_class where relname = 'executions'") == known
        await connection.close()
    finally:
        server.remove()
