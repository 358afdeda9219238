"""The schema: the same columns as SQLite's, safe migrations, no database of another program or time."""

import asyncio
import re
import sqlite3

import pytest

from symphainy_platform.errors import StoreRefusedError
from symphainy_platform.state.postgres.connections import Database
from symphainy_platform.state.postgres.migrate import known_steps
from symphainy_platform.state.postgres.store import PostgresStore
from symphainy_platform.state.sqlite.store import SqliteStore

OF_POSTGRES_ALONE = {"outbox_state", "audit_state", "readable_types"}
OTHERWISE = {
    "outbox": ({"position"}, set()),  # an order of commits, which SQLite's id is
    "outbox_epochs": ({"after_position"}, {"after_id"}),
}
"""By table: the columns that only Postgres has, and those that only SQLite has; with their reason."""
KINDS = {
    "text": "TEXT",
    "json": "TEXT",
    "jsonb": "TEXT",
    "ARRAY": "TEXT",
    "timestamp with time zone": "TEXT",
    "bigint": "INTEGER",
    "boolean": "INTEGER",
    "bytea": "BLOB",
}


async def columns_of_postgres(connection):
    rows = await connection.fetch(
        """select c.table_name, c.column_name, c.data_type, c.is_nullable = 'NO' as required
             from information_schema.columns as c where table_schema = 'symphainy'"""
    )
    tables = {}
    for table, column, kind, required in rows:
        tables.setdefault(table, {})[column] = (KINDS[kind], required)
    return tables


def columns_of_sqlite(path):
    connection = sqlite3.connect(path)
    names = "select name from sqlite_schema where type in ('table', 'view') and name not like 'sqlite_%'"
    tables = {
        name: {row[1]: (row[2], bool(row[3] or row[5])) for row in connection.execute(f"pragma table_info({name})")}
        for (name,) in connection.execute(names).fetchall()
    }
    connection.close()
    return tables


@pytest.mark.usefixtures("store")
async def test_both_stores_have_the_same_columns(connect, tmp_path, clock):
    await SqliteStore(tmp_path / "platform.db", clock).migrate()
    ours, theirs = (
        await columns_of_postgres(await connect(user="postgres")),
        columns_of_sqlite(tmp_path / "platform.db"),
    )
    assert ours.keys() - theirs.keys() == OF_POSTGRES_ALONE
    assert theirs.keys() - ours.keys() == set()
    for table, columns in theirs.items():
        more, less = OTHERWISE.get(table, (set(), set()))
        assert ours[table].keys() - columns.keys() == more, table
        assert columns.keys() - ours[table].keys() == less, table
        if table not in {"meta", "artifact_index"}:  # SQLite's ANY, and a view, which has no constraints
            shared = columns.keys() & ours[table].keys()
            assert {name: ours[table][name] for name in shared} == {name: columns[name] for name in shared}, table


@pytest.mark.usefixtures("store")
async def test_every_table_has_a_key_that_starts_with_its_tenant(connect):
    rows = await (await connect()).fetch(
        """select c.relname, a.attname
             from pg_constraint as k
             join pg_class as c on c.oid = k.conrelid
             join pg_attribute as a on a.attrelid = c.oid and a.attnum = k.conkey[1]
            where k.contype = 'p' and c.relnamespace = 'symphainy'::regnamespace
              and exists (select from pg_attribute as t where t.attrelid = c.oid and t.attname = 'tenant_id')"""
    )
    assert {table for table, first in rows if first != "tenant_id"} == {"outbox"}  # in the order of commits


@pytest.mark.usefixtures("store")
async def test_functions_are_as_advised(connect):
    """Invoker's rights, an empty search path, nothing for PUBLIC."""
    rows = await (await connect()).fetch(
        """select proname, prosecdef, coalesce(array_to_string(proconfig, ','), '') as config,
                  has_function_privilege('public', oid, 'execute') as everybody
             from pg_proc where pronamespace = 'symphainy'::regnamespace and prokind = 'f'"""
    )
    assert len(rows) > 20
    assert [row["proname"] for row in rows if row["prosecdef"] or row["everybody"]] == []
    assert [row["proname"] for row in rows if 'search_path=""' not in row["config"]] == []


