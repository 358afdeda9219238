"""Moving a whole store into an empty one, of whatever sort: page by page, resumable, verified at its end.

Rows travel as plain values: JSON as text, times as ISO-8601 UTC, truth values as 0 and 1. Between `begin` and
`finish` the target is marked as an unfinished copy, and no program opens it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

import orjson

from symphainy_platform.errors import StartError, StoreRefusedError

PAGE = 100
"""Rows that are read, or written in one transaction, at once; fewer where they are large."""

MOST_BYTES = 8 * 1024 * 1024
"""Text and bytes of a page, unless it is one row."""

UNFINISHED = "unfinished copy"
"""Stands among the steps of a target's schema, until the copy is finished."""

SECRETS = "meta"
"""The table of the store's secrets; of it nothing else is copied."""

EVENTS = "outbox"
"""The table whose rows have an order beside their values."""

_LEAST, _MOST = -(2**63), 2**64 - 1
"""Whole numbers that JSON is read as; others become floats."""

Values = Mapping[str, Any]
"""A row: columns by name, each a text, a number, bytes or None."""


_LONGEST = 60
"""Characters that are shown of a key's value."""


def not_copied(name: str, table: str, key: Values, why: str) -> StoreRefusedError:
    """The refusal of one row that the store `name` cannot hold: where it is, and why."""
    values = ", ".join(f"{column} {_shortened(value)}" for column, value in key.items())
    return StoreRefusedError(f"{name} cannot hold the row of {table} with {values}: {why}.")


