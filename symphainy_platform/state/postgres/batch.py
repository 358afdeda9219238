"""The batch that `symphainy.commit_intents` takes: records by table, each with the number of its item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

import orjson

from symphainy_platform.state.domain import DomainTables
from symphainy_platform.state.records import ArtifactWrite, Commit, ExecutionRecord, Guard
from symphainy_platform.state.rows import Unstorable, answer_json, payload_columns, to_json

_LONGEST_LIFETIME = 7900 * 365.25 * 86_400
"""Seconds; a time beyond the year 9999 could not be read back."""
_NUL = rb"\u0000"
MOST_TEXT = 4_000_000
"""Characters of text after which a batch takes no more items: as JSON, with the rows that mirror them, about 8 MB."""

_LARGE = {"artifacts": "semantic_payload", "entries": "body", "events": "payload"}

Record = dict[str, Any]


@dataclass(slots=True)
class Batch:
    """Records by part, in the order of their items."""

    parts: dict[str, list[Record]] = field(default_factory=dict)
    size: int = 0
    text: int = 0
    """Characters in what may be large of the records: payloads and bodies, which are texts."""

    def add(self, item: Commit, tables: DomainTables) -> None:
        """Add one item. Raises Unstorable for what the schema does not have."""
        self._check(item, tables)
        number, self.size = self.size, self.size + 1
        tenant_id = item.execution.tenant_id
        self._extend("executions", [_execution(number, item)])
        self._extend("supersedes", [{"n": number, "execution_id": each} for each in _given_up(item)])
        self._extend("expects", [_expectation(number, tenant_id, ref) for ref in item.expects])
        self._extend("artifacts", [_artifact(number, write) for write in item.artifacts])
        self._extend("entries", [_entry(number, tenant_id, entry) for entry in item.entries])
        self._extend("rows", [_row(number, tenant_id, row) for row in item.rows])
        self._extend("events", [_event(number, item.execution, event) for event in item.events])

    def to_json(self) -> str:
        """Write the batch. Raises TypeError for what JSON cannot hold, Unstorable for NUL in a text."""
        text = orjson.dumps(self.parts, default=_plain)
        if _NUL in text:
            check_no_nul(self.parts)
        return text.decode()

    def _check(self, item: Commit, tables: DomainTables) -> None:
        if any(write.artifact.tenant_id != item.execution.tenant_id for write in item.artifacts):
            msg = "an artifact belongs to another tenant than the execution"
            raise Unstorable(msg)
        for row in item.rows:
            tables.check(row)

    def _extend(self, part: str, records: list[Record]) -> None:
        if records:
            self.parts.setdefault(part, []).extend(records)
            if (name := _LARGE.get(part)) is not None:
                for record in records:
                    self.text += len(record[name])


def check_no_nul(value: Any) -> None:
    """Raise Unstorable when any text in a JSON value holds NUL, which Postgres has no place for."""
    if isinstance(value, str) and "\0" in value:
        msg = "a text holds the character NUL"
        raise Unstorable(msg)
    if isinstance(value, Mapping):
        for key, each in value.items():
            check_no_nul(key)
            check_no_nul(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            check_no_nul(each)


def _given_up(item: Commit) -> list[str]:
    """What is superseded; a retry of a stored execution must find its own keys as they are."""
    return [each for each in item.supersedes if each != item.execution.execution_id]


def _execution(number: int, item: Commit) -> Record:
    record = item.execution
    written: Record = {
        "n": number,
        "tenant_id": record.tenant_id,
        "execution_id": record.execution_id,
        "user_id": record.user_id,
        "session_ref": record.session_ref,
        "intent_type": record.intent_type,
        "contract_version": record.contract_version,
        "status": record.status.value,
        "trace_id": record.trace_id,
        "started_at": record.started_at,
        "answer": None if record.answer is None else answer_json(record.answer),
        "error": None if record.error is None else to_json(record.error),
    }
    if item.artifacts:
        written["wrote"] = [write.artifact.artifact_id for write in item.artifacts]
    _add_guard(written, "key", record.key)
    _add_guard(written, "client_key", record.client_key)
    return written


def _add_guard(written: Record, name: str, guard: Guard | None) -> None:
    if guard is None:
        return
    if not 0 <= guard.lifetime <= _LONGEST_LIFETIME:
        msg = "a key lives longer than the calendar"
        raise Unstorable(msg)
    written[f"{name}_digest"] = guard.digest.hex()
    written[f"{name}_fingerprint"] = guard.fingerprint.hex()
    written[f"{name}_lifetime"] = guard.lifetime
    if guard.head is not None:
        written[f"{name}_head_artifact"] = guard.head.artifact_id
        written[f"{name}_head_version"] = guard.head.version


def _expectation(number: int, tenant_id: str, ref: Any) -> Record:
    return {
        "n": number,
        "tenant_id": tenant_id,
        "artifact_id": ref.artifact_id,
        "version": ref.version,
        "execution_id": ref.execution_id,
    }


def _artifact(number: int, write: ArtifactWrite) -> Record:
    artifact = write.artifact
    payload, descriptor, intent_type, execution_id, parents, materializations, logs = payload_columns(artifact)
    return {
        "n": number,
        "tenant_id": artifact.tenant_id,
        "artifact_id": artifact.artifact_id,
        "artifact_type": artifact.artifact_type,
        "user_id": artifact.user_id,
        "version": artifact.version,
        "lifecycle_state": artifact.lifecycle_state,
        "semantic_payload": payload,
        "semantic_descriptor": descriptor,
        "intent_type": intent_type,
        "execution_id": execution_id,
        "parent_artifacts": parents,
        "materializations": materializations,
        "logs": logs,
        "created_at": artifact.created_at,
        "updated_at": artifact.updated_at,
        "due_at": artifact.due_at,
        "base_version": write.base_version,
        "base_execution_id": write.base_execution_id,
    }


def _entry(number: int, tenant_id: str, entry: Any) -> Record:
    return {
        "n": number,
        "tenant_id": tenant_id,
        "artifact_id": entry.artifact_id,
        "log": entry.log,
        "generation": entry.generation,
        "seq": entry.seq,
        "revision": entry.revision,
        "entry_key": entry.key,
        "body": entry.body,
        "version": entry.version,
    }


def _row(number: int, tenant_id: str, row: Any) -> Record:
    return {"n": number, "table": row.table, "tenant_id": tenant_id, "key": row.key, "values": row.values}


def _event(number: int, source: ExecutionRecord, event: Any) -> Record:
    return {
        "n": number,
        "tenant_id": source.tenant_id,
        "user_id": source.user_id if event.user_id is None else event.user_id,
        "execution_id": source.execution_id,
        "intent_type": source.intent_type,
        "type": event.type,
        "artifact_id": event.artifact_id,
        "payload": to_json(event.payload),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    raise TypeError


def encode(items: Sequence[Commit], tables: DomainTables) -> str:
    """Write items as one batch. Raises TypeError or Unstorable when any of them cannot be written."""
    return _batch_of(items, tables).to_json()


def encode_some(items: Sequence[Commit], tables: DomainTables) -> tuple[int, str]:
    """Write as many of the items as one call bears, and tell how many those are. Raises as `encode` does."""
    batch = _batch_of(items, tables, MOST_TEXT)
    return batch.size, batch.to_json()


def _batch_of(items: Sequence[Commit], tables: DomainTables, most_text: float = inf) -> Batch:
    batch = Batch()
    for item in items:
        batch.add(item, tables)
        if batch.text > most_text:
            break
    return batch
