"""Behind a transaction pooler: nothing is prepared, nothing is set on a session, migrations go the direct way."""

import pytest

from symphainy_platform.settings import Settings
from symphainy_platform.state.postgres.connections import Database
from symphainy_platform.state.postgres.hook import symphainy_store
from symphainy_platform.state.postgres.store import PostgresStore
from symphainy_platform.state.records import Committed
from symphainy_platform.state.store import ArtifactById, EventFilter, Retention
from symphainy_platform.testing.store_suite.samples import TENANT, commit_one, everything


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
