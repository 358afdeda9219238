"""What becomes of connections after errors, what is set on them, and which databases are refused."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from symphainy_platform.errors import DatabaseUnavailable, StoreRefusedError
from symphainy_platform.state.postgres.connections import Connections, Database, Lane, snapshot
from symphainy_platform.state.postgres.shared_reads import SharedReads
from symphainy_platform.state.records import Committed
from symphainy_platform.state.store import ArtifactById
from symphainy_platform.testing.store_suite.samples import TENANT, commit_one, everything


async def nothing(_):
    """Prepare nothing."""


@pytest.fixture
async def connections(databases):
    made = Connections(Database(databases.url()), nothing)
    yield made
    await made.close()


async def pid_of(connection):
    return await connection.fetchval("select pg_backend_pid()")


async def fill(connections, count):
    """Leave so many connections idle."""
    if count:
        async with connections.lent():
            await fill(connections, count - 1)


async def test_an_error_is_itself_when_its_connection_has_ended_meanwhile(connections):
    async def end_and_fail(connection):
        connection.terminate()
        raise ValueError("too long")

    with pytest.raises(ValueError, match="too long"):
        await Lane(connections, 1).run(end_and_fail)
    async with connections.lent() as another:
        assert await another.fetchval("select 1") == 1


@pytest.mark.parametrize(
    "error",
    [TimeoutError(), asyncpg.ReadOnlySQLTransactionError("x"), asyncpg.AdminShutdownError("x")],
    ids=lambda error: type(error).__name__,
)
async def test_what_befalls_one_connection_ends_the_idle_ones_too(connections, error):
    await fill(connections, 3)
    kept = {await pid_of(connection) for connection in connections._idle}

    async def fail(_):
        raise error

    with pytest.raises((TimeoutError, DatabaseUnavailable, asyncpg.PostgresError)):
        await Lane(connections, 1).run(fail)
    assert await Lane(connections, 1).run(pid_of) not in kept


class Hanging:
    """A connection whose database hangs once a transaction has begun: notes what it is asked for then."""

    def __init__(self):
        self.asked = []

    def transaction(self, **_):
        return self

    async def start(self):
        """Begin."""

    async def rollback(self):
        self.asked.append("rollback")

    async def commit(self):
        self.asked.append("commit")


@pytest.mark.parametrize("error", [asyncio.CancelledError, TimeoutError, asyncpg.ConnectionDoesNotExistError])
async def test_a_database_that_hangs_is_not_asked_to_end_a_snapshot(error):
    connection = Hanging()
    with pytest.raises(error):
        async with snapshot(connection):
            raise error
    assert connection.asked == []


async def test_a_connection_in_the_middle_of_a_snapshot_is_not_used_again(connections):
    async def read(connection):
        async with snapshot(connection):
            raise TimeoutError

    pid = await Lane(connections, 1).run(pid_of)
    with pytest.raises(TimeoutError):
        await Lane(connections, 1).run(read)
    assert await Lane(connections, 1).run(pid_of) != pid


async def test_a_snapshot_in_which_a_read_is_refused_costs_no_connection(connections):
    async def read(connection):
        async with snapshot(connection):
            await connection.fetchval("select 1 / 0")

    pid = await Lane(connections, 1).run(pid_of)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await Lane(connections, 1).run(read)
    assert await Lane(connections, 1).run(pid_of) == pid


async def test_a_bad_value_ends_no_connection(connections):
    pid = await Lane(connections, 1).run(pid_of)
    with pytest.raises(asyncpg.UniqueViolationError):
        await Lane(connections, 1).run(_violate)
    assert await Lane(connections, 1).run(pid_of) == pid


async def _violate(_):
    raise asyncpg.UniqueViolationError("x")


async def test_whatever_fails_a_shared_read_all_who_share_it_are_told():
    gate = asyncio.Event()

    async def alone(reads):
        await gate.wait()
        return [None for _ in reads]

    async def fail(_):
        raise AttributeError("x")

    shared = SharedReads(alone, fail)
    loads = [asyncio.create_task(shared.load([ArtifactById(TENANT, "a")])) for _ in range(6)]
    await asyncio.sleep(0)
    gate.set()
    done = await asyncio.wait_for(asyncio.gather(*loads, return_exceptions=True), 2)
    assert [type(each) for each in done] == [list] * 2 + [AttributeError] * 4


@pytest.fixture
async def defaults(databases, connect):
    """Give the test's database defaults of its own, for as long as the test runs."""
    owner = await connect()
    names = []

    async def change(name, value):
        names.append(name)
        await owner.execute(f"alter database {databases.name('main')} set {name} = '{value}'")

    yield change
    for name in names:
        await owner.execute(f"alter database {databases.name('main')} reset {name}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("default_transaction_isolation", "repeatable read"),
        ("default_transaction_isolation", "serializable"),
        ("bytea_output", "escape"),
    ],
)
async def test_defaults_of_the_database_change_nothing(open_store, new_store, defaults, name, value):
    await (await open_store()).close()
    await defaults(name, value)
    store = await open_store()
    async with store._connections.lent() as connection:
        assert await connection.fetchval("select current_setting($1)", name) != value
    assert isinstance(await commit_one(store, everything()), Committed)
    with pytest.raises(StoreRefusedError, match="alter database"):
        await new_store(pooled=True).open()
    with pytest.raises(DatabaseUnavailable) as refusal:
        await Lane(Connections(replace(store._database, pooled=True), nothing), 1).run(pid_of)
    assert refusal.value.details == {"reason": "refused"}


async def test_a_database_that_cannot_hold_every_text_is_refused(postgres_server, connect):
    owner = await connect(user="postgres")
    await owner.execute("create database of_latin encoding 'LATIN1' template template0 lc_collate 'C' lc_ctype 'C'")
    try:
        with pytest.raises(StoreRefusedError, match="LATIN1"):
            await Database(postgres_server.url("of_latin", "postgres")).connect()
    finally:
        await owner.execute("drop database of_latin with (force)")
