"""Fills a database with artifacts and events by SQL, as a long life would have left them there."""

from __future__ import annotations

import sys
from time import perf_counter
from typing import Any

import asyncpg

from benchmarks.opened import TENANT

EVENTS_PER_ARTIFACT = 16
USERS = 10_000
"""The artifacts are dealt out to so many users of the one tenant."""
RARE = 10_000
"""One artifact of so many is in state RARE, one of as many has the type `rare`."""
OLD_DAYS = 400
"""Age of the oldest event; ages fall evenly to none, so that most are beyond retention."""

SERVER = {
    "wal_level": "minimal",  # what is filled and made durable in one transaction needs no log beside it
    "max_wal_senders": "0",
    "max_wal_size": "8GB",
    "shared_buffers": "512MB",
    "maintenance_work_mem": "512MB",
}

# Everything that a table's indexes say, so that they can be made anew when it is full.
_INDEXES = """
    select coalesce(conname, c.relname), conname is not null,
           coalesce(pg_get_constraintdef(k.oid), pg_get_indexdef(c.oid))
      from pg_index as i join pg_class as c on c.oid = i.indexrelid
      left join pg_constraint as k on k.conindid = c.oid
     where i.indrelid = $1::text::regclass
"""
_ARTIFACTS = f"""
    insert into symphainy.artifacts
    select '{TENANT}', md5('artifact ' || n)::uuid::text,
           case when n % {RARE} = 1 then 'rare' else 'type_' || n % 8 end, 'user_' || n % {USERS}, 1,
           case when n % {RARE} = 2 then 'RARE' else 'STATE_' || n % 3 end,
           '{{"title": "a plan of the launch", "files": [1, 2, 3], "notes": "two files are late"}}', '{{}}',
           'fill', 'exec_' || n, '[]', '[]', '{{}}', made, made, null
      from generate_series(1, $1::bigint) as n,
   lateral (select now() - make_interval(secs => {OLD_DAYS} * 86400.0 * ($1 - n) / $1) as made) as at
"""  # noqa: S608 - our own names
_EVENTS = f"""
    insert into symphainy.outbox
           (position, tenant_id, user_id, execution_id, intent_type, type, artifact_id, payload, created_at)
    select n / 4, '{TENANT}', 'user_' || n / {EVENTS_PER_ARTIFACT} % {USERS}, 'exec_' || n, 'fill',
           'filled', 'artifact_' || n / {EVENTS_PER_ARTIFACT}, '{{"version": 1, "step": "plan the launch"}}',
           now() - make_interval(secs => {OLD_DAYS} * 86400.0 * ($1 - n) / $1)
      from generate_series(1, $1::bigint) as n
"""  # noqa: S608 - our own names
_BEFORE_NEW_EVENTS = "update symphainy.outbox_state set base = $1 + 1"
_ON_ALL_CORES = "set local max_parallel_maintenance_workers = 4"


async def fill(url: str, artifacts: int) -> None:
    """Fill empty tables with so many artifacts, and with 16 events for each; says on stderr how far it is."""
    connection = await asyncpg.connect(url)  # without the store's limits of time
    events = artifacts * EVENTS_PER_ARTIFACT
    try:
        async with connection.transaction():
            await _filled(connection, "symphainy.artifacts", _ARTIFACTS, artifacts)
            await _filled(connection, "symphainy.outbox", _EVENTS, events)
            await connection.execute(_BEFORE_NEW_EVENTS, events // 4)
        await connection.execute("vacuum (freeze, analyze) symphainy.artifacts, symphainy.outbox")
        await connection.execute("checkpoint")
    finally:
        await connection.close()


async def _filled(connection: Any, table: str, statement: str, rows: int) -> None:
    """Fill a table without its indexes, then make them: a quarter of the time."""
    began = perf_counter()
    print(f"\n  {rows:,} rows of {table}", end=" ", file=sys.stderr, flush=True)
    indexes = await connection.fetch(_INDEXES, table)
    await connection.execute(f"truncate {table}")
    for name, constraint, _ in indexes:
        drop = f"alter table {table} drop constraint {name}" if constraint else f"drop index symphainy.{name}"
        await connection.execute(drop)
    await connection.execute(statement, rows)
    await connection.execute(_ON_ALL_CORES)
    for name, constraint, definition in indexes:
        add = f"alter table {table} add constraint {name} {definition}" if constraint else definition
        await connection.execute(add)
    print(f"{perf_counter() - began:.0f} s ", end="", file=sys.stderr, flush=True)
