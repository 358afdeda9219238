"""Connections to the database file: how they are made, and transactions on them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

BUSY_SECONDS = 5.0
"""How long a writer waits for another process before it gives up."""
_CACHED_STATEMENTS = 256
_ON_EVERY_CONNECTION = (
    "PRAGMA synchronous = FULL",  # a commit is on the disk when it returns
    "PRAGMA secure_delete = FAST",  # zero what is rewritten anyway, write no page only to wipe it
    "PRAGMA temp_store = MEMORY",
)


@dataclass(frozen=True, slots=True)
class DatabaseFile:
    """The file of a store. `prepare` sees each new connection; it lets tests limit the disk."""

    path: Path
    prepare: Callable[[sqlite3.Connection], None] | None = None

    def create(self) -> None:
        """Make the folder (0700) and an empty file (0600) where there is none.

        An existing file is never opened here: closing it would drop the locks that SQLite's
        connections of this process hold on it (POSIX advisory locks).
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))

    def place(self) -> tuple[int, int] | None:
        """Which file is at the path now (device and inode); None when there is none that can be seen."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def connect(self, *, wait: float = BUSY_SECONDS, read_only: bool = False) -> sqlite3.Connection:
        """Connect to the existing file; `wait` is the time in seconds to wait for a lock."""
        connection = sqlite3.connect(
            f"file:{quote(str(self.path))}?mode=rw",
            uri=True,
            timeout=wait,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_CACHED_STATEMENTS,
        )
        try:
            self._set_up(connection, read_only=read_only)
        except BaseException:
            connection.close()
            raise
        return connection

    def _set_up(self, connection: sqlite3.Connection, *, read_only: bool) -> None:
        for pragma in _ON_EVERY_CONNECTION:
            connection.execute(pragma)
        if self.prepare is not None:
            self.prepare(connection)
        if read_only:
            connection.execute("PRAGMA query_only = ON")


@contextmanager
def transaction(connection: sqlite3.Connection, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    """Commit at the end, or roll back: whatever happens, the connection is usable afterwards."""
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled back by itself
            connection.execute("ROLLBACK")
        raise
