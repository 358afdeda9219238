"""Stage `check`: before anything is committed, does the decision keep the contract?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from symphainy_platform.contract.compile import CompiledContract
from symphainy_platform.contract.compiled_effects import CompiledErrorEffects
from symphainy_platform.errors import ContractViolation, IntentError
from symphainy_platform.service import ArtifactAnswer, IntentResult
from symphainy_platform.state.artifact import Artifact
from symphainy_platform.state.records import ArtifactWrite, LogWrite, RowWrite
from symphainy_platform.state.surface import Staged

MAX_INLINE_BYTES = 65_536
"""A plain answer payload is stored with its execution; what is larger belongs in an artifact."""


def check(
    contract: CompiledContract,
    result: IntentResult,
    staged: Staged,
    bound: Mapping[str, Artifact],
    seen: Mapping[str, Artifact],
) -> None:
    """Raise CONTRACT_VIOLATION when something declared is missing or something undeclared is there.

    `bound` are the artifacts of the contract's reads, `seen` those that the service found by itself.
    """
    try:
        _check_answers(contract, result, staged)
        _check_writes(contract, staged, bound, seen)
        _check_events(contract, result, unchanged=not staged)
    except (AttributeError, TypeError, ValueError) as error:  # values of a shape that no declaration can have
        raise ContractViolation("The service's decision is not made of artifacts, payloads and events.") from error


def check_error_effects(
    contract: CompiledContract, error: IntentError, staged: Staged, bound: Mapping[str, Artifact]
) -> None:
    """A failure commits the state change, rows and events that are declared for its code, and nothing else."""
    effects = contract.error_effects[error.code]
    for artifact_id, write in staged.artifacts.items():
        _check_moved_only(effects, error, bound.get(artifact_id), write.artifact)
    if staged.entries:
        raise ContractViolation(f"{error.code} declares no append to a log.")
    for row in staged.rows:
        _check_row(contract, row)
    for event in error.events:
        _check_error_event(effects, error, event)


def _check_moved_only(
    effects: CompiledErrorEffects, error: IntentError, before: Artifact | None, after: Artifact
) -> None:
    if before is None or not effects.allows(before.lifecycle_state, after.lifecycle_state):
        raise ContractViolation(f"{error.code} declares no change of {after.artifact_type}.")
    if _content(before) != _content(after):
        raise ContractViolation(
            f"{error.code} declares a change of state of {after.artifact_type}, not of its content."
        )


def _content(artifact: Artifact) -> tuple[object, ...]:
    return artifact.semantic_payload, artifact.semantic_descriptor, artifact.logs


def _check_error_event(effects: CompiledErrorEffects, error: IntentError, event: object) -> None:
    name = event.get("type") if isinstance(event, Mapping) else None
    declared = effects.events.get(name) if isinstance(name, str) else None
    if declared is None or not isinstance(event, Mapping):
        raise ContractViolation(f"{error.code} declares no event {name!s}.")
    declared.check(event)


def _check_answers(contract: CompiledContract, result: IntentResult, staged: Staged) -> None:
    missing = contract.answers - set(result.artifacts)
    if missing:
        raise ContractViolation(f"The result lacks the declared artifact {min(missing)}.")
    for name, answer in result.artifacts.items():
        if name not in contract.answers:
            raise ContractViolation(f"The result holds the undeclared artifact {name}.")
        if isinstance(answer, ArtifactAnswer):
            _check_extra(contract, name, answer.extra)
            _check_current(name, answer.artifact, staged)
        elif isinstance(answer, Artifact):
            _check_current(name, answer, staged)
        else:
            _check_inline(contract, name, answer)


def _check_current(name: str, answer: Artifact, staged: Staged) -> None:
    """An artifact that is written is answered as it is written: a replay would show another one."""
    write = staged.artifacts.get(answer.artifact_id)
    if write is not None and write.artifact != answer:
        raise ContractViolation(f"The answer {name} is not the {answer.artifact_type} as this execution writes it.")


def _check_extra(contract: CompiledContract, name: str, extra: Mapping[str, object]) -> None:
    if undeclared := extra.keys() - contract.returns_only:
        raise ContractViolation(f"The answer {name} adds {min(undeclared)}, which returns_only does not name.")
    _small_object(name, extra)


def _check_inline(contract: CompiledContract, name: str, answer: object) -> None:
    fields = _small_object(name, answer)
    contract.check_answer(name, fields)
    if contract.has_replays and (secret := contract.secret_answers.get(name, frozenset()) & fields.keys()):
        raise ContractViolation(f"A replay cannot show {name}.{min(secret)} again: no artifact stands behind it.")


def _small_object(name: str, answer: object) -> Mapping[str, object]:
    try:
        size = len(orjson.dumps(answer)) if isinstance(answer, Mapping) else -1
    except TypeError:
        size = -1
    if not isinstance(answer, Mapping) or size < 0:
        raise ContractViolation(f"The answer {name} is neither an artifact nor a JSON object.")
    if size > MAX_INLINE_BYTES:
        raise ContractViolation(f"The plain answer {name} is over {MAX_INLINE_BYTES} bytes; register an artifact.")
    return answer


def _check_writes(
    contract: CompiledContract, staged: Staged, bound: Mapping[str, Artifact], seen: Mapping[str, Artifact]
) -> None:
    for write in staged.artifacts.values():
        _check_artifact(contract, write, bound, seen)
    types = {id_: write.artifact.artifact_type for id_, write in staged.artifacts.items()}
    for entry in staged.entries:
        _check_entry(contract, entry, types)
    for row in staged.rows:
        _check_row(contract, row)
    _check_complete(contract, staged)


def _check_artifact(
    contract: CompiledContract, write: ArtifactWrite, bound: Mapping[str, Artifact], seen: Mapping[str, Artifact]
) -> None:
    artifact = write.artifact
    operation = "update" if write.base_version else "create"
    declared = contract.artifact_write(artifact.artifact_type, operation)
    if declared is None:
        raise ContractViolation(f"The contract declares no {operation} of {artifact.artifact_type}.")
    before = bound.get(artifact.artifact_id) or (seen.get(artifact.artifact_id) if declared.listed else None)
    if before is not None and _origin(before) != _origin(artifact):
        raise ContractViolation(f"An update of {artifact.artifact_type} keeps its type, owner and time of creation.")
    state = before.lifecycle_state if before else None
    if not declared.allows(state, artifact.lifecycle_state):
        raise ContractViolation(
            f"The contract declares no write of {artifact.artifact_type} from {state} to {artifact.lifecycle_state}."
        )
    contract.check_payload(artifact.artifact_type, operation, artifact.semantic_payload)


def _origin(artifact: Artifact) -> tuple[str, ...]:
    return artifact.artifact_type, artifact.tenant_id, artifact.user_id, artifact.created_at


def _check_entry(contract: CompiledContract, entry: LogWrite, types: Mapping[str, str]) -> None:
    if (types.get(entry.artifact_id), entry.log) not in contract.log_writes:
        raise ContractViolation(f"The contract declares no append to the log {entry.log}.")


def _check_row(contract: CompiledContract, row: RowWrite) -> None:
    columns = contract.table_writes.get(row.table)
    if columns is None:
        raise ContractViolation(f"The contract declares no write to the table {row.table}.")
    undeclared = set(row.values) - set(row.key) - columns
    if undeclared:
        raise ContractViolation(f"The contract declares no write to {row.table}.{min(undeclared)}.")


def _check_complete(contract: CompiledContract, staged: Staged) -> None:
    """All declared artifacts and rows are written, or (where updates are declared) nothing is."""
    if not staged and not contract.must_write:
        return
    written = {write.artifact.artifact_type for write in staged.artifacts.values()}
    if missing := contract.required_types - written:
        raise ContractViolation(f"The declared write of {min(missing)} is missing.")
    if missing_tables := contract.required_tables - {row.table for row in staged.rows}:
        raise ContractViolation(f"The declared write to the table {min(missing_tables)} is missing.")


def _check_events(contract: CompiledContract, result: IntentResult, *, unchanged: bool) -> None:
    if not isinstance(result.events, Sequence):  # what can be read only once would not reach the outbox
        raise ContractViolation("The events are not a list.")
    seen: set[str] = set()
    for event in result.events:
        name = event.get("type")
        declared = contract.events.get(name) if isinstance(name, str) else None
        if declared is None:
            raise ContractViolation(f"The contract declares no event {name!s}.")
        if unchanged and declared.unless_unchanged:
            raise ContractViolation(f"The event {name} is emitted although nothing changed.")
        declared.check(event)
        seen.add(declared.type)
    for declared in contract.events.values():
        wanted = declared.required or (declared.unless_unchanged and not unchanged)
        if wanted and declared.type not in seen:
            raise ContractViolation(f"The declared event {declared.type} is missing.")
