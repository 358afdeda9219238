"""The raw rows of a database, for copies of whole stores."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncpg
import orjson

from symphainy_platform.errors import StoreRefusedError
from symphainy_platform.state.postgres.connections import Database, end
from symphainy_platform.state.postgres.driver import Connection
from symphainy_platform.state.postgres.events import place_in, read_outbox
from symphainy_platform.state.postgres.faults import DATABASE_ERRORS, at_start, is_of_item
from symphainy_platform.state.postgres.migrate import applied_steps, check_current, no_url, place_of
from symphainy_platform.state.postgres.queries import SQL
from symphainy_platform.state.transfer import EVENTS, SECRETS, UNFINISHED, Audited, Page, Progress, Values, not_copied

T = TypeVar("T")
_PAGE_SECONDS = 60.0
"""What writing a page may take; nobody waits for an answer."""
_COUNTING_SECONDS = 3600.0
"""Counting goes through a whole table."""
_MARK = "copy"
_POSITION = 1
"""Of all copied events: above what is before every event, below every transaction's id."""
_ORDERED_BY = {"executions": ("committed_at", "tenant_id", "execution_id"), EVENTS: ("position", "id")}
"""Tables that are not ordered by their primary key."""
_NAMED_BY = {"executions": ("tenant_id", "execution_id"), EVENTS: ("tenant_id", "execution_id", "type")}
"""What rows of these tables are known by, for people."""
_NUMBERED_HERE = {(EVENTS, "position"), (EVENTS, "id"), ("sealed_keys", "id")}
"""Columns that are the store's own order."""
_TIME = "timestamp with time zone"
_EXPORTED = {
    _TIME: """to_char({} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
    "text[]": "to_json({})::text",
    "boolean": "{}::integer",
    **dict.fromkeys(("text", "bytea", "smallint", "integer", "bigint", "double precision"), "{}"),
}
"""How a column of a type is read; of every other as its text."""
_IMPORTED = {
    "text[]": "case when {0} is null then null else array(select json_array_elements_text({0}::json)) end",
    "boolean": "{}::integer::boolean",
    "bytea": "decode({}, 'hex')",
}
"""How a column of a type is written from text; of every other by a cast."""


@dataclass(frozen=True, slots=True)
class _Table:
    """A table: the types of its columns, those that travel, and those that order it."""

    name: str
    types: Mapping[str, str]
    columns: tuple[str, ...]
    order: tuple[str, ...]


class PostgresTransfer:
    """The rows of one database (see `Transfer` for what each verb means), over one connection."""

    def __init__(self, database: Database) -> None:
        """Connect to nothing yet."""
        self._database = database
        self._connection: Connection | None = None
        self._known: dict[str, _Table] = {}
        self._place = place_of(database)
        self.name = f"the store {self._place}"

    async def check(self) -> None:
        """Refuse a database whose schema is another."""
        await self._run(lambda connection: check_current(self._place, connection))

    async def tables(self) -> Mapping[str, frozenset[str]]:
        """Every table with its columns."""
        self._known = _tables(await self._run(lambda connection: connection.fetch(SQL["columns"])))
        return {name: frozenset(table.columns) for name, table in self._known.items()}

    async def count(self, table: str) -> int:
        """Count the rows."""

        async def count(connection: Connection) -> int:
            where, values = await _filter(connection, table)
            query = f"select count(*) from {_named(table)} where {where}"  # noqa: S608 - of the schema, quoted
            counted: int = await connection.fetchval(query, *values, timeout=_COUNTING_SECONDS)
            return counted

        return await self._run(count)

    async def export_rows(self, table: str, after: str | None, limit: int) -> Page:
        """Read the next rows; executions in the order of their commits, events in theirs."""
        return await self._run(lambda connection: _page(connection, self._known[table], after, limit))

    async def audited(self) -> Audited:
        """Read the position, as the number of copied events up to it."""
        return await self._run(_audited)

    async def unfinished(self) -> Progress | None:
        """Read the mark."""
        return await self._run(_unfinished)

    async def begin(self, progress: Progress) -> None:
        """Mark the database, if no table has rows."""
        tables = [name for name in await self.tables() if name != SECRETS]
        await self._run(lambda connection: _begin(connection, self.name, tables, progress))

    async def import_rows(self, table: str, rows: Sequence[Values], before: Progress, then: Progress) -> None:
        """Write a page in one transaction."""

        async def write(connection: Connection) -> None:
            try:
                async with connection.transaction():
                    await _move_mark(connection, self.name, before, then)
                    await _insert(connection, self._known[table], rows)
            except asyncpg.PostgresError as error:
                if not is_of_item(error):
                    raise
                await _name_faulty(connection, self.name, self._known[table], rows)

        await self._run(write)

    async def finish(self, audited: Audited) -> None:
        """Let the database learn what its tables hold now, set the audit's position and take the mark away."""
        await self._run(lambda connection: _finish(connection, audited))

    async def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await end(connection)

    async def _run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        try:
            if self._connection is None:
                self._connection = await self._connect()
            return await work(self._connection)
        except DATABASE_ERRORS as error:
            raise at_start(self._place, error) from error

    async def _connect(self) -> Connection:
        try:
            return await self._database.connect()
        except ValueError:
            raise no_url() from None


def _tables(rows: Sequence[tuple[str, str, str, int | None]]) -> dict[str, _Table]:
    """Gather tables from (table, column, type, place in the primary key)."""
    types: dict[str, dict[str, str]] = {}
    keys: dict[str, dict[int, str]] = {}
    for name, column, kind, place in rows:
        types.setdefault(name, {})[column] = kind
        if place is not None:
            keys.setdefault(name, {})[place] = column
    return {name: _table(name, columns, keys.get(name, {})) for name, columns in types.items()}


def _table(name: str, types: Mapping[str, str], key: Mapping[int, str]) -> _Table:
    columns = tuple(column for column in types if (name, column) not in _NUMBERED_HERE)
    return _Table(name, types, columns, _ORDERED_BY.get(name) or tuple(key[place] for place in sorted(key)))


async def _filter(connection: Connection, table: str) -> tuple[str, list[Any]]:
    """Which rows travel: of `meta` the secrets, of the events those that are in no audit chain."""
    if table == SECRETS:
        return "starts_with(name, 'secret:')", []
    cursor, types = await connection.fetchrow(SQL["audit_position"]) if table == EVENTS else ("", ())
    place = place_in(cursor)
    if place is None or not types:
        return "true", []
    return "((position, id) > ($1, $2) or type <> all ($3::text[]))", [*place, list(types)]


async def _page(connection: Connection, table: _Table, after: str | None, limit: int) -> Page:
    where, values = await _filter(connection, table.name)
    order = ", ".join(_ordered(table, column) for column in table.order)
    if after is not None:
        places = (f"${len(values) + number}::text::{table.types[each]}" for number, each in enumerate(table.order, 1))
        where = f"{where} and ({order}) > ({', '.join(places)})"
        values += orjson.loads(after)
    keys = [f"{_read(table, column)}::text" for column in table.order]
    columns = [_read(table, column) for column in table.columns]
    selected = ", ".join([*keys, *columns])
    query = f"select {selected} from {_named(table.name)} as t where {where} order by {order} limit {limit}"  # noqa: S608 - of the schema, quoted
    found = await connection.fetch(query, *values)
    rows = [dict(zip(table.columns, tuple(row)[len(keys) :], strict=True)) for row in found]
    return Page(rows, orjson.dumps(tuple(found[-1])[: len(keys)]).decode() if len(found) == limit else None)


def _ordered(table: _Table, column: str) -> str:
    """A column itself, not what is selected under its name."""
    name = f"t.{_quoted(column)}"
    return f'{name} collate "C"' if table.types[column] == "text" else name


def _read(table: _Table, column: str) -> str:
    return _EXPORTED.get(table.types[column], "{}::text").format(_quoted(column))


async def _audited(connection: Connection) -> Audited:
    cursor, types = await connection.fetchrow(SQL["audit_position"])
    place = place_in(cursor)
    if place is None:
        return Audited(tuple(types))
    where, values = await _filter(connection, EVENTS)
    first = len(values)
    upto = f"(position, id) <= (${first + 1}, ${first + 2})"
    count = f"select count(*) from symphainy.outbox where {where} and {upto}"  # noqa: S608 - texts of ours
    return Audited(tuple(types), await connection.fetchval(count, *values, *place, timeout=_COUNTING_SECONDS))


async def _unfinished(connection: Connection) -> Progress | None:
    if UNFINISHED not in await applied_steps(connection):
        return None
    return Progress.read(await connection.fetchval(SQL["meta"], _MARK))


async def _begin(connection: Connection, name: str, tables: Sequence[str], progress: Progress) -> None:
    async with connection.transaction():
        for table in tables:
            if await connection.fetchval(f"select exists (select from {_named(table)})"):  # noqa: S608 - of the schema, quoted
                msg = f"{name} holds data already ({table}): copy into an empty store."
                raise StoreRefusedError(msg)
        await connection.execute(SQL["begin_epoch"])
        await connection.execute(SQL["forget_secrets"])
        await connection.execute(SQL["keep_meta"], _MARK, progress.text())
        await connection.execute(SQL["mark_unfinished"], UNFINISHED)


async def _move_mark(connection: Connection, name: str, before: Progress, then: Progress) -> None:
    if await connection.fetchval(SQL["move_mark"], then.text(), _MARK, before.text()) is None:
        msg = f"{name} is the target of another copy that is at work."
        raise StoreRefusedError(msg)


async def _insert(connection: Connection, table: _Table, rows: Sequence[Values]) -> None:
    if rows:
        await connection.execute(_insertion(table, rows[0]), _json(rows), timeout=_PAGE_SECONDS)


async def _name_faulty(connection: Connection, name: str, table: _Table, rows: Sequence[Values]) -> None:
    """Raise StoreRefusedError for the first of the rows that cannot be written; write them one by one, and nothing."""
    async with connection.transaction():
        for row in rows:
            try:
                await _insert(connection, table, [row])
            except asyncpg.PostgresError as error:
                key = {column: row[column] for column in _NAMED_BY.get(table.name, table.order) if column in row}
                raise not_copied(name, table.name, key, str(error.args[0])) from error
        msg = f"{name} cannot hold rows of {table.name} together that it holds one by one."
        raise StoreRefusedError(msg)


def _insertion(table: _Table, row: Values) -> str:
    """Insert rows from a JSON array of objects whose values are texts."""
    given = {column: _written(table.types[column], f"x.{_quoted(column)}") for column in row}
    if table.name == EVENTS:
        given["position"] = str(_POSITION)
    columns, values = ", ".join(map(_quoted, given)), ", ".join(given.values())
    texts = ", ".join(f"{_quoted(column)} text" for column in row)
    return (
        f"insert into {_named(table.name)} ({columns}) overriding system value"  # noqa: S608 - of the schema, quoted
        f" select {values} from json_to_recordset($1::json) as x({texts})"
    )


def _written(kind: str, text: str) -> str:
    return _IMPORTED.get(kind, f"{{}}::{kind}").format(text)


async def _finish(connection: Connection, audited: Audited) -> None:
    await connection.fetchval(SQL["analyse"], timeout=_COUNTING_SECONDS)
    async with connection.transaction():
        if audited.types:
            cursor = (await read_outbox(connection)).cursor((_POSITION, audited.taken)) if audited.taken else "0"
            place = (_POSITION, audited.taken) if audited.taken else (0, 0)
            await connection.execute(SQL["set_audit_position"], cursor, list(audited.types), *place)
        await connection.execute(SQL["forget_meta"], _MARK)
        await connection.execute(SQL["unmark"], UNFINISHED)


def _json(rows: Sequence[Values]) -> str:
    return orjson.dumps([{name: _text(value) for name, value in row.items()} for row in rows]).decode()


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value.hex() if isinstance(value, bytes) else str(value)


def _named(table: str) -> str:
    return f"symphainy.{_quoted(table)}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
