"""Behind a transaction pooler: nothing is prepared, nothing is set on a session, migrations go the direct way."""

import json

import pytest
import pytest_asyncio
from servers.pooler import TransactionPooler

from symphainy_platform.settings import Settings
from symphainy_platform.state.postgres.connections import Database
from symphainy_platform.state.postgres.hook import symphainy_store
from symphainy_platform.state.postgres.store import PostgresStore
from symphainy_platform.state.records import Committed
from symphainy_platform.state.store import ArtifactById, EventFilter, Retention
from symphainy_platform.testing.store_suite.commits import CommitChecks
from symphainy_platform.testing.store_suite.events import EventChecks
from symphainy_platform.testing.store_suite.keys import KeyChecks
from symphainy_platform.testing.store_suite.samples import TENANT, commit_one, everything
from symphainy_platform.testing.store_suite.sweeps import SweepChecks


async def test_nothing_stays_on_the_session(open_store, clock):
    store = await open_store(pooled=True)
    assert isinstance(await commit_one(store, everything()), Committed)
    await store.load([ArtifactById(TENANT, "a1"), ArtifactById(TENANT, "a1", 1)])
    await store.events_after("0", EventFilter())
    await store.sweep(clock.text, Retention(executions=1, outbox=1))
    (connection,) = store._connections._idle
    assert await connection.fetch("select name from pg_prepared_statements where not statement like '%prepared%'") == []
    changed = "select name, setting from pg_settings where source = 'session' and name <> 'client_encoding'"
    assert await connection.fetch(changed) == []
    locks = "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"
    assert await connection.fetchval(locks) == 0


async def test_migrations_go_the_direct_way(databases, clock):
    nowhere = Database("postgresql://x@127.0.0.1:1/x", pooled=True)
    store = PostgresStore(nowhere, clock, migrations=Database(databases.url()))
    assert await store.migrate()
    assert await store.migrate(dry_run=True) == []
    assert all(step.applied_at for step in await store.steps())
    await store.close()


def test_the_settings_say_so(clock, monkeypatch):
    monkeypatch.setenv("SYMPHAINY_POOLER", "true")
    monkeypatch.setenv("SYMPHAINY_MIGRATION_URL", "postgresql://ann:hunter2@direct/x")
    settings = Settings(store="postgresql://ann:hunter2@pooler:6543/x")
    store = symphainy_store(settings.store, clock, settings)
    assert store._database == Database("postgresql://ann:hunter2@pooler:6543/x", pooled=True)
    assert store._migrations == Database("postgresql://ann:hunter2@direct/x")
    assert not any("hunter2" in line.value for line in settings.describe())


@pytest.mark.parametrize("url", ["sqlite:///x.db", "postgresqlx://h/x", "supabase"])
def test_other_urls_are_not_ours(url, clock):
    assert symphainy_store(url, clock, Settings()) is None


class TestPooledStore(CommitChecks, KeyChecks, EventChecks, SweepChecks):
    """Checks of the store suite, behind a pooler that gives every transaction another server connection."""

    @pytest.fixture
    def store_factory(self, pooler, migrated_databases):
        direct = Database(migrated_databases.url())

        def make(clock, home="main"):
            url = pooler.url if home == "main" else migrated_databases.url(home)
            return PostgresStore(
                Database(url, pooled=True),
                clock,
                migrations=direct if home == "main" else Database(migrated_databases.url(home)),
            )

        return make

    @pytest_asyncio.fixture
    async def pooler(self, migrated_databases):
        async with TransactionPooler(migrated_databases.url()) as pooler:
            yield pooler

    @pytest.fixture
    def read_table(self, migrated_databases):
        async def read(table):
            connection = await Database(migrated_databases.url()).connect()
            rows = [dict(row) for row in await connection.fetch(f"select * from symphainy.{table}")]  # noqa: S608 - of the suite
            await connection.close()
            return [row | {"context": json.loads(row["context"])} for row in rows]

        return read
