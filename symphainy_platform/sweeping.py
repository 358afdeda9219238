"""Purging what retention gives up, in bounded steps with pauses; what is due is ended or purged on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import structlog

from symphainy_platform.context import Clock, Identity, isoformat
from symphainy_platform.contract.artifact_type import SweepSpec
from symphainy_platform.contract.catalog import Catalog
from symphainy_platform.errors import ContractViolation, IntentError
from symphainy_platform.state.artifact import Artifact
from symphainy_platform.state.store import DueArtifacts, Retention, Store, SweepResult, load_one

if TYPE_CHECKING:
    from symphainy_platform.runtime.execution import ExecutionResult

PAUSE = 0.05
"""Seconds between two steps of a sweep, so that submits are not slowed (50-stores, decision 7)."""

STEP = 500
"""Due artifacts of one step."""

SWEEPER = "sweep"
"""The user on whose behalf a sweep submits, with role `service`."""

log = structlog.get_logger(__name__)


class Sweeping:
    """One sweep after another over one store."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        catalog: Catalog,
        submit: Callable[..., Awaitable[ExecutionResult]],
    ) -> None:
        """`submit` is `Platform.submit_intent`: a type may declare an intent for what is due."""
        self._store = store
        self._clock = clock
        self._catalog = catalog
        self._submit = submit
        self._tables = {name: sourced.value.tables for name, sourced in catalog.types.items()}

    async def run(self, retention: Retention, progress: Callable[[SweepResult], None] | None = None) -> SweepResult:
        """Sweep until nothing is left to do; returns the totals."""
        total, more, tried = SweepResult(), True, set[str]()
        while more:
            step = await self._store.sweep(isoformat(self._clock.now()), retention)
            due = await self._due(tried)
            purged = await self._purge(due)
            await self._end(due)
            more = step.more or bool(due)
            total = _added(total, step, purged)
            if progress is not None:
                progress(total)
            await asyncio.sleep(PAUSE if more else 0)
        return total

    async def _due(self, tried: set[str]) -> list[Artifact]:
        """What is due and was not tried yet: one that stays as it is must not be tried for ever.

        Nor may those that stay hide the ones behind them: it looks further until it has a step of new ones.
        """
        now, limit = isoformat(self._clock.now()), STEP
        while True:
            found = await load_one(self._store, DueArtifacts(now, limit))
            new = [artifact for artifact in found if _attempt(artifact) not in tried][:STEP]
            if len(new) == STEP or len(found) < limit:
                tried.update(map(_attempt, new))
                return new
            limit *= 2

    async def _purge(self, due: Sequence[Artifact]) -> int:
        """Purge, type by type, what the types declare so; returns how many are gone."""
        purges: dict[str, list[Artifact]] = {}
        for artifact in due:
            if (declared := self._declared(artifact)) and declared.purge:
                purges.setdefault(artifact.artifact_type, []).append(artifact)
        return sum([await self._purged(artifact_type, artifacts) for artifact_type, artifacts in purges.items()])

    async def _purged(self, artifact_type: str, artifacts: Sequence[Artifact]) -> int:
        try:
            return await self._store.purge(artifacts, self._tables)
        except ContractViolation as error:  # a type that names an unknown table must not keep the others
            log.error("purge_refused", artifact_type=artifact_type, reason=error.details.get("reason"))  # noqa: TRY400
            return 0

    async def _end(self, due: Sequence[Artifact]) -> None:
        """Submit what the types declare for their states; a failure is logged, and tried again by the next sweep."""
        for artifact in due:
            declared = self._declared(artifact)
            if declared is not None and declared.submit is not None:
                await self._submitted(declared.submit, {declared.naming: artifact.artifact_id}, artifact)

    async def _submitted(self, intent: str, parameters: Mapping[str, str], artifact: Artifact) -> None:
        service = Identity(artifact.tenant_id, SWEEPER, frozenset({"service"}))
        try:
            await self._submit(intent, parameters, identity=service)
        except IntentError as error:
            log.warning("due_artifact_stays", artifact_id=artifact.artifact_id, code=error.code)

    def _declared(self, artifact: Artifact) -> SweepSpec | None:
        sourced = self._catalog.types.get(artifact.artifact_type)
        lifecycle = sourced.value.lifecycle if sourced else None
        return lifecycle.sweeps.get(artifact.lifecycle_state) if lifecycle else None


def _attempt(artifact: Artifact) -> str:
    """Once a sweep for each state: an intent that leaves it due in the same one would be submitted for ever."""
    return f"{artifact.tenant_id} {artifact.artifact_id} {artifact.lifecycle_state}"


def _added(total: SweepResult, step: SweepResult, purged: int) -> SweepResult:
    return SweepResult(
        keys=total.keys + step.keys,
        executions=total.executions + step.executions,
        events=total.events + step.events,
        artifacts=total.artifacts + purged,
    )
