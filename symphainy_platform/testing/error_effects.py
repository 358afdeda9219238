"""What a failure may commit: exactly the effects that its contract declares for its code, or nothing.

Judged by what the store holds before and after, table by table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from symphainy_platform.contract.catalog import Catalog
from symphainy_platform.contract.compile import CompiledContract
from symphainy_platform.contract.effects import ErrorEffects
from symphainy_platform.errors import ContractViolation
from symphainy_platform.testing.state import Delta, Row, State, difference

_MOVES = frozenset({"version", "lifecycle_state", "intent_type", "execution_id", "updated_at", "due_at"})
"""Columns of an artifact that follow its state; all others are its content."""

_OF_THE_RUNTIME = frozenset({"executions", "artifacts", "artifact_versions", "outbox"})
_FOLLOWING = ("lifecycle_state", "version", "updated_at")
"""Columns of a domain row that repeat the artifact's, where the table has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failure that a store has seen: its code and execution, and the store before and after."""

    contract: CompiledContract
    catalog: Catalog
    code: str
    execution_id: str | None
    before: State
    after: State

    def faults(self) -> Iterator[str]:
        """What is there beside the declared effects, and what of them is missing, as sentences."""
        delta = difference(self.before, self.after)
        declared = self.contract.error(self.code)
        if declared is None or declared.effects is None:
            if written := _written(delta):
                yield f"{self.code}, yet something was written: {written}"
        elif _written(delta) or not self._has_happened(declared.effects):
            found = _Effects(self, declared.effects, delta)
            yield from (f"{self.code}: {fault}" for fault in found.faults())

    @property
    def types(self) -> set[str]:
        """Artifact types that the intent works on: what its failure may move."""
        effects = self.contract.contract.effects
        updated = {write.artifact for write in effects.writes if write.artifact and write.operation == "update"}
        return updated | {read.artifact for read in effects.reads}

    def _has_happened(self, declared: ErrorEffects) -> bool:
        """Whether the change of state is behind us: an artifact is where the failure would have moved it."""
        if declared.lifecycle is None:
            return False
        rows = self.before.rows("artifacts")
        return any(
            row["artifact_type"] in self.types and row["lifecycle_state"] == declared.lifecycle.to for row in rows
        )


def _written(delta: Delta) -> Delta:
    """A change without records of failures, which every failure may leave."""
    completed = [row for row in delta.came("executions") if row["status"] == "completed"]
    return delta if completed else delta.without("executions")


