"""What one commit writes, and what a store remembers of an execution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from symphainy_platform.errors import IntentError
from symphainy_platform.state.artifact import Artifact, ArtifactRef


class ExecutionStatus(StrEnum):
    """How an execution ended; a record is written once, in its final state."""

    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Guard:
    """An idempotency key: the record answers equal calls until it expires or is superseded.

    `digest` and `fingerprint` are HMACs (32 bytes). `lifetime` is seconds from the commit,
    so that replays do not extend it. With `head`, the guard holds only while that version is
    still the artifact's current one (`until: next_write`).
    """

    digest: bytes
    fingerprint: bytes
    lifetime: float
    head: ArtifactRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """An answer by reference: artifact versions, small inline payloads, events as emitted.

    `artifacts` maps a result name to {"ref": [artifact_id, version], "extra": {…}} or to
    {"inline": {…}}; `answered_by` names another execution whose answer this one repeated; `view`
    holds the parameters that only shaped the answer, so that it can be shown again as it was.
    """

    artifacts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    events: Sequence[Mapping[str, Any]] = ()
    answered_by: str | None = None
    view: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRecord:
    """One execution, which doubles as its idempotency record.

    `committed_at`, `key_expires_at` and `client_key_expires_at` are the store's to set: None
    on the way in, ISO-8601 UTC on the way out (the expiries only where there is such a guard).
    `read_at` is the store's time when it was read, from stores that have a clock of their own: whether
    a key has expired is said by that clock, whatever that of this machine shows.
    """

    tenant_id: str
    execution_id: str
    user_id: str
    session_ref: str | None
    intent_type: str
    contract_version: str
    status: ExecutionStatus
    trace_id: str
    started_at: str
    answer: StoredAnswer | None = None
    error: Mapping[str, Any] | None = None
    key: Guard | None = None
    client_key: Guard | None = None
    committed_at: str | None = None
    key_expires_at: str | None = None
    client_key_expires_at: str | None = None
    read_at: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ArtifactWrite:
    """A new version of an artifact; `base_version` is the one it replaces, 0 to create it.

    `base_execution_id` is the execution that produced the replaced version (None: whichever).
    It tells the version that the writer has seen from one of the same number by somebody
    faster, when the writer read a commit in flight that then failed.
    """

    artifact: Artifact
    base_version: int
    base_execution_id: str | None = None


@dataclass(frozen=True, slots=True)
class LogWrite:
    """One wording of one log entry, first written by artifact version `version`.

    `body` is JSON text. Revision 0 appends `seq`; a higher one edits it and keeps the old.
    """

    artifact_id: str
    log: str
    generation: int
    seq: int
    revision: int
    key: str
    body: str
    version: int


@dataclass(frozen=True, slots=True)
class RowWrite:
    """A domain row: insert or replace the `values` of the row that `key` names.

    The tenant is added by the store from the execution; table and columns must exist.
    """

    table: str
    key: Mapping[str, str]
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEvent:
    """An event to publish; `payload` is what subscribers see beside the envelope.

    It is the event of `user_id`; of the execution's user, when that is None.
    """

    type: str
    artifact_id: str | None
    payload: Mapping[str, Any]
    user_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedEvent:
    """A committed event with the opaque cursor that resumes right after it."""

    cursor: str
    tenant_id: str
    user_id: str
    execution_id: str
    intent_type: str
    type: str
    artifact_id: str | None
    payload: Mapping[str, Any]
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedKey:
    """A key of the platform itself; its secret half only as `sealed` by the master key.

    `public` is empty for a key that has no public half. Times are ISO-8601 UTC; `rotated_at` is
    None while the key is the current one of its purpose.
    """

    purpose: str
    kid: str
    public: bytes
    sealed: bytes
    created_at: str
    rotated_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One link of the audit chain of a tenant; `seq` is gapless from 1.

    `event_cursor` names the event that it keeps, `body` is that event (canonical JSON text), `digest` 32
    bytes over it and the digest before (runtime/audit_chain.py).
    """

    tenant_id: str
    seq: int
    event_cursor: str
    body: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class AuditPosition:
    """How far the audit has come: the events up to `cursor` ("0": none yet) were taken into the chains.

    `types` are the event types that are audited in this store; once one is, it stays. The audit has
    begun when there is one.
    """

    cursor: str = "0"
    types: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """Everything that one intent writes: all of it or none of it.

    `supersedes` names executions of the tenant whose keys (of either sort) are given up
    before this one claims its own. `expects` lists versions that must still be current
    although this commit does not write them.
    """

    execution: ExecutionRecord
    supersedes: tuple[str, ...] = ()
    expects: tuple[ArtifactRef, ...] = ()
    artifacts: tuple[ArtifactWrite, ...] = ()
    entries: tuple[LogWrite, ...] = ()
    rows: tuple[RowWrite, ...] = ()
    events: tuple[OutboxEvent, ...] = ()

    @property
    def touched(self) -> list[tuple[str, str]]:
        """Tenant and id of each artifact whose order it is part of: written, expected, or what an event is about."""
        tenant_id = self.execution.tenant_id
        named = [write.artifact.artifact_id for write in self.artifacts]
        named += [ref.artifact_id for ref in self.expects]
        named += [event.artifact_id for event in self.events if event.artifact_id is not None]
        return [(tenant_id, artifact_id) for artifact_id in named]


@dataclass(frozen=True, slots=True)
class Committed:
    """The commit is durable. `committed_at` is the store's time (ISO-8601 UTC)."""

    committed_at: str


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Nothing was written: `record` holds the key already. `by` is "key" or "client_key"."""

    record: ExecutionRecord
    by: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """Nothing was written: the artifact is at `current_version` (0: it does not exist)."""

    artifact_id: str
    current_version: int


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing was written: this item alone could not be stored, and why."""

    error: IntentError


Outcome = Committed | Duplicate | Conflict | Failed
