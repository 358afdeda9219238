"""Domain rows: which tables and columns services may write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from symphainy_platform.state.records import RowWrite
from symphainy_platform.state.rows import Unstorable


@dataclass(frozen=True, slots=True)
class DomainTable:
    """A table that services may write: its settable columns, and those that name a row beside the tenant."""

    columns: frozenset[str]
    key: frozenset[str]


@dataclass(frozen=True, slots=True)
class DomainTables:
    """The domain tables of a store, as its schema says."""

    tables: Mapping[str, DomainTable]

    def check(self, row: RowWrite) -> None:
        """Raise Unstorable for names that the schema does not have."""
        table = self.tables.get(row.table)
        if table is None:
            msg = f"there is no domain table {row.table!r}"
            raise Unstorable(msg)
        if row.key.keys() != table.key:
            msg = f"a row of {row.table!r} is named by {sorted(table.key)}"
            raise Unstorable(msg)
        if unknown := row.values.keys() - table.columns:
            msg = f"{row.table!r} has no settable columns {sorted(unknown)}"
            raise Unstorable(msg)


def domain_tables(rows: Iterable[tuple[str, str, bool]]) -> DomainTables:
    """Gather tables from (table, column, whether it is of the key); the tenant's column is not a service's to set."""
    columns: dict[str, set[str]] = {}
    keys: dict[str, set[str]] = {}
    for table, column, in_key in rows:
        kept = keys if in_key else columns
        kept.setdefault(table, set()).add(column)
    return DomainTables(
        {
            table: DomainTable(frozenset(columns.get(table, set()) - {"tenant_id"}), frozenset(key - {"tenant_id"}))
            for table, key in keys.items()
        }
    )