@dataclass(frozen=True, slots=True)
class _Effects:
    """The declared effects of one failure beside what has changed."""

    failure: Failure
    declared: ErrorEffects
    delta: Delta

    def faults(self) -> Iterator[str]:
        moved = self._moved()
        yield from self._state_faults(moved)
        yield from self._row_faults(moved)
        yield from self._event_faults(moved)
        yield from self._record_faults()

    def _moved(self) -> tuple[Row, Row] | None:
        """The one artifact that changed, before and after."""
        came, went = self.delta.came("artifacts"), self.delta.went("artifacts")
        one_changed = len(came) == len(went) == 1 and came[0]["artifact_id"] == went[0]["artifact_id"]
        return (went[0], came[0]) if one_changed else None

    def _state_faults(self, moved: tuple[Row, Row] | None) -> Iterator[str]:
        lifecycle = self.declared.lifecycle
        if lifecycle is None:
            if "artifacts" in self.delta.tables or "artifact_versions" in self.delta.tables:
                yield "an artifact changed, declared are events alone"
            return
        if moved is None:
            yield f"declared is one artifact that goes to {lifecycle.to}; {self.delta} changed"
            return
        old, new = moved
        if old["artifact_type"] not in self.failure.types:
            yield f"a {old['artifact_type']} changed, which the intent does not work on"
        if lifecycle.from_ and old["lifecycle_state"] not in lifecycle.from_:
            yield f"the artifact was {old['lifecycle_state']}, declared is {' or '.join(lifecycle.from_)}"
        if new["lifecycle_state"] != lifecycle.to:
            yield f"the artifact is {new['lifecycle_state']}, declared is {lifecycle.to}"
        yield from self._content_faults(old, new)

    def _content_faults(self, old: Row, new: Row) -> Iterator[str]:
        changed = {name for name, value in new.items() if old.get(name) != value} - _MOVES
        if changed:
            yield f"the artifact's {', '.join(sorted(changed))} changed; declared is its state alone"
        if "artifact_log" in self.delta.tables:
            yield "a log of an artifact changed; declared is its state alone"
        kept = [row["version"] for row in self.delta.came("artifact_versions")]
        if (new["version"], kept) != (old["version"] + 1, [old["version"]]) or self.delta.went("artifact_versions"):
            yield "it is not the next version, with the one before kept"
        if new["execution_id"] != self.failure.execution_id:
            yield "the artifact names another execution as its producer"

    def _row_faults(self, moved: tuple[Row, Row] | None) -> Iterator[str]:
        """The artifact's domain rows follow it, and no other table changes."""
        following = dict(self._following(moved[1])) if moved else {}
        for table, row in following.items():
            yield from self._followed(table, row, moved[1] if moved else {})
        for table in sorted({*self.delta.tables} - _OF_THE_RUNTIME - following.keys() - {"artifact_log"}):
            yield f"the table {table} changed, which is not declared"

    def _following(self, artifact: Row) -> Iterator[tuple[str, Row]]:
        """(table, row) of every domain row that the artifact's type declares and that was there before."""
        sourced = self.failure.catalog.types.get(artifact["artifact_type"])
        for table in sourced.value.tables if sourced else ():
            for row in self.failure.before.rows(table):
                if row["tenant_id"] == artifact["tenant_id"] and artifact["artifact_id"] in row.values():
                    yield table, row

    def _followed(self, table: str, before: Row, artifact: Row) -> Iterator[str]:
        came, went = self.delta.came(table), self.delta.went(table)
        if len(came) != 1 or list(went) != [before]:
            yield f"the artifact's row in {table} does not follow it ({len(came)} rows came, {len(went)} went)"
            return
        for column in _FOLLOWING:
            if column in came[0] and came[0][column] != artifact[column]:
                yield f"{table}.{column} is {came[0][column]}, the artifact's is {artifact[column]}"
        columns = {column for write in self._writes_to(table) for column in write.columns}
        changed = {name for name, value in came[0].items() if before[name] != value}
        if undeclared := changed - columns:
            yield f"{table}.{min(undeclared)} changed, which the contract does not declare to write"

    def _writes_to(self, table: str) -> list[Any]:
        return [write for write in self.failure.contract.contract.effects.writes if write.table == table]

    def _event_faults(self, moved: tuple[Row, Row] | None) -> Iterator[str]:
        if self.delta.went("outbox"):
            yield "events went from the outbox"
        counted = Counter(row["type"] for row in self.delta.came("outbox"))
        for event in self.declared.events:
            number = counted.pop(event.type, 0)
            if number > 1 or (event.required and not number):
                yield f"the event {event.type} is in the outbox {number} times"
        yield from (f"the event {name} is not declared" for name in counted)
        for row in self.delta.came("outbox"):
            yield from self._of_event(row, moved)

    def _of_event(self, row: Row, moved: tuple[Row, Row] | None) -> Iterator[str]:
        compiled = self.failure.contract.error_effects[self.failure.code].events.get(row["type"])
        try:
            if compiled:
                compiled.check(orjson.loads(row["payload"]))
        except ContractViolation as error:
            yield str(error.message)
        if row["execution_id"] != self.failure.execution_id:
            yield f"{row['type']} names another execution"
        if moved and (row["tenant_id"], row["user_id"]) != (moved[1]["tenant_id"], moved[1]["user_id"]):
            yield f"{row['type']} is not published to the owner of the artifact"

    def _record_faults(self) -> Iterator[str]:
        records = [_record(row) for row in self.delta.came("executions")]
        wanted = (self.failure.execution_id, "failed", self.failure.code)
        if records != [wanted]:
            yield f"the record of the failed execution is {records or 'not there'}"


def _record(row: Mapping[str, Any]) -> tuple[str, str, str | None]:
    error = orjson.loads(row["error"]) if row["error"] else {}
    return row["execution_id"], row["status"], error.get("code")
