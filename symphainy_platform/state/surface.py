"""The State Surface of one execution: owner-scoped reads, and writes that are only staged.

The runtime commits what is staged, together with the execution, or drops it.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from symphainy_platform.context import IdSource, isoformat
from symphainy_platform.errors import ContractViolation, StaleVersion
from symphainy_platform.state.artifact import Artifact, LogHead, ProducedBy
from symphainy_platform.state.log import ArtifactLog
from symphainy_platform.state.pending import PendingWrites
from symphainy_platform.state.records import ArtifactWrite, LogWrite, Outcome, RowWrite
from symphainy_platform.state.store import ArtifactById, ArtifactListing, ArtifactPage, Store, load_one


class LifecycleGraph(Protocol):
    """Which states an artifact type starts in, and which changes of state it allows."""

    @property
    def initial(self) -> frozenset[str]:
        """The states in which an artifact may be registered."""

    def allows(self, source: str, target: str) -> bool:
        """True when `source` → `target` is declared; staying is always allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """On whose behalf an execution reads and writes; `whole_tenant`: an intent that only services may submit."""

    tenant_id: str
    user_id: str
    intent_type: str
    execution_id: str
    now: str
    whole_tenant: bool = False


@dataclass(slots=True)
class Staged:
    """What a service decided to write, in the order in which it said so."""

    artifacts: dict[str, ArtifactWrite] = field(default_factory=dict)
    entries: list[LogWrite] = field(default_factory=list)
    rows: list[RowWrite] = field(default_factory=list)

    def __bool__(self) -> bool:
        """True when anything is to be written."""
        return bool(self.artifacts or self.entries or self.rows)


