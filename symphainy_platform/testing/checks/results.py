"""What a success answers, writes and emits: everything declared, and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from symphainy_platform.context import Identity
from symphainy_platform.errors import ContractViolation, IntentError
from symphainy_platform.runtime.execution import ExecutionResult
from symphainy_platform.state.artifact import Artifact
from symphainy_platform.state.records import PublishedEvent
from symphainy_platform.testing.callers import Who
from symphainy_platform.testing.state import Delta, Row, difference
from symphainy_platform.testing.trial import Trial
from symphainy_platform.testing.world import World

OF_EVERY_INTENT = frozenset({"executions", "artifacts", "artifact_versions", "artifact_log", "outbox"})
"""Tables that the runtime writes by itself; all others are domain tables, which a contract must declare."""


_OTHERS: tuple[Who, ...] = ("other_user", "other_tenant")


async def answer(trial: Trial) -> None:
    """The answer holds exactly the declared artifacts, each as `returns` says; the caller's values stay as sent."""
    async with trial.world() as world:
        call = trial.call.sending(**world.params(trial.call))
        sent = copy.deepcopy(dict(call.params))
        result = await trial.happily(world, call)
    trial.expect(set(result.artifacts) == set(trial.contract.returns), f"answers {sorted(result.artifacts)}")
    for name, entry in result.artifacts.items():
        trial.problems.extend(_entry_faults(trial, name, entry))
    trial.expect(not result.idempotent_replay, "a first submission answers as a replay")
    trial.expect((result.status, result.intent_type) == ("completed", call.intent), "the envelope is of another intent")
    trial.expect(call.params == sent, "the parameters that the caller passed were changed")


def _entry_faults(trial: Trial, name: str, entry: Mapping[str, Any]) -> Iterator[str]:
    if set(entry) != {"result_type", "semantic_payload", "renderings"} or entry["result_type"] != "artifact":
        yield f"{name} is not an artifact entry: {sorted(entry)}"
        return
    try:
        trial.compiled.check_answer(name, entry["semantic_payload"])
    except ContractViolation as error:
        yield str(error.message)


async def events(trial: Trial) -> None:
    """Declared events in the answer, the same in the outbox and in the same order, after the commit, by the caller."""
    async with trial.world() as world:
        before = await world.events()
        result = await trial.happily(world)
        published = (await world.events())[len(before) :]
        owners = [await _addressee(trial, world, event) for event in published]
    trial.problems.extend(_event_faults(trial, result.events))
    answer_only = {event.type for event in trial.contract.effects.events if event.answer_only}
    kept = [event for event in result.events if event["type"] not in answer_only]
    shown = [{"type": event.type, **event.payload} for event in published]
    trial.expect(shown == kept, f"the outbox holds {_types(shown)}, the answer says {_types(kept)}")
    for event, owner in zip(published, owners, strict=True):
        mine = (event.tenant_id, event.user_id, event.execution_id, event.intent_type)
        wanted = (*owner, result.execution_id, trial.contract.intent)
        trial.expect(mine == wanted, f"{event.type} is published as {mine}, expected {wanted}")


async def _addressee(trial: Trial, world: World, event: PublishedEvent) -> tuple[str, str]:
    """Tenant and user that an event is for: the caller, or whose artifact a service has worked on."""
    caller = trial.owner(world)
    if trial.rules.of_services and event.artifact_id is not None:
        about = await world.artifact(caller.tenant_id, event.artifact_id)
        return (caller.tenant_id, about.user_id if about else caller.user_id)
    return (caller.tenant_id, caller.user_id)


def _types(found: Sequence[Mapping[str, Any]]) -> list[Any]:
    return [event["type"] for event in found]


