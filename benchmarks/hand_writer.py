"""What one would write by hand: the store's own statements, one writer thread, group commit.

No validation, no key, no versions, no replays, no log line: only the rows, durable.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from symphainy_platform.state.sqlite.connection import DatabaseFile
from symphainy_platform.state.sqlite.queries import SQL

Rows = tuple[tuple[Any, ...], ...]
"""The parameters of each of STATEMENTS."""

BATCH = 64

# What the store composes for a domain row: an update, and an insert when there was nothing to update.
_COLUMNS = ("user_id", "lifecycle_state", "version", "active_agent", "context", "created_at", "updated_at")
_UPDATE = f"UPDATE chat_sessions SET {', '.join(f'{column} = ?' for column in _COLUMNS)}"  # noqa: S608 - our names
_INSERT = f"INSERT INTO chat_sessions ({', '.join(_COLUMNS)}, tenant_id, chat_session_id)"

STATEMENTS = (
    SQL["insert_execution"],
    SQL["create_artifact"],
    f"{_UPDATE} WHERE tenant_id = ? AND chat_session_id = ?",
    f"{_INSERT} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    SQL["insert_event"],
)

_Item = tuple[Rows, "asyncio.Future[None]"]


class HandWriter:
    """Writes rows to a database that has the store's schema, with the store's connection settings."""

    def __init__(self, path: Path) -> None:
        """Write to the database at `path`."""
        self.connection = DatabaseFile(path).connect()
        self._waiting: SimpleQueue[_Item | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def submit(self, rows: Rows) -> asyncio.Future[None]:
        """Hand over; the future ends when the rows are durable."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put((rows, done))
        return done

    def close(self) -> None:
        """Write what waits, then close the connection."""
        self._waiting.put(None)
        self._thread.join()
        self.connection.close()

    def _serve(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch, last = self._drained(first)
            self._write(rows for rows, _ in batch)
            batch[0][1].get_loop().call_soon_threadsafe(_resolve, [done for _, done in batch])
            if last:
                return

    def _drained(self, first: _Item) -> tuple[list[_Item], bool]:
        batch = [first]
        with suppress(Empty):
            while len(batch) < BATCH:
                item = self._waiting.get_nowait()
                if item is None:
                    return batch, True
                batch.append(item)
        return batch, False

    def _write(self, batch: Iterable[Rows]) -> None:
        connection = self.connection
        connection.execute("BEGIN IMMEDIATE")
        for rows in batch:
            _write_rows(connection, rows)
        connection.execute("COMMIT")


def _write_rows(connection: sqlite3.Connection, rows: Rows) -> None:
    for statement, values in zip(STATEMENTS, rows, strict=True):
        connection.execute(statement, values)


def _resolve(waiting: list[asyncio.Future[None]]) -> None:
    for done in waiting:
        if not done.done():
            done.set_result(None)
