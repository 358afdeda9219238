"""Postgres under the suites: databases on a server that is there already, emptied after each use."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from symphainy_platform.context import Clock
from symphainy_platform.state.postgres.connections import Database
from symphainy_platform.state.postgres.driver import Connection
from symphainy_platform.state.postgres.store import PostgresStore
from symphainy_platform.state.store import Store
from symphainy_platform.testing.state import Row

T = TypeVar("T")
_NUMBERS = itertools.count(1)

_COLUMNS = """
    select table_name, string_agg(case
             when data_type = 'timestamp with time zone'
               then format($f$to_char(%1$I at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as %1$I$f$, column_name)
             when data_type in ('json', 'jsonb') then format('%1$I::text as %1$I', column_name)
             when data_type = 'ARRAY' then format('to_json(%1$I)::text as %1$I', column_name)
             else quote_ident(column_name) end, ', ' order by ordinal_position)
      from information_schema.columns join information_schema.tables using (table_schema, table_name)
     where table_schema = 'symphainy' and table_type = 'BASE TABLE'
     group by table_name
"""
EMPTY_TABLES = """
    do $$
    declare
      v_table text;
    begin
      for v_table in
        select tablename from pg_tables where schemaname = 'symphainy' and tablename not in
           ('schema_migrations', 'meta', 'readable_types', 'outbox_epochs', 'outbox_state', 'audit_state')
      loop
        execute format('delete from symphainy.%I', v_table);
      end loop;
      update symphainy.outbox_state set swept_position = 0, swept_id = 0;
      update symphainy.audit_state set cursor = '0', types = '{}', position = 0, id = 0;
    end
    $$
"""
"""Leaves a database as it was after its migrations, but for the secrets and cursors that it made."""


class PostgresBinding:
    """Databases that this binding makes on the server of `url`, whose user may make them."""

    name = "postgres"

    def __init__(self, url: str) -> None:
        """Ask nothing of the server yet."""
        self._url = url
        self._of_folder: dict[Path, str] = {}
        self._free: list[str] = []
        self._tables: dict[str, list[Row]] = {}
        """Of each database; its schema stays as it is."""
        self._beside = _Beside()
        self._prefix = f"symphainy_test_{id(self)}"

    def create(self, folder: Path, clock: Clock) -> Store:
        """A store on the folder's database."""
        return PostgresStore(Database(self._database(folder)), clock)

    def dump(self, folder: Path) -> Mapping[str, Sequence[Row]]:
        """Read all tables in one snapshot; times and JSON are text, as in SQLite."""
        url = self._database(folder)
        return self._beside.run(url, lambda connection: self._dump(connection, url))

    def remove(self, folder: Path) -> None:
        """Empty the folder's database for the next one."""
        if (name := self._of_folder.pop(folder, None)) is not None:
            self._beside.run(_of_server(self._url, name), _empty)
            self._free.append(name)

    def close(self) -> None:
        """End the connections beside the stores. The databases go with their server."""
        self._beside.close()

    async def _dump(self, connection: Connection, url: str) -> Mapping[str, Sequence[Row]]:
        if url not in self._tables:
            self._tables[url] = await connection.fetch(_COLUMNS)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return {table: await _rows(connection, table, columns) for table, columns in self._tables[url]}

    def _database(self, folder: Path) -> str:
        if folder not in self._of_folder:
            self._of_folder[folder] = self._free.pop() if self._free else self._make()
        return _of_server(self._url, self._of_folder[folder])

    def _make(self) -> str:
        name = f"{self._prefix}_{next(_NUMBERS)}"
        self._beside.run(self._url, lambda connection: connection.execute(f"create database {name}"))
        return name


class _Beside:
    """Connections beside the stores. The suites ask from inside a running event loop: these have their own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._connections: dict[str, Connection] = {}
        self._thread = threading.Thread(target=self._loop.run_forever, name="test-databases", daemon=True)
        self._thread.start()

    def run(self, url: str, work: Callable[[Connection], Coroutine[Any, Any, T]]) -> T:
        return asyncio.run_coroutine_threadsafe(self._run(url, work), self._loop).result()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        for connection in self._connections.values():
            await connection.close()

    async def _run(self, url: str, work: Callable[[Connection], Coroutine[Any, Any, T]]) -> T:
        connection = self._connections.get(url)
        if connection is None or connection.is_closed():
            connection = self._connections[url] = await Database(url).connect()
        return await work(connection)


def _of_server(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


async def _empty(connection: Connection) -> None:
    await connection.execute(EMPTY_TABLES)


async def _rows(connection: Connection, table: str, columns: str) -> list[Row]:
    rows = await connection.fetch(f"select {columns} from symphainy.{table}")  # noqa: S608 - names of the schema
    return [dict(row) for row in rows]
