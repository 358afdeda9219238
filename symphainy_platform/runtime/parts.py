"""What the dispatcher works with, put together once by the platform."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from symphainy_platform.context import Clock, ExecutionContext, IdSource, SystemClock, isoformat
from symphainy_platform.contract.roles import Roles
from symphainy_platform.hookspecs import Proof
from symphainy_platform.identity.keyring import KeyRing
from symphainy_platform.runtime.answer import Answers
from symphainy_platform.runtime.claim import Claims
from symphainy_platform.runtime.execution import Execution, IntentRequest
from symphainy_platform.runtime.identify import Identify
from symphainy_platform.runtime.key import Keys
from symphainy_platform.runtime.publish import EventFeed
from symphainy_platform.runtime.queues import ArtifactQueues
from symphainy_platform.runtime.resolve import Routes
from symphainy_platform.runtime.telemetry import Telemetry
from symphainy_platform.state.group_commit import GroupCommit
from symphainy_platform.state.pending import PendingWrites
from symphainy_platform.state.records import ExecutionRecord
from symphainy_platform.state.store import Store
from symphainy_platform.state.surface import LifecycleGraph, Scope, StateSurface

log = structlog.get_logger("symphainy.service")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of one platform; all of them live as long as it does."""

    store: Store
    routes: Routes
    roles: Roles
    keys: Keys
    answers: Answers
    feed: EventFeed
    telemetry: Telemetry
    clock: Clock
    ids: IdSource
    identify: Identify
    """The identity that a bearer token proves."""
    proofs: Mapping[str, Proof]
    """The proofs of public intents, by name."""
    key_ring: KeyRing
    lifecycle_of: Callable[[str], LifecycleGraph]
    default_deadline: float
    writer: GroupCommit
    pending: PendingWrites
    claims: Claims = field(default_factory=Claims)
    queues: ArtifactQueues = field(default_factory=ArtifactQueues)

    def begin(self, request: IntentRequest) -> Execution:
        """Open an execution: its id, its trace and its one instant of time."""
        now = self.clock.now()
        return Execution(
            request=request,
            execution_id=f"exec_{self.ids.at(now)}",
            trace_id=request.trace_id or self.ids.trace(),
            started_at=now,
            started_text=isoformat(now),
        )

    def deadline_of(self, execution: Execution) -> float:
        """How long this execution may take until its hand-over, in seconds."""
        return execution.route.contract.deadline_seconds or self.default_deadline

    def time_of(self, record: ExecutionRecord) -> str:
        """The time at which to look at a record's expiry: the store's own, unless a clock was injected."""
        known = record.read_at if isinstance(self.clock, SystemClock) else None
        return known or isoformat(self.clock.now())

    def surface(self, execution: Execution) -> StateSurface:
        """A State Surface with nothing staged, for one attempt."""
        identity = execution.identity
        scope = Scope(
            tenant_id=identity.tenant_id,
            user_id=identity.user_id,
            intent_type=execution.route.contract.intent_type,
            execution_id=execution.execution_id,
            now=execution.started_text,
            whole_tenant=execution.route.contract.of_services,
        )
        return StateSurface(
            store=self.store,
            scope=scope,
            lifecycle_of=self.lifecycle_of,
            ids=self.ids,
            pending=self.pending,
            bound=execution.bound,
        )

    def context(self, execution: Execution, surface: StateSurface) -> ExecutionContext:
        """What the service gets to know."""
        identity, contract = execution.identity, execution.route.contract
        return ExecutionContext(
            execution_id=execution.execution_id,
            intent_type=contract.intent_type,
            contract_version=contract.version,
            tenant_id=identity.tenant_id,
            user_id=identity.user_id,
            roles=identity.roles,
            session_ref=identity.session_ref,
            solution_id=execution.request.solution_id,
            metadata=execution.metadata,
            trace_id=execution.trace_id,
            deadline=execution.started_at + timedelta(seconds=self.deadline_of(execution)),
            state_surface=surface,
            log=log,
            started_at=execution.started_at,
            ids=self.ids,
            keys=self.key_ring,
            client=execution.request.client,
            facts=execution.facts,
        )