class StateSurface:
    """What services call: get, list, register, update, transition, append, write_row."""

    def __init__(  # noqa: PLR0913 - the runtime alone builds one, by keyword
        self,
        *,
        store: Store,
        scope: Scope,
        lifecycle_of: Callable[[str], LifecycleGraph],
        ids: IdSource,
        pending: PendingWrites,
        bound: Mapping[str, Artifact],
    ) -> None:
        """Read from `store` and from `bound`, the artifacts that the runtime has loaded already."""
        self.store = store
        self.staged = Staged()
        self.waits_for: list[Future[Outcome]] = []
        self._scope = scope
        self._lifecycle_of = lifecycle_of
        self._ids = ids
        self._pending = pending
        self._bound = dict(bound)
        self.seen: dict[str, Artifact] = {}
        """Artifacts that were handed out to the service, as they were then."""

    def keep(self, artifact: Artifact) -> None:
        """Hold an artifact that the runtime has loaded, so that the service reads it from memory."""
        self._bound[artifact.artifact_id] = artifact

    async def get_artifact(self, artifact_id: str) -> Artifact | None:
        """The artifact in its current version, or None: unknown and foreign look the same."""
        staged = self.staged.artifacts.get(artifact_id)
        if staged is not None:
            return staged.artifact
        found = self._bound.get(artifact_id)
        if found is None:
            found = await load_one(self.store, ArtifactById(self._scope.tenant_id, artifact_id))
        if found is None or not self._may_see(found.user_id):
            return None
        self.seen[artifact_id] = found
        return found

    async def list_artifacts(
        self,
        artifact_type: str,
        *,
        lifecycle_state: str | None = None,
        owner: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> ArtifactPage:
        """The caller's own artifacts of a type, newest first; nothing staged is seen.

        `owner` is another user, for intents that only services may submit.
        """
        listing = ArtifactListing(
            tenant_id=self._scope.tenant_id,
            user_id=self._owner(owner),
            artifact_type=artifact_type,
            lifecycle_state=lifecycle_state,
            limit=limit,
            cursor=cursor,
        )
        page = await load_one(self.store, listing)
        self.seen.update({artifact.artifact_id: artifact for artifact in page.artifacts})
        return page

    def register_artifact(  # noqa: PLR0913 - the fields of the record (seed 003, section 4)
        self,
        artifact_type: str,
        semantic_payload: Mapping[str, Any],
        *,
        artifact_id: str | None = None,
        lifecycle_state: str | None = None,
        semantic_descriptor: Mapping[str, Any] | None = None,
        parent_artifacts: Sequence[str] = (),
        materializations: Sequence[Mapping[str, Any]] = (),
        owner: str | None = None,
        due_at: datetime | None = None,
    ) -> Artifact:
        """Stage a new artifact, version 1, in an initial state of its type.

        It belongs to the caller, or to `owner` (intents that only services may submit). From
        `due_at` on, the sweep that its type declares for this state takes care of it.
        """
        artifact = Artifact(
            artifact_id=artifact_id or self._ids.new(),
            artifact_type=artifact_type,
            tenant_id=self._scope.tenant_id,
            user_id=self._owner(owner),
            version=1,
            lifecycle_state=self._initial_state(artifact_type, lifecycle_state),
            semantic_payload=semantic_payload,
            semantic_descriptor=semantic_descriptor or {},
            produced_by=self._produced_by,
            parent_artifacts=tuple(parent_artifacts),
            materializations=tuple(materializations),
            created_at=self._scope.now,
            updated_at=self._scope.now,
            due_at=isoformat(due_at) if due_at else None,
        )
        self.staged.artifacts[artifact.artifact_id] = ArtifactWrite(artifact, 0)
        return artifact

    def update_artifact(
        self,
        artifact: Artifact,
        semantic_payload: Mapping[str, Any],
        *,
        semantic_descriptor: Mapping[str, Any] | None = None,
    ) -> Artifact:
        """Stage a new version with this payload; the version before stays readable."""
        descriptor = artifact.semantic_descriptor if semantic_descriptor is None else semantic_descriptor
        return self._stage(artifact, semantic_payload=semantic_payload, semantic_descriptor=descriptor)

    def set_due(self, artifact: Artifact, due_at: datetime | None) -> Artifact:
        """Stage when the sweep of its type is to take care of the artifact; None: never."""
        return self._stage(artifact, due_at=isoformat(due_at) if due_at else None)

    def transition(self, artifact: Artifact, lifecycle_state: str) -> Artifact:
        """Stage a change of lifecycle state; one that the type does not declare is an error."""
        current = self.current(artifact)
        if not self._lifecycle_of(artifact.artifact_type).allows(current.lifecycle_state, lifecycle_state):
            raise ContractViolation(
                f"{artifact.artifact_type} has no lifecycle edge {current.lifecycle_state} → {lifecycle_state}."
            )
        return self._stage(artifact, lifecycle_state=lifecycle_state)

    def log(self, artifact: Artifact, name: str) -> ArtifactLog:
        """One of the artifact's append-only logs."""
        return ArtifactLog(self, artifact, name)

    def append(self, artifact: Artifact, log: str, entries: Sequence[tuple[str, Any]]) -> Artifact:
        """Stage new entries (key, JSON body) of a log; returns the artifact's staged version."""
        self.log(artifact, log).append(entries)
        return self.current(artifact)

    def write_row(self, table: str, key: Mapping[str, str], values: Mapping[str, Any]) -> None:
        """Stage a domain row: insert it, or replace these values where it exists."""
        self.staged.rows.append(RowWrite(table, key, values))

    def require_version(self, artifact: Artifact, expected: int | None) -> None:
        """Refuse with VERSION_CONFLICT unless `expected` is None or the artifact's current version."""
        if expected is not None and expected != artifact.version:
            raise StaleVersion(parameter="expected_version", expected=expected, current_version=artifact.version)

    def current(self, artifact: Artifact) -> Artifact:
        """The artifact with what this execution has staged for it."""
        staged = self.staged.artifacts.get(artifact.artifact_id)
        return staged.artifact if staged else artifact

    def next_version(self, artifact: Artifact) -> int:
        """The version under which this execution's writes to the artifact will be stored."""
        staged = self.staged.artifacts.get(artifact.artifact_id)
        return staged.artifact.version if staged else artifact.version + 1

    def set_log_head(self, artifact: Artifact, name: str, head: LogHead) -> None:
        """Stage the new head of a log (called by ArtifactLog)."""
        self._stage(artifact, logs={**self.current(artifact).logs, name: head})

    def stage_entries(self, writes: Sequence[LogWrite]) -> None:
        """Stage log entries (called by ArtifactLog)."""
        self.staged.entries.extend(writes)

    def unsettled_entries(self, artifact_id: str, log: str, generation: int) -> list[LogWrite]:
        """Log writes that the store may not show yet: in flight, then staged here."""
        in_flight = self._pending.entries(self._scope.tenant_id, artifact_id, log, generation)
        mine = [
            w for w in self.staged.entries if (w.artifact_id, w.log, w.generation) == (artifact_id, log, generation)
        ]
        return in_flight + mine

    def _may_see(self, user_id: str) -> bool:
        return self._scope.whole_tenant or user_id == self._scope.user_id

    def _owner(self, asked: str | None) -> str:
        if asked is None:
            return self._scope.user_id
        if not self._may_see(asked):
            raise ContractViolation("Only an intent that only services may submit works on other users' artifacts.")
        return asked

    @property
    def _produced_by(self) -> ProducedBy:
        return ProducedBy(self._scope.intent_type, self._scope.execution_id)

    def _stage(self, artifact: Artifact, **changes: Any) -> Artifact:
        staged = self.staged.artifacts.get(artifact.artifact_id)
        if staged:
            write = ArtifactWrite(staged.artifact.changed(**changes), staged.base_version, staged.base_execution_id)
        else:
            write = ArtifactWrite(self._next(artifact, changes), artifact.version, artifact.produced_by.execution_id)
        self.staged.artifacts[artifact.artifact_id] = write
        return write.artifact

    def _next(self, artifact: Artifact, changes: Mapping[str, Any]) -> Artifact:
        return artifact.changed(
            **changes,
            version=artifact.version + 1,
            produced_by=self._produced_by,
            updated_at=self._scope.now,
        )

    def _initial_state(self, artifact_type: str, asked: str | None) -> str:
        initial = self._lifecycle_of(artifact_type).initial
        if asked is None and len(initial) == 1:
            return next(iter(initial))
        if asked in initial:
            return asked
        raise ContractViolation(f"A new {artifact_type} starts in one of {sorted(initial)}, not in {asked}.")
