"""Domain rows: which tables and columns services may write, and the upserts for them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from symphainy_platform.state import domain
from symphainy_platform.state.records import RowWrite
from symphainy_platform.state.rows import Unstorable, to_json

_OWN_TABLES = frozenset(
    {
        "executions",
        "artifacts",
        "artifact_versions",
        "artifact_log",
        "outbox",
        "outbox_epochs",
        "meta",
        "audit",
        "sealed_keys",
        "schema_migrations",
    },
)
"""The store's own; no service writes them as rows."""

_COLUMNS = """
SELECT tables.name, columns.name, columns.pk > 0
  FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns WHERE tables.type = 'table'
"""

_SCALARS = frozenset({str, int, float, bool, type(None), bytes})


@dataclass(frozen=True, slots=True)
class _Statements:
    """The statements for one shape of row; both take the values, the tenant and the key."""

    update: str
    insert: str


@dataclass(frozen=True, slots=True)
class DomainTables(domain.DomainTables):
    """The domain tables of a file, and how to write them; statements are composed once each."""

    _statements: dict[tuple[str, ...], _Statements] = field(default_factory=dict)

    def write(self, cursor: sqlite3.Cursor, tenant_id: str, row: RowWrite) -> None:
        """Set the values of a row, or insert it with them. Raises Unstorable for unknown names.

        Not an upsert: that would ask for all columns that may not be null, also of an update.
        """
        shape = (row.table, *row.key, "", *row.values)
        statements = self._statements.get(shape) or self._statements.setdefault(shape, self._compose(row))
        parameters = (*map(_column_value, row.values.values()), tenant_id, *row.key.values())
        if not row.values or cursor.execute(statements.update, parameters).rowcount == 0:
            cursor.execute(statements.insert, parameters)

    def forget(self, cursor: sqlite3.Cursor, table: str, tenant_id: str, key: str) -> None:
        """Delete the row of a table whose one key column has this value."""
        found = self.tables.get(table)
        if found is None or len(found.key) != 1:
            msg = f"there is no domain table {table!r} with one key column"
            raise Unstorable(msg)
        place = f"{quoted(table)} WHERE tenant_id = ? AND {quoted(next(iter(found.key)))} = ?"
        cursor.execute(f"DELETE FROM {place}", (tenant_id, key))  # noqa: S608 - names of the schema, quoted

    def _compose(self, row: RowWrite) -> _Statements:
        """Compose statements from names that the schema has; nothing else ever becomes SQL."""
        self.check(row)
        return _statements_for(row)


def read_domain_tables(connection: sqlite3.Connection) -> DomainTables:
    """Read the domain tables from the schema: every table with a tenant that is not the store's own."""
    rows = [row for row in connection.execute(_COLUMNS) if row[0] not in _OWN_TABLES]
    of_tenants = {table for table, column, _ in rows if column == "tenant_id"}
    return DomainTables(domain.domain_tables(row for row in rows if row[0] in of_tenants).tables)


def _statements_for(row: RowWrite) -> _Statements:
    table = quoted(row.table)
    keys = ["tenant_id", *map(quoted, row.key)]
    values = list(map(quoted, row.values))
    columns = ", ".join([*values, *keys])
    marks = ", ".join("?" * (len(keys) + len(values)))
    sets = ", ".join(f"{column} = ?" for column in values)
    place = " AND ".join(f"{column} = ?" for column in keys)
    if_exists = "" if values else "ON CONFLICT DO NOTHING"
    return _Statements(  # names of the schema, quoted
        update=f"UPDATE {table} SET {sets} WHERE {place}",  # noqa: S608
        insert=f"INSERT INTO {table} ({columns}) VALUES ({marks}) {if_exists}",  # noqa: S608
    )


def quoted(name: str) -> str:
    """A name of the schema as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def _column_value(value: Any) -> Any:
    if type(value) in _SCALARS:
        return value
    return to_json(value) if isinstance(value, (Mapping, list, tuple)) else value
