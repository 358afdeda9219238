"""One attempt in the artifacts' queue: load, replay or invoke, check, hand over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from symphainy_platform.errors import ContractViolation, IntentError
from symphainy_platform.runtime import bind, commit
from symphainy_platform.runtime.check import check, check_error_effects
from symphainy_platform.runtime.execution import Execution
from symphainy_platform.runtime.invoke import invoke
from symphainy_platform.runtime.parts import Parts
from symphainy_platform.runtime.replay import contract_replay, may_replay, supersede
from symphainy_platform.service import IntentResult
from symphainy_platform.state.records import Commit, ExecutionRecord, Outcome
from symphainy_platform.state.store import ArtifactById, ExecutionByKey
from symphainy_platform.state.surface import StateSurface

_ByKey = list[ExecutionRecord | None]
"""The record of a key, if there is one; empty without a key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What an attempt came to: a stored record, a failure, or a result and its commit.

    `waits_for` are commits in flight whose writes were read: the decision stands if they do.
    One that is `overtaken` does not stand.
    """

    record: ExecutionRecord | None = None
    error: IntentError | None = None
    result: IntentResult | None = None
    handed: asyncio.Future[Outcome] | None = None
    waits_for: tuple[asyncio.Future[Outcome], ...] = ()
    overtaken: bool = False


async def decide(parts: Parts, execution: Execution) -> Decision:
    """Take one attempt. From the hand-over on, no deadline applies."""
    places = bind.queued_artifacts(execution)
    reads = _key_reads(execution)
    if not (reads and parts.queues.busy(places)):
        return await _in_turn(parts, execution, places, None)
    with _meanwhile(parts, reads) as by_key:
        return await _in_turn(parts, execution, places, by_key)


async def _in_turn(
    parts: Parts, execution: Execution, places: Sequence[bind.Place], by_key: asyncio.Task[_ByKey] | None
) -> Decision:
    async with parts.queues.turn(places):
        surface = parts.surface(execution)
        bind.bind_in_flight(execution, parts.pending, surface, places)
        try:
            record = await _load(parts, execution, surface, by_key)
            result = None if record else await _invoke(parts, execution, surface)
        except IntentError as error:
            if execution.invoked and await _answered_meanwhile(parts, execution):
                return Decision(overtaken=True)
            return _refusal(parts, execution, surface, error)
        if result is None or not (surface.staged or commit.emitted(execution.route.contract, result)):
            overtaken = result is not None and await _overtaken(parts, execution, places)
            return Decision(record=record, result=result, waits_for=tuple(surface.waits_for), overtaken=overtaken)
        handed = hand_over(parts, execution, commit.success(execution, result, surface))
        await parts.queues.handed_over(places, handed)
        return Decision(result=result, handed=handed)


async def _answered_meanwhile(parts: Parts, execution: Execution) -> bool:
    """Whether another process has committed the same call meanwhile: the service may have failed on what that wrote."""
    if execution.guard is None:
        return False
    (record,) = await parts.store.load([ExecutionByKey(execution.identity.tenant_id, execution.guard.digest)])
    return record is not None and record.execution_id != execution.looked_at


async def _overtaken(parts: Parts, execution: Execution, places: Sequence[bind.Place]) -> bool:
    """Whether another process has written what an update found unchanged: it may have compared with its logs."""
    heads = await parts.store.load([ArtifactById(*place) for place in places]) if places else []
    return any(head.version > execution.bound[head.artifact_id].version for head in heads if head)


@contextmanager
def _meanwhile(parts: Parts, reads: Sequence[ExecutionByKey]) -> Iterator[asyncio.Task[_ByKey]]:
    """Look for the key's record while others have their turn: only calls with this key write it, and they wait."""
    looking = asyncio.create_task(_loaded(parts, reads))
    try:
        yield looking
    finally:
        looking.cancel()
        looking.add_done_callback(_seen)


async def _loaded(parts: Parts, reads: Sequence[ExecutionByKey]) -> _ByKey:
    return await parts.store.load(reads)


def _seen(looking: asyncio.Task[_ByKey]) -> None:
    """What it failed with is nobody's, when the turn never came."""
    if not looking.cancelled():
        looking.exception()


def _key_reads(execution: Execution) -> list[ExecutionByKey]:
    guard = execution.guard
    return [ExecutionByKey(execution.identity.tenant_id, guard.digest)] if guard else []


async def _load(
    parts: Parts, execution: Execution, surface: StateSurface, by_key: asyncio.Task[_ByKey] | None
) -> ExecutionRecord | None:
    """Read the declared artifacts, and the key's record unless that is under way; the record, if it answers."""
    reads = bind.artifact_reads(execution)
    key_reads = _key_reads(execution) if by_key is None else []
    loaded = await parts.store.load([*reads, *key_reads]) if reads or key_reads else []
    bind.keep(execution, surface, loaded[: len(reads)])
    bind.check_owned(execution)
    record = next(iter(loaded[len(reads) :] if by_key is None else await by_key), None)
    execution.looked_at = record.execution_id if record else None
    if record is not None:
        record = contract_replay(execution, record, parts.time_of(record))
    if record is not None and not await may_replay(execution, parts.context(execution, surface)):
        supersede(execution, record)
        record = None
    if record is None:
        bind.check_states(execution)
    return record


async def _invoke(parts: Parts, execution: Execution, surface: StateSurface) -> IntentResult:
    execution.mark("replay")
    result = await invoke(execution, parts.context(execution, surface))
    execution.mark("invoke")
    check(execution.route.contract, result, surface.staged, execution.bound, surface.seen)
    execution.mark("check")
    return result


def _refusal(parts: Parts, execution: Execution, surface: StateSurface, error: IntentError) -> Decision:
    """A failure; the effects that the contract declares for its code are committed with its record."""
    contract = execution.route.contract
    if error.code not in contract.error_effects or not (surface.staged or error.events):
        return Decision(error=error, waits_for=tuple(surface.waits_for))
    try:
        check_error_effects(contract, error, surface.staged, execution.bound)
    except ContractViolation as violation:
        return Decision(error=violation, waits_for=tuple(surface.waits_for))
    return Decision(error=error, handed=hand_over(parts, execution, commit.failure(execution, error, surface)))


def hand_over(parts: Parts, execution: Execution, written: Commit) -> asyncio.Future[Outcome]:
    """Give the commit to the store's writer: from here on it is finished whatever the caller does."""
    handed = parts.writer.hand_over(written)
    execution.hand_over(handed, written)
    parts.pending.add(written, handed)
    return handed


async def outcome_of(handed: asyncio.Future[Outcome]) -> Outcome:
    """Wait for a commit; a caller that is cancelled meanwhile does not take it back."""
    return await asyncio.shield(handed)
