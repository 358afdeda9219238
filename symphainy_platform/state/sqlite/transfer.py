"""The raw rows of a file, for copies of whole stores."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

import orjson

from symphainy_platform.errors import StoreRefusedError
from symphainy_platform.state.records import AuditPosition
from symphainy_platform.state.sqlite import cursors
from symphainy_platform.state.sqlite.audit import read_position, write_position
from symphainy_platform.state.sqlite.connection import DatabaseFile, transaction
from symphainy_platform.state.sqlite.domain import quoted
from symphainy_platform.state.sqlite.epochs import Epochs
from symphainy_platform.state.sqlite.faults import ITEM_FAULTS, at_start
from symphainy_platform.state.sqlite.migrate import applied_steps, check_current
from symphainy_platform.state.sqlite.queries import SQL
from symphainy_platform.state.transfer import EVENTS, SECRETS, UNFINISHED, Audited, Page, Progress, Values, not_copied

T = TypeVar("T")
_MARK = "copy"
_KEPT_HERE = {"schema_migrations", "outbox_epochs"}
_NAMED_BY = ("tenant_id", "execution_id", "type")
_NUMBERED_HERE = {"outbox", "sealed_keys"}
"""Tables whose `id` is the store's own order."""


@dataclass(frozen=True, slots=True)
class _Table:
    """A table: the columns that travel, and those that order it."""

    name: str
    columns: tuple[str, ...]
    order: tuple[str, ...]


