"""Stage `commit`: what was decided, as one value for the store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from symphainy_platform.contract.compile import CompiledContract
from symphainy_platform.contract.compiled_effects import CompiledEvent
from symphainy_platform.errors import IntentError
from symphainy_platform.runtime.execution import Execution
from symphainy_platform.service import ArtifactAnswer, IntentResult
from symphainy_platform.state.artifact import Artifact, ArtifactRef
from symphainy_platform.state.records import (
    Commit,
    ExecutionRecord,
    ExecutionStatus,
    Guard,
    OutboxEvent,
    StoredAnswer,
)
from symphainy_platform.state.surface import Staged, StateSurface


def success(execution: Execution, result: IntentResult, surface: StateSurface) -> Commit:
    """Everything that a successful execution writes."""
    staged = surface.staged
    return Commit(
        execution=_completed(execution, stored_answer(execution, result), _scoped_guard(execution, staged)),
        supersedes=execution.supersedes,
        expects=_expects(execution, staged),
        artifacts=tuple(staged.artifacts.values()),
        entries=tuple(staged.entries),
        rows=tuple(staged.rows),
        events=_outbox(execution, surface, emitted(execution.route.contract, result), execution.route.contract.events),
    )


def read(execution: Execution, result: IntentResult) -> Commit:
    """The one row of an execution that only read."""
    return Commit(execution=_completed(execution, stored_answer(execution, result)), supersedes=execution.supersedes)


def repeated(execution: Execution, result: IntentResult, answered_by: str) -> Commit:
    """The record of a client's key whose update changed nothing: it points at the answer's execution."""
    answer = replace(stored_answer(execution, result), answered_by=answered_by)
    return Commit(execution=_completed(execution, answer), supersedes=execution.supersedes)


def replayed(execution: Execution, record: ExecutionRecord) -> Commit:
    """The record of a client's key whose call the contract's key has answered: it points at that answer."""
    stored = record.answer or StoredAnswer()
    answer = replace(stored, answered_by=stored.answered_by or record.execution_id)
    return Commit(execution=_completed(execution, answer), supersedes=execution.supersedes)


def failure(execution: Execution, error: IntentError, surface: StateSurface | None = None) -> Commit:
    """The record of a failure; it holds the keys only where the contract calls the failure final.

    `surface` holds what the contract declares as the effects of this very error, if anything.
    """
    final = execution.route.contract.is_final(error.code)
    record = replace(
        _completed(execution, StoredAnswer(), execution.guard if final else None),
        status=ExecutionStatus.FAILED,
        answer=None,
        error=_error(error),
        client_key=execution.client_guard if final else None,
    )
    staged = surface.staged if surface else Staged()
    return Commit(
        execution=record,
        supersedes=execution.supersedes if final else (),
        expects=_expects(execution, staged) if surface else (),
        artifacts=tuple(staged.artifacts.values()),
        rows=tuple(staged.rows),
        events=_failure_events(execution, error, surface) if surface else (),
    )


def _failure_events(execution: Execution, error: IntentError, surface: StateSurface) -> tuple[OutboxEvent, ...]:
    effects = execution.route.contract.error_effects.get(error.code)
    return _outbox(execution, surface, error.events, effects.events) if effects else ()


def stored_answer(execution: Execution, result: IntentResult) -> StoredAnswer:
    """The answer by reference: artifact versions, and small plain payloads as they are; nothing secret."""
    secret = execution.route.contract.secret_answers
    return StoredAnswer(
        artifacts={name: _reference(answer, secret.get(name, ())) for name, answer in result.artifacts.items()},
        events=tuple(dict(event) for event in result.events),
        view=_shown_with(execution),
    )


def _shown_with(execution: Execution) -> Mapping[str, Any]:
    """The `view: true` parameters of the call, without secret ones."""
    options, secret = execution.params.view_options, execution.route.contract.secret_params
    return {name: value for name, value in options.items() if name not in secret} if secret else options


def _reference(answer: Artifact | ArtifactAnswer | Mapping[str, Any], secret: Collection[str]) -> Mapping[str, Any]:
    if isinstance(answer, Artifact):
        return {"ref": [answer.artifact_id, answer.version]}
    if isinstance(answer, ArtifactAnswer):
        return {"ref": [answer.artifact.artifact_id, answer.artifact.version], "extra": _open(answer.extra, secret)}
    return {"inline": _open(answer, secret)}


def _open(fields: Mapping[str, Any], secret: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in secret}


def _completed(execution: Execution, answer: StoredAnswer, key: Guard | None = None) -> ExecutionRecord:
    identity, contract = execution.identity, execution.route.contract
    return ExecutionRecord(
        tenant_id=identity.tenant_id,
        execution_id=execution.execution_id,
        user_id=identity.user_id,
        session_ref=identity.session_ref,
        intent_type=contract.intent_type,
        contract_version=contract.version,
        status=ExecutionStatus.COMPLETED,
        trace_id=execution.trace_id,
        started_at=execution.started_text,
        answer=answer,
        key=key,
        client_key=execution.client_guard,
    )


def _scoped_guard(execution: Execution, staged: Staged) -> Guard | None:
    """With `until: next_write`, the key holds while the version written here is the head."""
    guard, rule = execution.guard, execution.route.contract.idempotency
    if guard is None or rule is None or not rule.until_next_write:
        return guard
    for artifact_id, write in staged.artifacts.items():
        if artifact_id in execution.bound:
            return replace(guard, head=ArtifactRef(artifact_id, write.artifact.version))
    return guard


def _expects(execution: Execution, staged: Staged) -> tuple[ArtifactRef, ...]:
    """Versions that were read, and may have been in flight, but are not written here."""
    return tuple(artifact.ref for id_, artifact in execution.bound.items() if id_ not in staged.artifacts)


def _outbox(
    execution: Execution,
    surface: StateSurface,
    events: Sequence[Mapping[str, Any]],
    declared: Mapping[str, CompiledEvent],
) -> tuple[OutboxEvent, ...]:
    """Each event for the owner of the artifact that it is about: else of the first one written."""
    written = {artifact_id: write.artifact for artifact_id, write in surface.staged.artifacts.items()}
    known = {**execution.bound, **surface.seen, **written}
    return tuple(
        _outbox_event(event, declared[event["type"]].about, next(iter(written), None), known) for event in events
    )


def _outbox_event(
    event: Mapping[str, Any], about: str | None, first: str | None, known: Mapping[str, Artifact]
) -> OutboxEvent:
    artifact_id: str | None = event[about] if about else first
    subject = known.get(artifact_id) if artifact_id else None
    return OutboxEvent(
        type=event["type"],
        artifact_id=artifact_id,
        user_id=subject.user_id if subject else None,
        payload={key: value for key, value in event.items() if key != "type"},
    )


def emitted(contract: CompiledContract, result: IntentResult) -> list[Mapping[str, Any]]:
    """The events of a result that go to the outbox."""
    return [event for event in result.events if not contract.events[event["type"]].answer_only]


def _error(error: IntentError) -> dict[str, Any]:
    return {
        "code": error.code,
        "message": error.message or error.code,
        "kind": error.kind.value,
        "retryable": error.retryable,
        "details": error.details,
        **({"legacy_code": error.legacy_code} if error.legacy_code else {}),
    }