def _shortened(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


class CopyDiffersError(StartError):
    """The copy does not hold what its source holds; the target stays marked as unfinished."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far the copy of one table has come: `after` is the source's word for its last row."""

    after: str | None = None
    rows: int = 0
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a copy has come. `source` tells a store from every other by its secrets, of which it tells nothing."""

    source: str
    tables: Mapping[str, Place] = field(default_factory=dict)

    def at(self, table: str) -> Place:
        """How far the copy of one table has come."""
        return self.tables.get(table, Place())

    def moved(self, table: str, place: Place) -> Progress:
        """The same, with one table further."""
        return replace(self, tables={**self.tables, table: place})

    def text(self) -> bytes:
        """As it is kept in the target."""
        return orjson.dumps(asdict(self), option=orjson.OPT_SORT_KEYS)

    @classmethod
    def read(cls, text: bytes) -> Progress:
        """Read what `text` has written."""
        kept = orjson.loads(text)
        return cls(kept["source"], {name: Place(**place) for name, place in kept["tables"].items()})


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a table in the order of their store; `after` continues behind them, None at the end."""

    rows: Sequence[Values]
    after: str | None


@dataclass(frozen=True, slots=True)
class Audited:
    """How far the audit has come: the audited types, and how many of the copied events it has looked at."""

    types: tuple[str, ...] = ()
    taken: int = 0


class Transfer(Protocol):
    """Raw rows of one store. Raises StoreRefusedError or DatabaseUnavailable when it cannot be used.

    Events that are in an audit chain are not exported: a chain names them by their cursors, which are
    others in a copy, and keeps them for good.
    """

    name: str
    """The store for people, without its password."""

    async def check(self) -> None:
        """Refuse a store whose schema is not the one of this code."""

    async def tables(self) -> Mapping[str, frozenset[str]]:
        """Every table that a copy holds, with the columns that travel."""

    async def count(self, table: str) -> int:
        """How many rows of a table travel."""

    async def export_rows(self, table: str, after: str | None, limit: int) -> Page:
        """At most `limit` rows behind `after` (None: from the first)."""

    async def audited(self) -> Audited:
        """How far the audit has come."""

    async def unfinished(self) -> Progress | None:
        """How far the copy into this store has come; None when it is not a copy that was begun. Needs no schema."""

    async def begin(self, progress: Progress) -> None:
        """Mark an empty store as an unfinished copy. Raises StoreRefusedError when it holds anything."""

    async def import_rows(self, table: str, rows: Sequence[Values], before: Progress, then: Progress) -> None:
        """Write rows and move the mark from `before` to `then`, both or neither; durable when this returns.

        Raises StoreRefusedError when the mark is not `before`: another copy is at work.
        """

    async def finish(self, audited: Audited) -> None:
        """Set the audit's position, and take the mark away: the store may be opened now."""

    async def close(self) -> None:
        """Let go of every connection. Idempotent."""


@runtime_checkable
class Transferable(Protocol):
    """What a store has beside the port when it can be copied from and to, without being open."""

    def transfer(self) -> Transfer:
        """Its raw rows."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TableReport:
    """What was copied of one table, and verified: the digest is of all rows, in whatever order."""

    table: str
    rows: int
    digest: str


Told = Callable[[str, int, int], None]
"""Is told of a phase (`copied` or `verified`), the rows so far, and the rows in all."""


class Copying:
    """One copy of a whole store."""

    def __init__(self, source: Transfer, target: Transfer, told: Told, *, page: int = PAGE) -> None:
        """Copy from `source` into `target`, whose schema is current."""
        self._source = source
        self._target = target
        self._told = told
        self._page = page
        self._total = 0

    async def run(self) -> list[TableReport]:
        """Copy, or go on with a copy that ended before its end; verify, and finish.

        Raises CopyDiffersError when the source was written meanwhile.
        """
        await self._source.check()
        tables = await self._tables()
        self._total = sum([await self._source.count(table) for table in tables])
        progress = await self._begun()
        for table in tables:
            progress = await self._copy(table, progress)
        reports = await self._verify(tables)
        await self._target.finish(await self._source.audited())
        return reports

    async def _tables(self) -> list[str]:
        theirs, ours = await self._source.tables(), await self._target.tables()
        for table, columns in theirs.items():
            if columns != ours.get(table) and await self._source.count(table):
                msg = f"{self._target.name} has no table {table} as {self._source.name} has it: migrate it first."
                raise StoreRefusedError(msg)
        return sorted(table for table, columns in theirs.items() if columns == ours.get(table))

    async def _begun(self) -> Progress:
        """The mark in the target, which is made when there is none yet."""
        source = await self._identity()
        progress = await self._target.unfinished()
        if progress is None:
            progress = Progress(source)
            await self._target.begin(progress)
        elif progress.source != source:
            msg = f"{self._target.name} is an unfinished copy of another store than {self._source.name}."
            raise StoreRefusedError(msg)
        return progress

    async def _identity(self) -> str:
        rows = (await self._source.export_rows(SECRETS, None, PAGE)).rows
        return hashlib.sha256(b"".join(sorted(map(_canonical, rows)))).hexdigest()

    async def _copy(self, table: str, progress: Progress) -> Progress:
        """Copy what is missing of a table; an order of its own stands in the place of each event."""
        limit = self._page
        while not (at := progress.at(table)).complete:
            page = await self._source.export_rows(table, at.after, limit)
            if limit > 1 and _size(page) > MOST_BYTES:
                limit = max(1, limit // 4)
                continue
            rows = _numbered(page.rows, at.rows) if table == EVENTS else page.rows
            place = Place(page.after or at.after, at.rows + len(rows), complete=page.after is None)
            then = progress.moved(table, place)
            await self._target.import_rows(table, rows, progress, then)
            progress = then
            self._told("copied", sum(each.rows for each in progress.tables.values()), self._total)
        return progress

    async def _verify(self, tables: Sequence[str]) -> list[TableReport]:
        """Read both stores once more, from the first row to the last."""
        reports: list[TableReport] = []
        for table in tables:
            before = sum(report.rows for report in reports)
            theirs = await self._digest(self._source, table)
            self._told("verified", before + theirs.rows, self._total)
            ours = await self._digest(self._target, table)
            if ours != theirs:
                msg = (
                    f"{table} differs: {theirs.rows} rows in {self._source.name}, {ours.rows} in {self._target.name}."
                    " Stop whatever writes to either, and copy once more into an empty store."
                )
                raise CopyDiffersError(msg)
            reports.append(ours)
        return reports

    async def _digest(self, store: Transfer, table: str) -> TableReport:
        total, count, after, more = 0, 0, None, True
        while more:
            page = await store.export_rows(table, after, self._page)
            rows = _numbered(page.rows, count) if table == EVENTS else page.rows
            total += sum(int.from_bytes(hashlib.sha256(_canonical(row)).digest(), "big") for row in rows)
            count, after, more = count + len(rows), page.after, page.after is not None
        return TableReport(table=table, rows=count, digest=f"{total % 2**256:064x}")


def _size(page: Page) -> int:
    """About the bytes of a page: what is no text and no bytes is small."""
    return sum(len(value) for row in page.rows for value in row.values() if isinstance(value, (str, bytes)))


def _numbered(rows: Sequence[Values], before: int) -> list[Values]:
    """Events with the number that is their place in the copy."""
    return [{**row, "id": number} for number, row in enumerate(rows, before + 1)]


def _canonical(row: Values) -> bytes:
    """A row as every store would write it: JSON inside it by its values, not by its text."""
    return orjson.dumps({name: _plain(value) for name, value in row.items()}, option=orjson.OPT_SORT_KEYS)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return ["bytes", value.hex()]
    if not isinstance(value, str) or not value.startswith(("{", "[")):
        return value
    try:
        return ["json", orjson.dumps(_numbers(orjson.loads(value)), option=orjson.OPT_SORT_KEYS).decode()]
    except ValueError:  # a text that only looks like it
        return value


def _numbers(value: Any) -> Any:
    """Whole numbers as such: a database may write 100 for 1e2."""
    if isinstance(value, dict):
        return {name: _numbers(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_numbers(each) for each in value]
    return _number(value) if isinstance(value, float) and value.is_integer() else value


def _number(value: float) -> int | float:
    """A whole float as the digits say that a database keeps of it; one beyond 64 bits is read as a float anyway."""
    whole = int(Decimal(repr(value)))
    return whole if _LEAST <= whole <= _MOST else value
