"""Writing a batch: every commit whole or not at all, all of them with one fsync."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta

from symphainy_platform.context import isoformat
from symphainy_platform.errors import ContractViolation
from symphainy_platform.state.artifact import ArtifactRef
from symphainy_platform.state.records import (
    ArtifactWrite,
    Commit,
    Committed,
    Conflict,
    Duplicate,
    ExecutionRecord,
    Failed,
    Guard,
    Outcome,
)
from symphainy_platform.state.rows import (
    NO_GUARD,
    Row,
    Unstorable,
    artifact_row,
    execution_from,
    execution_row,
    guard_row,
    payload_columns,
    to_json,
)
from symphainy_platform.state.sqlite.connection import transaction
from symphainy_platform.state.sqlite.domain import DomainTables
from symphainy_platform.state.sqlite.faults import ITEM_FAULTS
from symphainy_platform.state.sqlite.queries import SQL

_INSERT_EXECUTION = SQL["insert_execution"]
_CREATE_ARTIFACT = SQL["create_artifact"]
_KEEP_VERSION = SQL["keep_version"]
_UPDATE_PAYLOAD = SQL["update_payload"]
_INSERT_LOG_ENTRY = SQL["insert_log_entry"]
_INSERT_EVENT = SQL["insert_event"]
_KEY_QUERIES = {
    "key": (SQL["execution_by_key"], SQL["release_key"]),
    "client_key": (SQL["execution_by_client_key"], SQL["release_client_key"]),
}


class _Undo(Exception):
    """The item must leave no trace, and has this outcome."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


_LEAVES_NO_TRACE = (_Undo, *ITEM_FAULTS)


def write_batch(
    connection: sqlite3.Connection,
    batch: Sequence[Commit],
    moment: datetime,
    tables: DomainTables,
) -> list[Outcome]:
    """Write the batch at `moment` in one transaction; one outcome per item.

    Nearly always all items are fine, so they are first written without savepoints (each would
    copy every page that its item touches). When one is not, the batch is rolled back and written
    again with a savepoint per item.
    """
    run = _Run(connection.cursor(), moment, tables)
    try:
        with transaction(connection):
            return [run.write(item) for item in batch]
    except _LEAVES_NO_TRACE as error:
        if len(batch) == 1:
            return [_outcome_of(error)]
    with transaction(connection):
        return [_write_alone(run, item) for item in batch]


def _write_alone(run: _Run, item: Commit) -> Outcome:
    run.cursor.execute("SAVEPOINT item")
    try:
        outcome = run.write(item)
    except _LEAVES_NO_TRACE as error:
        run.cursor.execute("ROLLBACK TO item")
        outcome = _outcome_of(error)
    run.cursor.execute("RELEASE item")
    return outcome


def _outcome_of(error: Exception) -> Outcome:
    if isinstance(error, _Undo):
        return error.outcome
    reason = str(error) if isinstance(error, Unstorable) else type(error).__name__
    return Failed(ContractViolation("The store cannot hold what the intent service wrote.", reason=reason))


