"""The usual loop by hand: read, merge, write if nobody else did, else again. One connection per writer."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from time import perf_counter

import orjson

from symphainy_platform.state.sqlite.connection import DatabaseFile, transaction

_SCHEMA = (
    "PRAGMA journal_mode = WAL",
    "CREATE TABLE session (id TEXT PRIMARY KEY, version INTEGER NOT NULL, context TEXT NOT NULL) STRICT",
    "CREATE TABLE message (session_id TEXT, seq INTEGER, body TEXT NOT NULL, PRIMARY KEY (session_id, seq)) STRICT",
    """INSERT INTO session VALUES ('hot', 1, '{"conversation_history": [], "marks": {}}')""",
)
_SWAP = "UPDATE session SET version = version + 1, context = ? WHERE id = 'hot' AND version = ?"


@dataclass(frozen=True, slots=True)
class Swapped:
    """What the writers came to: updates a second, what is kept in the end, and how often they tried again."""

    rate: float
    messages: int
    keys: int
    retries: int


@dataclass(frozen=True, slots=True)
class HotRow:
    """The database of one round. With `log`, messages have a table of their own, as ours have."""

    file: DatabaseFile
    log: bool

    def swap_all(self, writers: int, updates: int) -> Swapped:
        """Let so many threads each make so many updates, with our connection settings; nothing is lost."""
        self.file.create()
        with closing(self.file.connect()) as connection:
            for statement in _SCHEMA:
                connection.execute(statement)
            began = perf_counter()
            with ThreadPoolExecutor(writers) as threads:
                retries = list(threads.map(lambda writer: self._write(writer, updates), range(writers)))
            rate = writers * updates / (perf_counter() - began)
            return self._kept(connection, rate, sum(retries))

    def _kept(self, connection: sqlite3.Connection, rate: float, retries: int) -> Swapped:
        (logged,) = connection.execute("SELECT count(*) FROM message").fetchone()
        context = orjson.loads(connection.execute("SELECT context FROM session").fetchone()[0])
        return Swapped(rate, logged + len(context["conversation_history"]), len(context["marks"]), retries)

    def _write(self, writer: int, updates: int) -> int:
        retries = 0
        with closing(self.file.connect()) as connection:
            for number in range(updates):
                while not self._swap(connection, f"w{writer}_{number}"):
                    retries += 1
        return retries

    def _swap(self, connection: sqlite3.Connection, key: str) -> bool:
        """Try one update; False when another writer was faster or held the lock for too long."""
        version, text = connection.execute("SELECT version, context FROM session WHERE id = 'hot'").fetchone()
        context = orjson.loads(text)
        context["marks"][key] = True
        message = {"id": key, "role": "user", "content": f"message {key}"}
        if not self.log:
            context["conversation_history"].append(message)
        try:
            with transaction(connection):
                if connection.execute(_SWAP, (orjson.dumps(context).decode(), version)).rowcount == 0:
                    return False
                if self.log:
                    row = (version, orjson.dumps(message).decode())
                    connection.execute("INSERT INTO message VALUES ('hot', ?, ?)", row)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            return False
        return True
