"""Domain rows: which tables and columns services may write, and the upserts for them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from symphainy_platform.state.records import RowWrite
from symphainy_platform.state.sqlite.faults import Unstorable
from symphainy_platform.state.sqlite.rows import Row, to_json

_OWN_TABLES = frozenset(
    {"executions", "artifacts", "artifact_versions", "artifact_log", "outbox", "meta", "schema_migrations"},
)
"""The store's own; no service writes them as rows."""


@dataclass(frozen=True, slots=True)
class DomainTable:
    """A table that services may write: its columns, and those of its primary key beside the tenant."""

    columns: frozenset[str]
    key: frozenset[str]


@dataclass(frozen=True, slots=True)
class DomainTables:
    """The domain tables of a database, as its schema says; statements are composed once each."""

    tables: Mapping[str, DomainTable]
    _upserts: dict[tuple[str, ...], str] = field(default_factory=dict)

    def upsert(self, tenant_id: str, row: RowWrite) -> tuple[str, Row]:
        """Return the statement and its parameters. Raises Unstorable for unknown names."""
        shape = (row.table, *row.key, "", *row.values)
        statement = self._upserts.get(shape) or self._upserts.setdefault(shape, self._compose(row))
        return statement, (tenant_id, *row.key.values(), *map(_column_value, row.values.values()))

    def _compose(self, row: RowWrite) -> str:
        """Compose an upsert from names that the schema has; nothing else ever becomes SQL."""
        table = self.tables.get(row.table)
        if table is None:
            msg = f"there is no domain table {row.table!r}"
            raise Unstorable(msg)
        if row.key.keys() != table.key:
            msg = f"a row of {row.table!r} is named by {sorted(table.key)}"
            raise Unstorable(msg)
        if unknown := row.values.keys() - (table.columns - table.key - {"tenant_id"}):
            msg = f"{row.table!r} has no settable columns {sorted(unknown)}"
            raise Unstorable(msg)
        return _upsert_text(row)


def read_domain_tables(connection: sqlite3.Connection) -> DomainTables:
    """Read the domain tables from the schema: every table with a tenant that is not the store's own."""
    names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    found = {name: _read_table(connection, name) for (name,) in names.fetchall() if name not in _OWN_TABLES}
    return DomainTables({name: table for name, table in found.items() if "tenant_id" in table.columns})


def _read_table(connection: sqlite3.Connection, name: str) -> DomainTable:
    rows = connection.execute("SELECT name, pk FROM pragma_table_info(?)", (name,)).fetchall()
    return DomainTable(
        columns=frozenset(column for column, _ in rows),
        key=frozenset(column for column, place in rows if place and column != "tenant_id"),
    )


def _upsert_text(row: RowWrite) -> str:
    keys = ", ".join(["tenant_id", *map(_quoted, row.key)])
    columns = ", ".join([keys, *map(_quoted, row.values)])
    marks = ", ".join("?" * (1 + len(row.key) + len(row.values)))
    sets = ", ".join(f"{_quoted(column)} = excluded.{_quoted(column)}" for column in row.values)
    action = f"UPDATE SET {sets}" if sets else "NOTHING"
    return f"INSERT INTO {_quoted(row.table)} ({columns}) VALUES ({marks}) ON CONFLICT ({keys}) DO {action}"  # noqa: S608 - names of the schema, quoted


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _column_value(value: Any) -> Any:
    return to_json(value) if isinstance(value, (Mapping, list, tuple)) else value
