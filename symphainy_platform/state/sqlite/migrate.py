"""The schema: its steps, which of them a file has, and applying those that it lacks."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from symphainy_platform.context import Clock, isoformat
from symphainy_platform.errors import StoreRefusedError
from symphainy_platform.state.sqlite.connection import BUSY_SECONDS, DatabaseFile, transaction
from symphainy_platform.state.sqlite.faults import at_start, is_busy
from symphainy_platform.state.steps import SchemaStep, find_step, steps_to_apply, told_steps
from symphainy_platform.state.transfer import UNFINISHED

_FOLDER = Path(__file__).with_name("migrations")
_OLDEST_SQLITE = (3, 37, 0)  # STRICT tables; RETURNING is older
_RETRY_SECONDS = 0.01


@cache
def known_steps() -> dict[str, str]:
    """Return the SQL of every step by its name, in order."""
    return {path.stem: path.read_text("utf-8") for path in sorted(_FOLDER.glob("*.sql"))}


def applied_steps(connection: sqlite3.Connection) -> list[str]:
    """Return the names of the steps that a file has, in order; none when it is empty."""
    if not _has_table(connection, "schema_migrations"):
        return []
    return [name for (name,) in connection.execute("SELECT name FROM schema_migrations ORDER BY name").fetchall()]


def check_sqlite() -> None:
    """Refuse a SQLite library that lacks what the schema uses."""
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        wanted = ".".join(map(str, _OLDEST_SQLITE))
        msg = f"SQLite {sqlite3.sqlite_version} is too old: use a Python whose SQLite is {wanted} or newer."
        raise StoreRefusedError(msg)


def check_not_newer(path: Path, applied: list[str]) -> None:
    """Refuse a file with steps that this code does not know."""
    if UNFINISHED in applied:
        msg = f"The store {path} is an unfinished copy: run the same `symphainy copy` again, and it goes on."
        raise StoreRefusedError(msg)
    if unknown := [name for name in applied if name not in known_steps()]:
        msg = f"The store {path} is newer than this program (it has {unknown[-1]}): upgrade the program."
        raise StoreRefusedError(msg)


def check_current(path: Path, connection: sqlite3.Connection) -> None:
    """Refuse a file whose schema is not exactly the one of this code."""
    applied = applied_steps(connection)
    check_not_newer(path, applied)
    if len(applied) < len(known_steps()):
        msg = f"The store {path} has no current schema: run `symphainy migrate`."
        raise StoreRefusedError(msg)


def migrate_file(file: DatabaseFile, clock: Clock, *, to: str | None = None, dry_run: bool) -> list[str]:
    """Apply the missing steps up to `to` (or only name them); safe when several processes start at once."""
    check_sqlite()
    last = find_step(known_steps(), to) if to is not None else None  # before there is a file
    if dry_run and not file.path.exists():
        return steps_to_apply(known_steps(), [], last)
    try:
        return _migrate(file, clock, last, dry_run=dry_run)
    except (sqlite3.Error, OSError) as error:
        raise at_start(file.path, error) from error


def file_steps(file: DatabaseFile) -> list[SchemaStep]:
    """Tell every step, and when the file got it; makes no file."""
    check_sqlite()
    if not file.path.exists():
        return told_steps(known_steps(), {})
    try:
        return _steps(file)
    except (sqlite3.Error, OSError) as error:
        raise at_start(file.path, error) from error


def _steps(file: DatabaseFile) -> list[SchemaStep]:
    connection = file.connect()
    try:
        with transaction(connection, "BEGIN"):
            applied = _applied(file.path, connection)
            times = connection.execute("SELECT name, applied_at FROM schema_migrations").fetchall() if applied else ()
    finally:
        connection.close()
    return told_steps(known_steps(), dict(times))


def _migrate(file: DatabaseFile, clock: Clock, to: str | None, *, dry_run: bool) -> list[str]:
    file.create()
    connection = file.connect()
    try:
        with transaction(connection, "BEGIN"):  # one snapshot: another process may be migrating now
            missing = _missing(file.path, connection, to)
        if dry_run:
            return missing
        if missing:
            missing = _apply(file.path, connection, clock, to)
        use_wal(file.path, connection)
        return missing
    finally:
        connection.close()


def _missing(path: Path, connection: sqlite3.Connection, to: str | None) -> list[str]:
    return steps_to_apply(known_steps(), _applied(path, connection), to)


def _applied(path: Path, connection: sqlite3.Connection) -> list[str]:
    applied = applied_steps(connection)
    check_not_newer(path, applied)
    if not applied and connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        msg = f"The file {path} is a database of another program: choose another path for the store."
        raise StoreRefusedError(msg)
    return applied


def _apply(path: Path, connection: sqlite3.Connection, clock: Clock, to: str | None) -> list[str]:
    with transaction(connection, "BEGIN EXCLUSIVE"):
        missing = _missing(path, connection, to)  # again: another process may have been faster
        for name in missing:
            for statement in _statements(known_steps()[name]):
                connection.execute(statement)
            connection.execute("INSERT INTO schema_migrations VALUES (?, ?)", (name, isoformat(clock.now())))
    return missing


def _statements(script: str) -> Iterator[str]:
    """Split a script; executescript() would commit the open transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def use_wal(path: Path, connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging, which the file remembers: nothing to do but the first time.

    SQLite does not wait for a lock here. Raises StoreRefusedError where the file system cannot do it.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_SECONDS)
        else:
            break
    if mode != "wal":
        msg = f"The store {path} is on a file system without write-ahead logging: put it on a local disk."
        raise StoreRefusedError(msg)


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    found = connection.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", (name,))
    return found.fetchone() is not None