def _event_faults(trial: Trial, emitted: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for event in emitted:
        declared = trial.compiled.events.get(event["type"])
        if declared is None:
            yield f"the event {event['type']} is not declared"
            continue
        try:
            declared.check(event)
        except ContractViolation as error:
            yield str(error.message)
    required = {event.type for event in trial.contract.effects.events if event.required}
    missing = required - {event["type"] for event in emitted}
    yield from (f"the event {name} is missing" for name in sorted(missing))


async def writes(trial: Trial) -> None:
    """Declared artifacts, logs and rows are written for the caller, and nothing else changes."""
    async with trial.world() as world:
        before = await world.state()
        result = await trial.happily(world)
        delta = difference(before, await world.state())
        written = [await _artifact(world, row) for row in delta.came("artifacts")]
        owner = trial.owner(world)
    for artifact in written:
        trial.problems.extend(_artifact_faults(trial, artifact, result))
        trial.problems.extend(_owner_faults(trial, artifact, owner))
    trial.problems.extend(_table_faults(trial, delta))
    trial.problems.extend(_missing(trial, delta, written))


async def _artifact(world: World, row: Row) -> Artifact:
    found = await world.artifact(row["tenant_id"], row["artifact_id"])
    if found is None:
        msg = f"the store's dump shows an artifact that its port does not: {row['artifact_id']}"
        raise LookupError(msg)
    return found


def _artifact_faults(trial: Trial, artifact: Artifact, result: ExecutionResult) -> Iterator[str]:
    operation = "create" if artifact.version == 1 else "update"
    declared = _declared_states(trial, artifact.artifact_type, operation)
    label = f"{operation} of {artifact.artifact_type}"
    if not declared:
        yield f"{label} is not declared"
        return
    if artifact.lifecycle_state not in declared:
        yield f"{label} leaves it in {artifact.lifecycle_state}, declared is {' or '.join(declared)}"
    if artifact.produced_by.execution_id != result.execution_id:
        yield f"{label} names another execution as its producer"
    try:
        trial.compiled.check_payload(artifact.artifact_type, operation, artifact.semantic_payload)
    except ContractViolation as error:
        yield str(error.message)


def _owner_faults(trial: Trial, artifact: Artifact, owner: Identity) -> Iterator[str]:
    """What is written is the caller's; what a service writes is anybody's of its tenant."""
    same_user = artifact.user_id == owner.user_id or trial.rules.of_services
    if artifact.tenant_id != owner.tenant_id or not same_user:
        yield f"the {artifact.artifact_type} that was written is not the caller's"


def _declared_states(trial: Trial, artifact_type: str, operation: str) -> list[str]:
    """The states that the declared writes lead to; none when there is no such write."""
    writes = [w for w in trial.contract.effects.writes if (w.artifact, w.operation) == (artifact_type, operation)]
    return [write.lifecycle.to for write in writes if write.lifecycle]


def _table_faults(trial: Trial, delta: Delta) -> Iterator[str]:
    """Tables and columns that changed without being declared; history that was not kept."""
    for table in set(delta.tables) - OF_EVERY_INTENT:
        declared = [write for write in trial.contract.effects.writes if write.table == table]
        columns = {column for write in declared for column in write.columns}
        if not declared:
            yield f"the table {table} was written, which is not declared"
        elif extra := _changed_columns(delta, table) - columns:
            yield f"the column {table}.{min(extra)} was written, which is not declared"
    if len(delta.came("artifact_versions")) != len(delta.went("artifacts")):
        yield "a version that was overwritten is not kept"
    if delta.went("artifact_versions") or delta.went("artifact_log") or delta.went("outbox"):
        yield f"history was rewritten ({delta})"


def _changed_columns(delta: Delta, table: str) -> set[str]:
    """Columns that differ, where one row was replaced; a new row has no old values."""
    came, went = delta.came(table), delta.went(table)
    if len(came) != 1 or len(went) != 1:
        return set()
    return {column for column, value in came[0].items() if went[0].get(column) != value}


def _missing(trial: Trial, delta: Delta, written: Sequence[Artifact]) -> Iterator[str]:
    """Declared writes that did not happen."""
    if not trial.rules.has_writes:
        return
    for name in sorted(trial.rules.artifacts - {artifact.artifact_type for artifact in written}):
        yield f"the declared write of {name} did not happen"
    required = {write.table for write in trial.contract.effects.writes if write.table and not write.optional}
    for table in sorted(required - set(delta.tables)):
        yield f"the declared write to the table {table} did not happen"


async def execution(trial: Trial) -> None:
    """One execution record, of the caller, that answers the same again; nobody else may see it."""
    async with trial.world() as world:
        before = await world.state()
        result = await trial.happily(world)
        rows = difference(before, await world.state()).came("executions")
        trial.expect([row["execution_id"] for row in rows] == [result.execution_id], "not exactly one execution row")
        shown = await _status(world, result.execution_id, trial.owner(world))
        wanted = _without_secrets(trial, result.to_dict())
        trial.expect(shown == wanted, f"its status shows something else than its answer: {_differing(shown, wanted)}")
        for caller in _OTHERS:
            identity = trial.identity(world, caller)
            if not identity.is_service:
                seen = await _status(world, result.execution_id, identity)
                trial.expect(seen is None, f"{caller} sees the execution")


async def _status(world: World, execution_id: str, identity: Identity) -> dict[str, Any] | None:
    try:
        return await world.platform.read.execution(execution_id, identity=identity)
    except IntentError:
        return None


def _differing(shown: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> list[str]:
    """The fields that differ; their values may be large."""
    return [name for name, value in wanted.items() if shown is None or shown.get(name) != value]


def _without_secrets(trial: Trial, envelope: dict[str, Any]) -> dict[str, Any]:
    """What the record may repeat: the answer without secret fields."""
    for name, entry in envelope["artifacts"].items():
        secret = trial.rules.secret_answers.get(name, frozenset())
        kept = {field: value for field, value in entry["semantic_payload"].items() if field not in secret}
        envelope["artifacts"][name] = {**entry, "semantic_payload": kept}
    return envelope
