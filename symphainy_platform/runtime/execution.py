"""The values that travel along the way of an intent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any

from symphainy_platform.context import Client, Identity
from symphainy_platform.contract.spec import PROOF

if TYPE_CHECKING:
    from symphainy_platform.contract.compile import BoundParams
    from symphainy_platform.runtime.resolve import Route
    from symphainy_platform.state.artifact import Artifact
    from symphainy_platform.state.records import Commit, Guard, Outcome


NO_CLIENT = Client()
"""The caller is in this process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentRequest:
    """What a caller asks, before anything is believed.

    Who asks is said by `identity`, from callers in this process, or by the `bearer` token of an edge.

    `strict` says that the parameters came out of the strict JSON parser and belong to nobody
    else; `large`, that they are over 256 KiB and so handled off the event loop.
    """

    intent_type: str
    parameters: Mapping[str, Any]
    identity: Identity | None
    idempotency_key: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    contract_version: str | None = None
    trace_id: str | None = None
    solution_id: str | None = None
    strict: bool = False
    large: bool = False
    bearer: str | None = field(default=None, repr=False)
    client: Client = NO_CLIENT


@dataclass(slots=True, kw_only=True)
class Execution:
    """One execution in the making; each stage adds what the next ones need."""

    request: IntentRequest
    execution_id: str
    trace_id: str
    started_at: datetime
    started_text: str
    route: Route = field(init=False)
    identity: Identity = field(init=False)
    params: BoundParams = field(init=False)
    facts: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    bound: dict[str, Artifact] = field(default_factory=dict)
    client_guard: Guard | None = None
    guard: Guard | None = None
    supersedes: tuple[str, ...] = ()
    looked_at: str | None = None
    """The record of its key that this attempt has found."""
    invoked: bool = False
    handed: asyncio.Future[Outcome] | None = None
    written: Commit | None = None
    taken: str | None = None
    recorded: bool = False
    deadline: asyncio.Timeout | None = None
    marks: list[tuple[str, float]] = field(default_factory=list)

    def value(self, name: str) -> Any:
        """What a contract calls `name`: a parameter, or `proof.<fact>`."""
        return self.facts[name[len(PROOF) :]] if name.startswith(PROOF) else self.params[name]

    def hand_over(self, handed: asyncio.Future[Outcome], written: Commit) -> None:
        """Note that the store's writer has it: no deadline and no cancelled caller ends it any more."""
        self.handed = handed
        self.written = written
        self.limit_to(None)

    def limit_to(self, when: float | None) -> None:
        """Let the deadline be `when` on the loop's clock (None: no deadline), unless it has passed."""
        if self.deadline is not None and not self.deadline.expired():
            self.deadline.reschedule(when)

    def begin_again(self, when: float | None) -> None:
        """Forget what the attempt before has read and would have written; the deadline is `when` again."""
        self.bound.clear()
        self.supersedes = ()
        self.written = None
        self.limit_to(when)

    def mark(self, stage: str) -> None:
        """Note that a stage has just ended (monotonic seconds), for metrics and spans."""
        self.marks.append((stage, perf_counter()))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionResult:
    """A success: the answer of this execution, or of the one that it replays."""

    execution_id: str
    intent_type: str
    artifacts: Mapping[str, Mapping[str, Any]]
    events: Sequence[Mapping[str, Any]]
    idempotent_replay: bool = False
    status: str = "completed"

    def to_dict(self) -> dict[str, Any]:
        """The success envelope of 10-runtime."""
        return {
            "execution_id": self.execution_id,
            "intent_type": self.intent_type,
            "status": self.status,
            "idempotent_replay": self.idempotent_replay,
            "artifacts": dict(self.artifacts),
            "events": list(self.events),
        }
