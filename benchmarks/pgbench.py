"""The opponent of the Postgres rows: pgbench, which calls the very function that the store calls."""

from __future__ import annotations

import asyncio
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.result import BrokenInvariantError
from symphainy_platform.state.domain import DomainTables
from symphainy_platform.state.postgres.batch import encode
from symphainy_platform.state.postgres.connections import Database
from symphainy_platform.state.records import Commit
from tests.servers.postgres import PostgresServer

_MARK = "@@@@@@@@@@@@@@@@"
"""Stands in a batch for 16 hexadecimal digits that each call draws anew."""
_DRAWN = "lpad(to_hex((:a)::bigint), 8, '0') || lpad(to_hex((:b)::bigint), 8, '0')"
_KEEP = """
    insert into batches values ($1, (select jsonb_object_agg(part, records)::text from (
      select key as part, jsonb_agg(record || jsonb_build_object('n', place - 1) order by place) as records
        from unnest($2::text[]) with ordinality as each(item, place),
             jsonb_each(item::jsonb) as parts(key, value), jsonb_array_elements(value) as record
       group by key) as joined))
"""
_MOST_CLIENTS = 96
_TPS = re.compile(r"tps = ([\d.]+)")


class Pgbench:
    """Calls `symphainy.commit_intents` on a database with copies of one intent, all ids new."""

    def __init__(self, server: PostgresServer, database: str) -> None:
        """Use a database that a store has migrated."""
        self._server = server
        self._database = database

    async def prepare(self, intent: Commit, tables: DomainTables, sizes: Sequence[int]) -> None:
        """Keep a batch of each size on the server; a script could not hold its colons."""
        connection = await Database(self._server.url(self._database)).connect()
        await connection.execute("create table batches (size integer primary key, batch text)")
        for size in sizes:
            items = [_marked(encode([intent], tables), intent, number) for number in range(size)]
            await connection.execute(_KEEP, size, items)
        await connection.close()

    async def rate(self, clients: int, seconds: float, size: int = 1) -> float:
        """Intents a second, by so many clients with batches of this size."""
        return await asyncio.to_thread(self._run, min(clients, _MOST_CLIENTS), max(1, round(seconds)), size)

    def _run(self, clients: int, seconds: int, size: int) -> float:
        batch = f"replace((select batch from batches where size = {size}), '{_MARK}', {_DRAWN})"  # noqa: S608 - ours
        script = (
            "\\set a random(1, 2000000000)\n\\set b random(1, 2000000000)\n"
            f"select symphainy.commit_intents({batch}::jsonb);\n"
        )
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            Path(file.name).write_text(script, encoding="utf-8")
            load = ["-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-T", str(seconds), "-f", file.name]
            where = ["-h", "127.0.0.1", "-p", str(self._server.port), "-U", "postgres", self._database]
            done = subprocess.run(  # noqa: S603 - the wheel's own program
                [self._server.binary("pgbench"), *load, *where], capture_output=True, text=True, check=False
            )
        found = _TPS.search(done.stdout)
        if found is None or "ERROR" in done.stderr:
            raise BrokenInvariantError(f"pgbench failed: {done.stderr[-300:]}")
        return float(found[1]) * size


def _marked(text: str, intent: Commit, number: int) -> str:
    """Put the mark where ids of the intent stand, and the item's number behind it."""
    record = intent.execution
    text = text.replace(record.execution_id, f"exec_{_MARK}{number:04x}")
    text = text.replace(record.user_id, f"user_{_MARK}{number:04x}")
    for write in intent.artifacts:
        text = text.replace(write.artifact.artifact_id, f"{_MARK}{number:04x}")
    if record.key is not None:
        text = text.replace(record.key.digest.hex(), f"{number:016x}{_MARK}")
    return text
