"""What a store holds, table by table, and what one submission changed of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
_Frozen = tuple[tuple[str, Hashable], ...]

KEPT_BY_THE_STORE = frozenset(
    {
        "audit_state",
        "meta",
        "outbox_epochs",
        "outbox_state",
        "readable_types",
        "schema_migrations",
        "sealed_keys",
    }
)
"""Tables that hold no state of intents."""


@dataclass(frozen=True, slots=True)
class State:
    """Every row of every table. Equal states hold the same rows, in whatever order."""

    tables: Mapping[str, tuple[_Frozen, ...]]

    @classmethod
    def of(cls, dump: Mapping[str, Sequence[Row]]) -> State:
        """Freeze a dump; what the store keeps for itself is left out."""
        kept = {name: rows for name, rows in dump.items() if name not in KEPT_BY_THE_STORE}
        return cls({name: tuple(tuple(row.items()) for row in rows) for name, rows in kept.items()})

    def rows(self, table: str) -> list[Row]:
        """The rows of one table."""
        return [dict(row) for row in self.tables.get(table, ())]


@dataclass(frozen=True, slots=True)
class Delta:
    """Rows that came and rows that went, by table; a changed row does both."""

    added: Mapping[str, tuple[Row, ...]]
    removed: Mapping[str, tuple[Row, ...]]

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.added or self.removed)

    @property
    def shape(self) -> dict[str, tuple[int, int]]:
        """How many rows came and went in each table that changed: the effect without its ids and times."""
        return {name: (len(self.came(name)), len(self.went(name))) for name in self.tables}

    @property
    def tables(self) -> list[str]:
        """The tables that changed."""
        return sorted({*self.added, *self.removed})

    def came(self, table: str) -> tuple[Row, ...]:
        """Rows that are new in a table."""
        return self.added.get(table, ())

    def went(self, table: str) -> tuple[Row, ...]:
        """Rows that are no longer in a table."""
        return self.removed.get(table, ())

    def without(self, *tables: str) -> Delta:
        """The same change, some tables aside."""
        return Delta(
            {name: rows for name, rows in self.added.items() if name not in tables},
            {name: rows for name, rows in self.removed.items() if name not in tables},
        )

    def __str__(self) -> str:
        """Such as `artifacts +1 -0, outbox +1 -0`, or `nothing`."""
        return ", ".join(f"{name} +{came} -{went}" for name, (came, went) in self.shape.items()) or "nothing"


def difference(before: State, after: State) -> Delta:
    """What has changed from one state to the other."""
    names = {*before.tables, *after.tables}
    counted = {name: (Counter(before.tables.get(name, ())), Counter(after.tables.get(name, ()))) for name in names}
    return Delta(
        _rows({name: new - old for name, (old, new) in counted.items()}),
        _rows({name: old - new for name, (old, new) in counted.items()}),
    )


def _rows(counted: Mapping[str, Counter[_Frozen]]) -> dict[str, tuple[Row, ...]]:
    return {name: tuple(dict(row) for row in rows.elements()) for name, rows in counted.items() if rows}