class _Run:
    """One pass over a batch inside an open transaction."""

    def __init__(self, cursor: sqlite3.Cursor, moment: datetime, tables: DomainTables) -> None:
        self.cursor = cursor
        self._moment = moment
        self._now = isoformat(moment)
        self._tables = tables
        self._ends: dict[float, str] = {}

    def write(self, item: Commit) -> Outcome:
        """Write one item, or raise _Undo or one of ITEM_FAULTS."""
        self._claim(item)
        for ref in item.expects:
            self._expect(item.execution.tenant_id, ref)
        for write in item.artifacts:
            self._write_artifact(item.execution.tenant_id, write)
        self._write_rest(item)
        return Committed(self._now)

    def _claim(self, item: Commit) -> None:
        """Insert the execution with its keys, which the unique indexes refuse when they are taken."""
        record = item.execution
        for execution_id in item.supersedes:
            self._supersede(record, execution_id)
        row = self._execution_row(item)
        if self.cursor.execute(_INSERT_EXECUTION, row).rowcount == 1:
            return
        self._give_way(record)
        if self.cursor.execute(_INSERT_EXECUTION, row).rowcount != 1:
            msg = "the execution could not claim its keys"
            raise Unstorable(msg)

    def _supersede(self, record: ExecutionRecord, execution_id: str) -> None:
        # A retry of a stored execution must find its own keys as they are.
        if execution_id != record.execution_id:
            self.cursor.execute(SQL["supersede_execution"], (record.tenant_id, execution_id))

    def _execution_row(self, item: Commit) -> Row:
        record = item.execution
        wrote = [write.artifact.artifact_id for write in item.artifacts]
        key, client_key = self._guard_row(record.key), self._guard_row(record.client_key)
        return (*execution_row(record, self._now, key, client_key), to_json(wrote) if wrote else None)

    def _guard_row(self, guard: Guard | None) -> Row:
        if guard is None:
            return NO_GUARD
        return guard_row(guard, self._after(guard.lifetime))

    def _after(self, seconds: float) -> str:
        """The end of a lifetime that begins now; a batch has few different ones."""
        end = self._ends.get(seconds)
        if end is None:
            end = self._ends[seconds] = isoformat(self._moment + timedelta(seconds=seconds))
        return end

    def _give_way(self, record: ExecutionRecord) -> None:
        """Find who was first: this very execution, or a holder of a key; free keys that hold no more."""
        stored = self.cursor.execute(SQL["committed_at"], (record.tenant_id, record.execution_id)).fetchone()
        if stored:
            raise _Undo(Committed(stored[0]))
        self._free(record, "key", record.key)
        self._free(record, "client_key", record.client_key)

    def _free(self, record: ExecutionRecord, by: str, guard: Guard | None) -> None:
        if guard is None:
            return
        find, release = _KEY_QUERIES[by]
        row = self.cursor.execute(find, (record.tenant_id, guard.digest)).fetchone()
        if row is None:
            return
        holder = execution_from(row)
        if self._holds(holder.tenant_id, getattr(holder, by), getattr(holder, f"{by}_expires_at")):
            raise _Undo(Duplicate(holder, by))
        self.cursor.execute(release, (record.tenant_id, guard.digest))

    def _holds(self, tenant_id: str, guard: Guard, expires_at: str) -> bool:
        if expires_at <= self._now:
            return False
        return guard.head is None or self._version(tenant_id, guard.head.artifact_id) == guard.head.version

    def _version(self, tenant_id: str, artifact_id: str) -> int:
        row = self.cursor.execute(SQL["current_version"], (tenant_id, artifact_id)).fetchone()
        return row[0] if row else 0

    def _expect(self, tenant_id: str, ref: ArtifactRef) -> None:
        row = self.cursor.execute(SQL["current_version"], (tenant_id, ref.artifact_id)).fetchone()
        version, execution_id = row or (0, None)
        if version != ref.version or ref.execution_id not in (None, execution_id):
            raise _Undo(Conflict(ref.artifact_id, version))

    def _write_artifact(self, tenant_id: str, write: ArtifactWrite) -> None:
        if write.artifact.tenant_id != tenant_id:
            msg = "an artifact belongs to another tenant than the execution"
            raise Unstorable(msg)
        if not (self._update(write) if write.base_version else self._create(write)):
            artifact_id = write.artifact.artifact_id
            raise _Undo(Conflict(artifact_id, self._version(tenant_id, artifact_id)))

    def _create(self, write: ArtifactWrite) -> bool:
        return self.cursor.execute(_CREATE_ARTIFACT, artifact_row(write.artifact)).rowcount == 1

    def _update(self, write: ArtifactWrite) -> bool:
        new = write.artifact
        place = (new.tenant_id, new.artifact_id)
        old = self.cursor.execute(_KEEP_VERSION, (*place, write.base_version, write.base_execution_id)).fetchone()
        if old is None:
            return False
        self.cursor.execute(_UPDATE_PAYLOAD, (new.version, *payload_columns(new), new.updated_at, *place))
        indexed = (new.artifact_type, new.user_id, new.lifecycle_state, new.created_at, new.due_at)
        if indexed != old:
            self.cursor.execute(SQL["update_indexed"], (*indexed, *place))
        return True

    def _write_rest(self, item: Commit) -> None:
        """Write what nothing is checked against: log entries, domain rows, events."""
        record = item.execution
        tenant_id = record.tenant_id
        for entry in item.entries:
            self.cursor.execute(
                _INSERT_LOG_ENTRY,
                (
                    tenant_id,
                    entry.artifact_id,
                    entry.log,
                    entry.generation,
                    entry.seq,
                    entry.revision,
                    entry.key,
                    entry.body,
                    entry.version,
                ),
            )
        for row in item.rows:
            self._tables.write(self.cursor, tenant_id, row)
        for event in item.events:
            source = (tenant_id, event.user_id or record.user_id, record.execution_id, record.intent_type)
            self.cursor.execute(
                _INSERT_EVENT, (*source, event.type, event.artifact_id, to_json(event.payload), self._now)
            )
