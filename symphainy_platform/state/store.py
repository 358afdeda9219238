"""The port that every store implements: few verbs, each with its meaning in full.

All verbs raise `DatabaseUnavailable` when the database does not answer (refused, locked for
too long, full, read-only, damaged); nothing of that call is then written, unless the verb says
otherwise. Every read and write is bound to a tenant. Times in and out are ISO-8601 UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, cast, runtime_checkable

from symphainy_platform.state.artifact import Artifact, LogEntry
from symphainy_platform.state.records import (
    AuditEntry,
    AuditPosition,
    Commit,
    ExecutionRecord,
    Outcome,
    PublishedEvent,
    SealedKey,
)
from symphainy_platform.state.steps import SchemaStep

R = TypeVar("R")


class Read(Generic[R]):
    """One bounded, indexed read of one tenant, and (as its type parameter) its result."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ArtifactById(Read[Artifact | None]):
    """One artifact: its current version, or `version`. Missing: None."""

    tenant_id: str
    artifact_id: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class NewestArtifact(Read[Artifact | None]):
    """The user's newest artifact (by created_at, then artifact_id) of a type in one of the states. None: no such."""

    tenant_id: str
    user_id: str
    artifact_type: str
    states: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ArtifactPage:
    """One page of a listing; `cursor` continues it, None at its end."""

    artifacts: tuple[Artifact, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactListing(Read[ArtifactPage]):
    """Current versions, newest first (created_at, artifact_id descending).

    `user_id` None lists the whole tenant. `limit` is 1 to 200. `cursor` comes from the page
    before; one that this listing never gave raises InvalidParameterValue(parameter="cursor").
    """

    tenant_id: str
    user_id: str | None = None
    artifact_type: str | None = None
    lifecycle_state: str | None = None
    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class DueArtifacts(Read[list[Artifact]]):
    """Artifacts of all tenants whose `due_at` is not after `now`, the longest due first, at most `limit`."""

    now: str
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactVersions(Read[tuple[Artifact, ...]]):
    """Versions of one artifact below `before` (None: from the newest), newest first. Missing: ()."""

    tenant_id: str
    artifact_id: str
    before: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRange(Read[list[LogEntry]]):
    """Entries `first`..`last` (inclusive seq) of one generation, ascending, newest wording.

    With `version`, as that artifact version left them: later entries and edits are not seen.
    Missing seqs are simply absent.
    """

    tenant_id: str
    artifact_id: str
    log: str
    generation: int
    first: int
    last: int
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKeys(Read[list[LogEntry]]):
    """Entries of one generation with these keys (any number), newest wording, in no order."""

    tenant_id: str
    artifact_id: str
    log: str
    generation: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExecutionById(Read[ExecutionRecord | None]):
    """One execution of the tenant. Missing: None."""

    tenant_id: str
    execution_id: str


@dataclass(frozen=True, slots=True)
class ExecutionByKey(Read[ExecutionRecord | None]):
    """The execution that holds a contract key now, expired or not. Missing: None."""

    tenant_id: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class ExecutionByClientKey(Read[ExecutionRecord | None]):
    """The execution that holds a client's Idempotency-Key now, expired or not. Missing: None."""

    tenant_id: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class CompletedIntents(Read[frozenset[str]]):
    """Which of these intent types this user has completed at least once (retained executions)."""

    tenant_id: str
    user_id: str
    intent_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AuditHead(Read[AuditEntry | None]):
    """The last entry of the tenant's audit chain. Missing: None."""

    tenant_id: str


@dataclass(frozen=True, slots=True)
class AuditRange(Read[list[AuditEntry]]):
    """At most `limit` entries of the tenant's chain, ascending, from seq `first` on. Missing seqs are simply absent."""

    tenant_id: str
    first: int
    limit: int


@dataclass(frozen=True, slots=True)
class AuditedEvents(Read[list[AuditEntry]]):
    """The entries of the tenant's chain that keep these events (any number of cursors), in no order."""

    tenant_id: str
    cursors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Whose events: all tenants (None), one tenant, one user of it; of one artifact or type."""

    tenant_id: str | None = None
    user_id: str | None = None
    artifact_id: str | None = None
    type: str | None = None

    def admits(self, tenant_id: str, user_id: str, artifact_id: str | None, kind: str) -> bool:
        """Tell whether an event of this tenant, user, artifact and type is asked for."""
        return (
            self.tenant_id in (None, tenant_id)
            and self.user_id in (None, user_id)
            and self.artifact_id in (None, artifact_id)
            and self.type in (None, kind)
        )


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events in commit order; `cursor` resumes after everything this page looked at."""

    events: tuple[PublishedEvent, ...]
    cursor: str
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long finished things are kept, in seconds from their commit."""

    executions: float
    outbox: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepResult:
    """What one bounded step of a sweep removed; `more` says that another step has work."""

    keys: int = 0
    executions: int = 0
    events: int = 0
    artifacts: int = 0
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether the store answers and its schema is the one that this code knows."""

    ready: bool
    schema_version: str
    expected_version: str
    detail: str = ""


class Store(Protocol):
    """A durable home for executions, artifacts, logs, domain rows and events."""

    name: str
    """Short name for metrics and reports: sqlite, postgres, supabase."""
    lanes: int
    """How many commit() calls may usefully run at the same time."""

    async def open(self) -> None:
        """Connect, and check that the schema is current.

        Raises StoreRefusedError when the store cannot be used (not a database, read-only, damaged,
        newer or older schema).
        """

    async def close(self) -> None:
        """Finish what was handed over and let go of every resource. Idempotent."""

    async def migrate(self, *, to: str | None = None, dry_run: bool = False) -> Sequence[str]:
        """Bring the schema up to date, or up to the step `to`, under a lock; returns the steps (to be) applied.

        May be called before open(). StoreRefusedError: a schema newer than the code, an unknown `to`, one left behind.
        """

    async def steps(self) -> Sequence[SchemaStep]:
        """Every step of the schema, in order, and whether it is applied; changes nothing, errors as of migrate()."""

    async def secret(self, name: str) -> bytes:
        """32 random bytes that the store made at the first call of this name and keeps."""

    async def keys(self) -> Sequence[SealedKey]:
        """Every key that is kept, of all purposes, oldest first."""

    async def keep_key(self, new: SealedKey, replaces: str | None) -> bool:
        """Make `new` the current key of its purpose, if the current one is `replaces` (None: there is none).

        The replaced key gets `new.created_at` as its `rotated_at`. False: somebody was faster, and
        nothing has changed. Durable when this returns.
        """

    async def forget_keys(self, kids: Sequence[str]) -> None:
        """Delete keys that nothing needs any more. A current key stays; an unknown kid: no-op."""

    async def commit(self, batch: Sequence[Commit]) -> Sequence[Outcome]:
        """Write each commit whole or not at all, in order; durable when this returns.

        One outcome per item, in order; a bad item does not fail its neighbours, and a later
        item sees what earlier items of the batch wrote. An execution_id that is stored already
        answers Committed again (a retry after an unknown outcome), and writes nothing.
        Order of checks per item: stored execution, keys (`Duplicate`), versions (`Conflict`).
        """

    async def load(self, reads: Sequence[Read[Any]]) -> list[Any]:
        """Answer reads from one consistent snapshot, in order; see each Read for missing things."""

    async def event_cursor(self) -> str:
        """The cursor of "from now on"."""

    async def events_after(self, cursor: str, where: EventFilter, limit: int = 500) -> EventPage:
        """Events after `cursor` ("0": all that are retained), oldest first.

        A cursor whose successors were swept raises CursorExpired. So does one of another store, also
        of the original that this is a copy of, unless the copy has its event, too. One that is not
        a cursor at all raises InvalidParameterValue(parameter="after").
        """

    async def audit_position(self) -> AuditPosition:
        """How far the audit has come; before its first step `AuditPosition()`."""

    async def audit_tenants(self, after: str = "", limit: int = 1000) -> Sequence[str]:
        """Tenants that have an audit chain, behind `after` in the order of the store, at most `limit`."""

    async def append_audit(self, entries: Sequence[AuditEntry], *, after: AuditPosition, upto: AuditPosition) -> bool:
        """Append entries and move the position from `after` to `upto`, both or neither; durable when this returns.

        False when the position is not `after`: another appender was faster, nothing is written. An entry
        with the seq or the event of one that is there raises DatabaseUnavailable: nothing is written.
        """

    async def changed_elsewhere(self) -> bool:
        """True when another process has committed since the last call (or may have)."""

    async def sweep(self, now: str, retention: Retention, limit: int = 1000) -> SweepResult:
        """One bounded step: clear expired keys, delete old executions and events, ≤ `limit` rows each.

        An execution behind the current version of an artifact, or that holds an unexpired key,
        is never deleted. Once the audit has begun, neither is an event beyond its position.
        """

    async def purge(self, artifacts: Sequence[Artifact], tables: Mapping[str, Sequence[str]]) -> int:
        """Delete artifacts with their versions, logs and domain rows; returns how many are gone.

        `tables` names the domain tables of each artifact type, whose rows are keyed by the artifact's
        id. One that is no longer in the given version stays whole. A name that is no domain table
        raises ContractViolation, and nothing is purged.
        """

    async def health(self) -> Health:
        """Ask the database one cheap question. Never raises: an unreachable store is not ready."""


@runtime_checkable
class Announces(Protocol):
    """What a store has beside the port when it hears of other processes sooner than by being asked."""

    def on_change(self, tell: Callable[[], None]) -> None:
        """Call `tell`, on the event loop, when another process may have committed. Rings may be missed."""
        ...


async def load_one(store: Store, read: Read[R]) -> R:
    """Answer a single read, typed."""
    return cast("R", (await store.load([read]))[0])