async def test_processes_that_migrate_at_once_apply_each_step_once(new_store):
    stores = [new_store() for _ in range(6)]
    applied = await asyncio.gather(*(store.migrate() for store in stores))
    assert max(applied, key=len) == list(known_steps())
    assert sum(map(len, applied)) == len(known_steps())


async def test_a_dry_run_changes_nothing(connect, new_store):
    store = new_store()
    assert await store.migrate(dry_run=True) == list(known_steps())
    assert not await (await connect()).fetchval("select exists (select from pg_namespace where nspname = 'symphainy')")


async def test_the_time_of_each_step_is_kept(connect, new_store):
    store = new_store()
    first, second, *_ = known_steps()
    await store.migrate(to="20261120090000")
    await (await connect()).execute("update symphainy.schema_migrations set applied_at = '2026-01-02 04:04:05.5+01'")
    await store.migrate(to=second)
    steps = {step.name: step for step in await store.steps()}
    assert steps[first].applied_at == "2026-01-02T03:04:05.500000Z"
    assert {name: step.applied_at is not None for name, step in steps.items()} == {
        name: name in {first, second} for name in known_steps()
    }
    with pytest.raises(StoreRefusedError, match="no current schema: run `symphainy migrate`"):
        await store.open()


@pytest.mark.parametrize("verb", ["migrate", "open", "steps"])
async def test_a_newer_schema_is_refused(store, connect, verb):
    await (await connect()).execute("insert into symphainy.schema_migrations (name) values ('99990101000000_new')")
    with pytest.raises(StoreRefusedError, match="99990101000000_new"):
        await getattr(store, verb)()
    assert not (await store.health()).ready


@pytest.mark.parametrize("verb", ["migrate", "open", "steps"])
async def test_a_schema_of_another_program_is_refused(connect, verb, new_store):
    await (await connect()).execute("create schema symphainy")
    with pytest.raises(StoreRefusedError, match="another program"):
        await getattr(new_store(), verb)()


async def test_a_migration_that_fails_leaves_nothing(connect, monkeypatch, new_store):
    broken = known_steps() | {"99990101000000_broken": "create table symphainy.half (); select 1/0;"}
    monkeypatch.setattr("symphainy_platform.state.postgres.migrate.known_steps", lambda: broken)
    with pytest.raises(StoreRefusedError):
        await new_store().migrate()
    assert not await (await connect()).fetchval("select exists (select from pg_namespace where nspname = 'symphainy')")


def test_steps_are_named_as_the_supabase_cli_expects():
    assert all(re.fullmatch(r"\d{14}_[a-z_]+", name) for name in known_steps())
    assert all(f"values ('{name}')" in text for name, text in known_steps().items())


async def test_a_migrating_role_that_may_not_make_roles_is_told_so(databases, connect, new_store):
    admin = await connect(user="postgres")
    await admin.execute("drop role if exists weak; create role weak login")
    try:
        await admin.execute(f"alter database {databases.name('main')} owner to weak")
        with pytest.raises(StoreRefusedError, match="cannot be used"):
            await new_store(user="weak").migrate()
    finally:
        await admin.execute(f"alter database {databases.name('main')} owner to owner; drop role weak")


async def test_urls_that_postgres_does_not_know_are_refused(clock):
    for url in ("postgresql://ann:hunter#2@host/x", "postgresql://x@127.0.0.1:1/x?sslmode=perhaps"):
        store = PostgresStore(Database(url), clock)
        with pytest.raises(StoreRefusedError, match="percent-encoded") as refusal:
            await store.migrate()
        assert "hunter" not in str(refusal.value)
