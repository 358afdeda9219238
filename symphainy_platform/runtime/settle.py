"""From a decision to an answer: wait for the commit, and run again when another was faster."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from symphainy_platform.errors import ContractViolation, DatabaseUnavailable, IntentError, VersionConflict
from symphainy_platform.runtime import commit
from symphainy_platform.runtime.decide import Decision, decide, hand_over, outcome_of
from symphainy_platform.runtime.execution import Execution, ExecutionResult
from symphainy_platform.runtime.parts import Parts
from symphainy_platform.runtime.replay import client_replay
from symphainy_platform.runtime.restore import replay
from symphainy_platform.runtime.retry import MAX_ATTEMPTS, pause_before
from symphainy_platform.runtime.validate import off_loop
from symphainy_platform.service import ArtifactAnswer, IntentResult
from symphainy_platform.state.artifact import Artifact
from symphainy_platform.state.records import (
    Committed,
    Conflict,
    Duplicate,
    ExecutionRecord,
    ExecutionStatus,
    Failed,
    Outcome,
)


async def run(parts: Parts, execution: Execution) -> ExecutionResult:
    """Decide the execution, in at most MAX_ATTEMPTS attempts; VERSION_CONFLICT after that."""
    when = execution.deadline.when() if execution.deadline else None
    try:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            await pause_before(attempt)
            decision = await decide(parts, execution)
            if (answer := await _settle(parts, execution, decision)) is not None:
                return answer
            execution.begin_again(when)
            await check_params(parts, execution)
        raise VersionConflict
    except IntentError as error:
        await record_failure(parts, execution, error)
        raise


async def check_params(parts: Parts, execution: Execution) -> None:
    """A service that has changed what is inside its parameters would now decide on something else."""
    if await off_loop(execution.request.large, parts.keys.contract_guard, execution) != execution.guard:
        raise ContractViolation("The service has changed its parameters; they are read-only, also inside.")


async def record_failure(parts: Parts, execution: Execution, error: IntentError) -> None:
    """Record a failure that came after the claim; one that the contract calls final is durable first."""
    if not execution.invoked or execution.recorded or isinstance(error, DatabaseUnavailable):
        return
    failed = commit.failure(execution, error)
    if failed.execution.key or failed.execution.client_key:
        await outcome_of(hand_over(parts, execution, failed))
    else:
        await parts.writer.enqueue(failed)


async def _settle(parts: Parts, execution: Execution, decision: Decision) -> ExecutionResult | None:
    """The answer; None when the decision no longer stands and must be taken again."""
    if decision.overtaken or not await _stand(decision.waits_for):
        return None
    if decision.error is not None:
        return await _refused(execution, decision.error, decision.handed)
    if decision.record is not None:
        return await _replayed(parts, execution, decision.record)
    if decision.result is None:
        raise ContractViolation
    if decision.handed is not None:
        return await _committed(parts, execution, decision.result, decision.handed)
    if execution.route.contract.has_writes and (head := _head(decision.result)):
        return await _unchanged(parts, execution, decision.result, head)
    return await _read(parts, execution, decision.result)


async def _refused(
    execution: Execution, error: IntentError, handed: asyncio.Future[Outcome] | None
) -> ExecutionResult | None:
    """Raise the failure; with effects of its own, only when they are durable."""
    if handed is not None:
        outcome = await outcome_of(handed)
        if isinstance(outcome, Failed):
            raise outcome.error
        if not isinstance(outcome, Committed):
            return None
        execution.recorded = True
    raise error


async def _stand(outcomes: Sequence[asyncio.Future[Outcome]]) -> bool:
    """Whether all these commits became durable."""
    for outcome in outcomes:
        await asyncio.wait([outcome])
        if outcome.exception() is not None or not isinstance(outcome.result(), Committed):
            return False
    return True


async def _committed(
    parts: Parts, execution: Execution, result: IntentResult, handed: asyncio.Future[Outcome]
) -> ExecutionResult | None:
    outcome = await outcome_of(handed)
    execution.mark("commit")
    if isinstance(outcome, Committed):
        return await _first(parts, execution, result)
    if isinstance(outcome, Failed):
        raise outcome.error
    return await _lost(parts, execution, outcome)


async def _lost(parts: Parts, execution: Execution, outcome: Outcome) -> ExecutionResult | None:
    """Another was faster: its answer when the caller's key says that it is the same call, else None."""
    if isinstance(outcome, Duplicate) and outcome.by == "client_key":
        held = outcome.record  # the store has just said that it holds, so no clock is asked
        record = client_replay(execution, held, held.committed_at or "")
        return await replay(parts, execution, record) if record else None
    parts.telemetry.conflict(execution)
    if isinstance(outcome, Conflict):
        _refuse_taken(execution, outcome.artifact_id)
    return None


def _refuse_taken(execution: Execution, artifact_id: str) -> None:
    """A new artifact whose id is taken: once, somebody may have been faster; twice, the service does not look."""
    written = execution.written.artifacts if execution.written else ()
    if any(write.artifact.artifact_id == artifact_id and not write.base_version for write in written):
        if execution.taken == artifact_id:
            raise ContractViolation("The service registers an artifact whose id is taken.")
        execution.taken = artifact_id


async def _replayed(parts: Parts, execution: Execution, record: ExecutionRecord) -> ExecutionResult | None:
    """The stored answer; a client's key of its own is kept with it, and answers the same later on."""
    if execution.client_guard is not None and record.status is ExecutionStatus.COMPLETED:
        outcome = await outcome_of(hand_over(parts, execution, commit.replayed(execution, record)))
        if isinstance(outcome, Failed):
            raise outcome.error
        if not isinstance(outcome, Committed):
            return await _lost(parts, execution, outcome)
    return await replay(parts, execution, record)


async def _read(parts: Parts, execution: Execution, result: IntentResult) -> ExecutionResult | None:
    """A read: its execution row is enqueued, and waited for only to keep a client's key."""
    row = commit.read(execution, result)
    if execution.client_guard is not None:
        return await _committed(parts, execution, result, hand_over(parts, execution, row))
    await parts.writer.enqueue(row)
    return await _first(parts, execution, result)


async def _unchanged(
    parts: Parts, execution: Execution, result: IntentResult, head: Artifact
) -> ExecutionResult | None:
    """An update that changed nothing answers as a replay of the execution behind the current version."""
    producer = head.produced_by.execution_id
    if execution.client_guard is None:
        answer = await _first(parts, execution, result)
    else:
        row = commit.repeated(execution, result, producer)
        kept = await _committed(parts, execution, result, hand_over(parts, execution, row))
        if kept is None or kept.idempotent_replay:
            return kept
        answer = kept
    return replace(answer, execution_id=producer, events=[], idempotent_replay=True)


def _head(result: IntentResult) -> Artifact | None:
    """The first artifact of the answer; None when it shows none."""
    for answer in result.artifacts.values():
        if isinstance(answer, Artifact):
            return answer
        if isinstance(answer, ArtifactAnswer):
            return answer.artifact
    return None


async def _first(parts: Parts, execution: Execution, result: IntentResult) -> ExecutionResult:
    answer = await parts.answers.first(execution, result)
    execution.mark("answer")
    return answer
