"""The usual loop by hand on Postgres: read, merge, write if nobody else did, else again. One connection per writer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import orjson

from benchmarks.compare_and_swap import Swapped
from symphainy_platform.state.postgres.connections import Database, end

_SCHEMA = """
    drop table if exists session, message;
    create table session (id text primary key, version bigint not null, context json not null) with (fillfactor = 50);
    create table message (session_id text, seq bigint, body json not null, primary key (session_id, seq));
    insert into session values ('hot', 1, '{"conversation_history": [], "marks": {}}');
"""
_READ = "select version, context::text from session where id = 'hot'"
_SWAP = "update session set version = version + 1, context = $1::json where id = 'hot' and version = $2"
_SWAP_AND_LOG = f"""
    with swapped as ({_SWAP} returning version)
    insert into message select 'hot', version, $3::json from swapped
"""  # noqa: S608 - our own statement
_COUNT = "select (select context::text from session where id = 'hot'), (select count(*) from message)"
_ONE_ROW = ("UPDATE 1", "INSERT 0 1")


@dataclass(frozen=True, slots=True)
class PostgresHotRow:
    """The tables of one round. With `log`, messages have a table of their own, as ours have."""

    database: Database
    log: bool

    async def swap_all(self, writers: int, updates: int) -> Swapped:
        """Let so many tasks each make so many updates, each update one round trip to read and one to write."""
        connections = [await self.database.connect() for _ in range(writers)]
        try:
            await connections[0].execute(_SCHEMA)
            began = perf_counter()
            retries = await asyncio.gather(
                *[self._write(connection, writer, updates) for writer, connection in enumerate(connections)]
            )
            rate = writers * updates / (perf_counter() - began)
            return self._kept(await connections[0].fetchrow(_COUNT), rate, sum(retries))
        finally:
            for connection in connections:
                await end(connection)

    @staticmethod
    def _kept(found: Any, rate: float, retries: int) -> Swapped:
        context = orjson.loads(found[0])
        return Swapped(rate, found[1] + len(context["conversation_history"]), len(context["marks"]), retries)

    async def _write(self, connection: Any, writer: int, updates: int) -> int:
        retries = 0
        for number in range(updates):
            while not await self._swap(connection, f"w{writer}_{number}"):
                retries += 1
        return retries

    async def _swap(self, connection: Any, key: str) -> bool:
        """Try one update; False when another writer was faster."""
        version, text = await connection.fetchrow(_READ)
        context = orjson.loads(text)
        context["marks"][key] = True
        message = {"id": key, "role": "user", "content": f"message {key}"}
        if self.log:
            return await connection.execute(_SWAP_AND_LOG, _text(context), version, _text(message)) in _ONE_ROW
        context["conversation_history"].append(message)
        return await connection.execute(_SWAP, _text(context), version) in _ONE_ROW


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()
