"""Between the values of the State Surface and the columns of their tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import orjson

from symphainy_platform.state.artifact import Artifact, ArtifactRef, LogEntry, LogHead, ProducedBy
from symphainy_platform.state.records import ExecutionRecord, ExecutionStatus, Guard, StoredAnswer

Row = tuple[Any, ...]
_EXECUTION_COLUMNS = 22
NO_GUARD: Row = (None, None, None, None, None)


class Unstorable(Exception):
    """One item asks for something that the schema does not have; its message says what."""


def to_json(value: Any) -> str:
    """Write JSON text. Raises TypeError for what JSON cannot hold."""
    return orjson.dumps(value, default=_plain).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError


def artifact_row(artifact: Artifact) -> Row:
    """All columns of an artifact, in the order of `artifact_columns`."""
    return (
        artifact.tenant_id,
        artifact.artifact_id,
        artifact.artifact_type,
        artifact.user_id,
        artifact.version,
        artifact.lifecycle_state,
        *payload_columns(artifact),
        artifact.created_at,
        artifact.updated_at,
        artifact.due_at,
    )


def payload_columns(artifact: Artifact) -> Row:
    """The columns that every version rewrites, between `lifecycle_state` and `created_at`."""
    return (
        to_json(artifact.semantic_payload),
        to_json(artifact.semantic_descriptor),
        artifact.produced_by.intent,
        artifact.produced_by.execution_id,
        to_json(artifact.parent_artifacts),
        to_json(artifact.materializations),
        to_json({name: (head.generation, head.count, head.size, head.revised) for name, head in artifact.logs.items()}),
    )


_EMPTY: dict[str, Any] = {}


def _object(text: str) -> dict[str, Any]:
    """Read a JSON object; most of these columns are empty."""
    return _EMPTY if text == "{}" else cast("dict[str, Any]", orjson.loads(text))


def _array(text: str) -> tuple[Any, ...]:
    return () if text == "[]" else tuple(orjson.loads(text))


def artifact_from(row: Row) -> Artifact:
    """Read an artifact from its columns."""
    (
        tenant,
        artifact,
        kind,
        user,
        version,
        state,
        payload,
        descriptor,
        intent,
        execution,
        parents,
        made,
        logs,
        *times,
    ) = row
    return Artifact(
        artifact_id=artifact,
        artifact_type=kind,
        tenant_id=tenant,
        user_id=user,
        version=version,
        lifecycle_state=state,
        semantic_payload=orjson.loads(payload),
        semantic_descriptor=_object(descriptor),
        produced_by=ProducedBy(intent, execution),
        parent_artifacts=_array(parents),
        materializations=_array(made),
        logs={name: LogHead(*head) for name, head in _object(logs).items()},
        created_at=times[0],
        updated_at=times[1],
        due_at=times[2],
    )


def execution_row(record: ExecutionRecord, committed_at: str, key: Row, client_key: Row) -> Row:
    """All columns of an execution, in the order of `execution_columns`."""
    return (
        record.tenant_id,
        record.execution_id,
        record.user_id,
        record.session_ref,
        record.intent_type,
        record.contract_version,
        record.status.value,
        record.trace_id,
        record.started_at,
        committed_at,
        None if record.answer is None else answer_json(record.answer),
        None if record.error is None else to_json(record.error),
        *key,
        *client_key,
    )


def guard_row(guard: Guard, expires_at: str) -> Row:
    """The five columns of a guard."""
    if guard.head is None:
        return (guard.digest, guard.fingerprint, expires_at, None, None)
    return (guard.digest, guard.fingerprint, expires_at, guard.head.artifact_id, guard.head.version)


def execution_from(row: Row) -> ExecutionRecord:
    """Read an execution from its columns; a store with a clock of its own adds its time."""
    tenant, execution, user, session, intent, contract, status, trace, started, committed, answer, error = row[:12]
    return ExecutionRecord(
        tenant_id=tenant,
        execution_id=execution,
        user_id=user,
        session_ref=session,
        intent_type=intent,
        contract_version=contract,
        status=ExecutionStatus(status),
        trace_id=trace,
        started_at=started,
        answer=None if answer is None else _answer_from(orjson.loads(answer)),
        error=None if error is None else orjson.loads(error),
        key=_guard_from(row[12:17], committed),
        client_key=_guard_from(row[17:22], committed),
        committed_at=committed,
        key_expires_at=row[14],
        client_key_expires_at=row[19],
        read_at=row[22] if len(row) > _EXECUTION_COLUMNS else None,
    )


def log_entries_from(rows: Sequence[Row]) -> list[LogEntry]:
    """Read log entries from (seq, key, body, revision); all bodies are parsed as one array."""
    if not rows:
        return []
    seqs, keys, texts, revisions = zip(*rows, strict=True)
    bodies = orjson.loads(f"[{','.join(texts)}]")
    return list(map(LogEntry, seqs, keys, bodies, revisions))


def _guard_from(columns: Row, committed_at: str) -> Guard | None:
    digest, fingerprint, expires_at, artifact, version = columns
    if digest is None:
        return None
    lifetime = (datetime.fromisoformat(expires_at) - datetime.fromisoformat(committed_at)).total_seconds()
    return Guard(digest, fingerprint, lifetime, None if artifact is None else ArtifactRef(artifact, version))


def answer_json(answer: StoredAnswer) -> str:
    """Write an answer as its column holds it."""
    stored = {"artifacts": answer.artifacts, "events": answer.events, "answered_by": answer.answered_by}
    return to_json({**stored, "view": answer.view} if answer.view else stored)


def _answer_from(value: dict[str, Any]) -> StoredAnswer:
    return StoredAnswer(**value)
