"""The database goes away, drops connections, hangs: the declared error in time, and work again afterwards."""

import asyncio
import os
import signal
import socket
import time

import pytest
import pytest_asyncio
from servers.postgres import PostgresServer

from symphainy_platform.errors import DatabaseUnavailable, StoreRefusedError
from symphainy_platform.state.postgres.connections import Database
from symphainy_platform.state.postgres.store import PostgresStore
from symphainy_platform.state.records import Committed
from symphainy_platform.state.store import ArtifactById, EventFilter, Retention, load_one
from symphainy_platform.testing.store_suite.samples import TENANT, artifact, commit_all, commit_one, everything, writing

VERBS = {
    "commit": lambda store: store.commit([writing("exec_x")]),
    "commit of many": lambda store: store.commit([writing("exec_x"), writing("exec_y")]),
    "load": lambda store: store.load([ArtifactById(TENANT, "a1")]),
    "event_cursor": lambda store: store.event_cursor(),
    "events_after": lambda store: store.events_after("0", EventFilter()),
    "changed_elsewhere": lambda store: store.changed_elsewhere(),
    "sweep": lambda store: store.sweep("2026-01-01T00:00:00.000000Z", Retention(executions=1, outbox=1)),
    "secret": lambda store: store.secret("x"),
    "keys": lambda store: store.keys(),
    "audit_position": lambda store: store.audit_position(),
}


@pytest.fixture(scope="module")
def own_server():
    """A server that these tests may stop."""
    server = PostgresServer()
    yield server
    server.remove()


@pytest_asyncio.fixture
async def server(own_server):
    own_server.stop()
    own_server.start()
    return own_server


@pytest_asyncio.fixture
async def store(server, clock):
    store = PostgresStore(Database(server.url()), clock)
    await store.migrate()
    await store.open()
    yield store
    await store.close()


async def names(store):
    return [found.artifact_id for found in (await store.events_after("0", EventFilter())).events]


async def test_a_stopped_server_is_said_by_every_verb(store, server):
    await commit_all(store, everything("exec_s", "stopped"))
    server.stop(signal.SIGQUIT)
    for verb, ask in VERBS.items():
        begun = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            await ask(store)
        assert time.monotonic() - begun < 6, verb
    assert not (await store.health()).ready


async def test_the_store_works_again_when_the_server_does(store, server):
    await commit_all(store, everything("exec_1", "one"))
    before = len(await names(store))
    for turn in range(3):
        server.stop(signal.SIGQUIT)
        with pytest.raises(DatabaseUnavailable):
            await commit_one(store, everything(f"exec_lost{turn}", f"lost{turn}"))
        server.start()
        await commit_all(store, everything(f"exec_t{turn}", f"t{turn}"))
        assert (await store.health()).ready
    assert len(await names(store)) == before + 3


async def test_a_restart_between_two_calls_is_not_noticed(store, server):
    await asyncio.gather(*(commit_one(store, everything(f"exec_r{n}", f"r{n}")) for n in range(8)))
    server.stop(signal.SIGQUIT)
    server.start()
    await commit_all(store, everything("exec_after", "after"))
    assert await load_one(store, ArtifactById(TENANT, "after"))


async def test_acknowledged_commits_survive_a_crash_under_load(store, server):
    known, unknown, enough = [], [], asyncio.Event()

    async def work(name):
        for turn in range(10_000):
            made = f"{name}-{turn}"
            try:
                outcomes = await store.commit([everything(f"exec_{made}_{n}", f"{made}_{n}") for n in range(3)])
            except DatabaseUnavailable:
                unknown.append(made)
                return
            assert all(isinstance(outcome, Committed) for outcome in outcomes)
            known.extend(f"{made}_{n}" for n in range(3))
            if len(known) >= 60:
                enough.set()

    workers = [asyncio.create_task(work(f"w{n}")) for n in range(4)]
    await enough.wait()
    server.stop(signal.SIGQUIT)
    await asyncio.gather(*workers)
    server.start()
    retried = [everything(f"exec_{made}_{n}", f"{made}_{n}") for made in unknown for n in range(3)]
    assert all(isinstance(outcome, Committed) for outcome in await store.commit(retried))
    cursor, found = "0", []
    while page := await store.events_after(cursor, EventFilter()):
        found += [event.artifact_id for event in page.events if event.artifact_id.startswith("w")]
        cursor = page.cursor
        if not page.more:
            break
    assert len(found) == len(set(found))
    assert set(known) | {f"{made}_{n}" for made in unknown for n in range(3)} == set(found)


async def backends(store, statement):
    """Wait until a backend runs a statement like this; its pid."""
    watching = await store._database.connect()
    query = "select pid from pg_stat_activity where query like $1 and state = 'active' and wait_event_type = 'Lock'"
    pid = None
    while pid is None:
        pid = await watching.fetchval(query, statement)
    return watching, pid