class SqliteTransfer:
    """The rows of one file (see `Transfer` for what each verb means); each verb has a connection of its own."""

    def __init__(self, file: DatabaseFile) -> None:
        """Touch nothing yet."""
        self._file = file
        self.name = f"the store {file.path}"

    async def check(self) -> None:
        """Refuse a file that is not there, or whose schema is another."""
        if not self._file.path.exists():
            msg = f"There is no store at {self._file.path}."
            raise StoreRefusedError(msg)
        await self._run(lambda connection: check_current(self._file.path, connection))

    async def tables(self) -> Mapping[str, frozenset[str]]:
        """Every table with its columns."""
        found = await self._run(_tables)
        return {table.name: frozenset(table.columns) for table in found.values()}

    async def count(self, table: str) -> int:
        """Count the rows."""

        def count(connection: sqlite3.Connection) -> int:
            where, values = _filter(connection, table)
            found: int = connection.execute(f"SELECT count(*) FROM {quoted(table)} WHERE {where}", values).fetchone()[0]  # noqa: S608 - of the schema, quoted
            return found

        return await self._run(count)

    async def export_rows(self, table: str, after: str | None, limit: int) -> Page:
        """Read the next rows, in the order in which they were written."""
        return await self._run(lambda connection: _page(connection, table, after, limit))

    async def audited(self) -> Audited:
        """Read the position, as the number of copied events up to it."""
        return await self._run(_audited)

    async def unfinished(self) -> Progress | None:
        """Read the mark."""
        if not self._file.path.exists():
            return None
        return await self._run(_unfinished)

    async def begin(self, progress: Progress) -> None:
        """Mark the file, if no table has rows."""
        await self._run(lambda connection: _begin(connection, self.name, progress))

    async def import_rows(self, table: str, rows: Sequence[Values], before: Progress, then: Progress) -> None:
        """Write a page in one transaction."""

        def write(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                _move_mark(connection, self.name, before, then)
                _insert(connection, self.name, table, rows)

        await self._run(write)

    async def finish(self, audited: Audited) -> None:
        """Set the audit's position and take the mark away."""
        await self._run(lambda connection: _finish(connection, audited))

    async def close(self) -> None:
        """Do nothing: no connection outlives its verb."""

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.to_thread(self._on_connection, work)

    def _on_connection(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            with closing(self._file.connect()) as connection:
                return work(connection)
        except sqlite3.Error as error:
            raise at_start(self._file.path, error) from error


def _tables(connection: sqlite3.Connection) -> dict[str, _Table]:
    names = connection.execute(SQL["tables"]).fetchall()
    return {name: _table(connection, name, keyed=bool(keyed)) for name, keyed in names if name not in _KEPT_HERE}


def _table(connection: sqlite3.Connection, name: str, *, keyed: bool) -> _Table:
    rows = connection.execute("SELECT name, pk FROM pragma_table_info(?)", (name,)).fetchall()
    key = sorted((place, column) for column, place in rows if place)
    columns = tuple(column for column, _ in rows if not (column == "id" and name in _NUMBERED_HERE))
    return _Table(name, columns, tuple(column for _, column in key) if keyed else ("rowid",))


def _filter(connection: sqlite3.Connection, table: str) -> tuple[str, tuple[str | int, ...]]:
    """Which rows travel: of `meta` the secrets, of the events those that are in no audit chain."""
    if table == SECRETS:
        return "name GLOB 'secret:*'", ()
    position = read_position(connection) if table == EVENTS else AuditPosition()
    place = cursors.event_place(position.cursor)
    if place is None or not position.types:
        return "1", ()
    return "(id > ? OR type NOT IN (SELECT value FROM json_each(?)))", (place[1], _text(sorted(position.types)))


def _page(connection: sqlite3.Connection, name: str, after: str | None, limit: int) -> Page:
    table = _tables(connection)[name]
    where, values = _filter(connection, name)
    order = ", ".join(map(quoted, table.order))
    if after is not None:
        where = f"{where} AND ({order}) > ({', '.join('?' * len(table.order))})"
        values = (*values, *orjson.loads(after))
    columns = ", ".join(map(quoted, table.columns))
    query = f"SELECT {order}, {columns} FROM {quoted(name)} WHERE {where} ORDER BY {order} LIMIT ?"  # noqa: S608 - of the schema, quoted
    found = connection.execute(query, (*values, limit)).fetchall()
    keys = len(table.order)
    rows = [dict(zip(table.columns, row[keys:], strict=True)) for row in found]
    return Page(rows, _text(found[-1][:keys]) if len(found) == limit else None)


def _audited(connection: sqlite3.Connection) -> Audited:
    position = read_position(connection)
    place = cursors.event_place(position.cursor)
    if place is None:
        return Audited(tuple(sorted(position.types)))
    where, values = _filter(connection, EVENTS)
    count = f"SELECT count(*) FROM outbox WHERE id <= ? AND {where}"  # noqa: S608 - a text of ours
    return Audited(tuple(sorted(position.types)), connection.execute(count, (place[1], *values)).fetchone()[0])


def _unfinished(connection: sqlite3.Connection) -> Progress | None:
    if UNFINISHED not in applied_steps(connection):
        return None
    return Progress.read(connection.execute(SQL["meta"], (_MARK,)).fetchone()[0])


def _begin(connection: sqlite3.Connection, name: str, progress: Progress) -> None:
    with transaction(connection):
        for table in _tables(connection):
            if table != SECRETS and connection.execute(f"SELECT 1 FROM {quoted(table)} LIMIT 1").fetchone():  # noqa: S608 - of the schema, quoted
                msg = f"{name} holds data already ({table}): copy into an empty store."
                raise StoreRefusedError(msg)
        connection.execute(SQL["forget_secrets"])
        connection.execute(SQL["put_meta"], (_MARK, progress.text()))
        connection.execute(SQL["mark_unfinished"], (UNFINISHED,))


def _move_mark(connection: sqlite3.Connection, name: str, before: Progress, then: Progress) -> None:
    if connection.execute(SQL["move_mark"], (then.text(), _MARK, before.text())).rowcount != 1:
        msg = f"{name} is the target of another copy that is at work."
        raise StoreRefusedError(msg)


def _insert(connection: sqlite3.Connection, name: str, table: str, rows: Sequence[Values]) -> None:
    if not rows:
        return
    columns = list(rows[0])
    marks = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {quoted(table)} ({', '.join(map(quoted, columns))}) VALUES ({marks})"  # noqa: S608 - of the schema, quoted
    for row in rows:
        try:
            connection.execute(statement, [row[column] for column in columns])
        except ITEM_FAULTS as error:
            raise not_copied(name, table, _key(connection, table, row), str(error)) from error


def _key(connection: sqlite3.Connection, table: str, row: Values) -> Values:
    """What a row is known by, for people: its primary key, or what an event has instead."""
    columns = _tables(connection)[table].order
    return {column: row[column] for column in (columns if columns[0] in row else _NAMED_BY) if column in row}


def _finish(connection: sqlite3.Connection, audited: Audited) -> None:
    with transaction(connection):
        if audited.types:
            epoch = Epochs(connection, audited.taken).of(audited.taken)
            cursor = cursors.event_cursor(epoch, audited.taken) if audited.taken else AuditPosition().cursor
            write_position(connection, AuditPosition(cursor, frozenset(audited.types)))
        connection.execute(SQL["forget_meta"], (_MARK,))
        connection.execute(SQL["unmark"], (UNFINISHED,))


def _text(values: Sequence[str | int]) -> str:
    return orjson.dumps(values).decode()