async def test_a_connection_that_drops_during_the_commit_costs_one_retry(store):
    await commit_all(store, writing("exec_d0", artifact("dropped")))
    holder = await store._database.connect()
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("select pg_advisory_xact_lock(hashtextextended('dropped', hashtextextended($1, 0)))", TENANT)
    waiting = asyncio.create_task(commit_one(store, writing("exec_d1", artifact("dropped", version=2))))
    watching, pid = await backends(store, "%commit_intents%")
    await watching.execute("select pg_terminate_backend($1)", pid)
    await transaction.rollback()
    assert isinstance(await waiting, Committed)
    assert (await load_one(store, ArtifactById(TENANT, "dropped"))).version == 2
    await holder.close()
    await watching.close()


async def test_a_server_that_hangs_is_given_up_in_time(store, server):
    await commit_all(store, everything("exec_h", "hanging"))
    pids = [
        pid for (pid,) in await ask_all(store, "select pid from pg_stat_activity where application_name = 'symphainy'")
    ]
    pids.append(server._process.pid)
    stop(pids, signal.SIGSTOP)
    begun = time.monotonic()
    results = await asyncio.gather(
        store.load([ArtifactById(TENANT, "a1")]), commit_one(store, writing("exec_x")), return_exceptions=True
    )
    for _ in range(20):  # who comes after those does not wait as long again
        with pytest.raises(DatabaseUnavailable):
            await store.load([ArtifactById(TENANT, "a1")])
        with pytest.raises(DatabaseUnavailable):
            await commit_one(store, writing("exec_x"))
    taken = time.monotonic() - begun
    stop(pids, signal.SIGCONT)
    assert [type(result) for result in results] == [DatabaseUnavailable] * 2
    assert taken < 6
    await answers_again(store)
    await commit_all(store, everything("exec_h2", "hanging2"))


async def answers_again(store):
    async with asyncio.timeout(6):
        while not (await store.health()).ready:
            pass


async def ask_all(store, *queries):
    connection = await store._database.connect()
    for query in queries:
        rows = await connection.fetch(query)
    await connection.close()
    return rows


def stop(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


async def test_a_server_that_accepts_and_says_nothing_is_given_up_in_time(clock):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        store = PostgresStore(Database(f"postgresql://x@127.0.0.1:{silent.getsockname()[1]}/x"), clock)
        begun = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            await store.open()
        assert time.monotonic() - begun < 6
        await store.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"database": "nowhere"}, "create it"),
        ({"user": "nobody"}, "user"),
    ],
)
async def test_what_can_be_mended_is_said_in_a_sentence(server, clock, change, said):
    store = PostgresStore(Database(server.url(**change)), clock)
    for verb in (store.migrate, store.open):
        with pytest.raises(StoreRefusedError, match=said):
            await verb()
    await store.close()


async def commit_until_refused(store):
    """The server takes a moment to hear of a new setting."""
    while True:
        await commit_one(store, writing("exec_ro2"))


async def test_a_read_only_database_is_said_and_forgotten(store):
    await commit_all(store, everything("exec_ro", "read_only"))
    await ask_all(store, "alter system set default_transaction_read_only = on")
    await ask_all(store, "select pg_reload_conf()")
    try:
        with pytest.raises(DatabaseUnavailable) as refusal:
            await commit_until_refused(store)
        assert refusal.value.details["reason"] == "read_only"
        health = await store.health()
        assert (health.ready, health.detail) == (False, "read_only")
    finally:
        await ask_all(
            store, "set default_transaction_read_only = off", "alter system reset default_transaction_read_only"
        )
        await ask_all(store, "select pg_reload_conf()")
    await answers_again(store)
    await commit_all(store, everything("exec_rw", "written"))


async def test_sessions_that_began_read_only_are_not_kept(store, server):
    """As Supabase does it to a full disk: by a default of the database, which a session learns when it begins."""
    await commit_all(store, everything("exec_ro_a", "ro_before"))
    (name,) = (await ask_all(store, "select current_database()"))[0]
    await ask_all(store, f"alter database {name} set default_transaction_read_only = on")
    server.stop(signal.SIGQUIT)
    server.start()
    with pytest.raises(DatabaseUnavailable):
        await commit_one(store, everything("exec_ro_b", "ro_meanwhile"))
    assert not (await store.health()).ready
    await ask_all(store, "set default_transaction_read_only = off", f"alter database {name} reset all")
    await commit_all(store, everything("exec_ro_c", "ro_after"))
    assert (await store.health()).ready


@pytest.mark.parametrize(
    ("take", "give_back"),
    [
        (
            "revoke insert on symphainy.executions from symphainy_app",
            "grant insert on symphainy.executions to symphainy_app",
        ),
        (
            "alter function symphainy.commit_intents(jsonb, timestamptz) rename to gone",
            "alter function symphainy.gone(jsonb, timestamptz) rename to commit_intents",
        ),
    ],
    ids=["right", "function"],
)
async def test_a_store_whose_commits_are_refused_is_not_ready(own_server, store, clock, take, give_back):
    await ask_all(store, "drop role if exists app", "create role app login in role symphainy_app")
    app = PostgresStore(Database(own_server.url(user="app")), clock)
    await app.open()
    await ask_all(store, take)
    with pytest.raises(DatabaseUnavailable):
        await commit_one(app, everything("exec_no", "no"))
    health = await app.health()
    assert (health.ready, health.detail) == (False, "schema")
    await ask_all(store, give_back)
    assert (await app.health()).ready
    await commit_all(app, everything("exec_yes", "yes"))
    await app.close()
