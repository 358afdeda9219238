"""Sample values for the store suite, and the fixtures that open the store under test."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import orjson
import pytest
import pytest_asyncio

from symphainy_platform.context import isoformat
from symphainy_platform.state.artifact import Artifact, ArtifactRef, ProducedBy
from symphainy_platform.state.records import (
    ArtifactWrite,
    Commit,
    Committed,
    ExecutionRecord,
    ExecutionStatus,
    Guard,
    LogWrite,
    OutboxEvent,
    Outcome,
    RowWrite,
    StoredAnswer,
)
from symphainy_platform.state.store import Store

TENANT = "tenant-1"
OTHER_TENANT = "tenant-2"
USER = "user-1"
START = datetime(2026, 1, 31, 23, 59, 59, 500_000, tzinfo=UTC)
CREATED = "2026-01-01T00:00:00.000000Z"
LOG = "conversation_history"


class ManualClock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self, now: datetime = START) -> None:
        """Start at `now`."""
        self._now = now

    def now(self) -> datetime:
        """Return the time that was last set."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Go forward (or back)."""
        self._now += timedelta(seconds=seconds)

    @property
    def text(self) -> str:
        """The time as stores write it."""
        return isoformat(self._now)


class StoreFactory(Protocol):
    """Makes an unopened store over the database `home` of the running test."""

    def __call__(self, clock: ManualClock, home: str = "main") -> Store:
        """Make it."""
        ...


class StoreChecks:
    """The fixtures of all checks: a clock that stands still, and an open store."""

    pytestmark = pytest.mark.asyncio

    @pytest.fixture
    def clock(self) -> ManualClock:
        """The store's only time."""
        return ManualClock()

    @pytest_asyncio.fixture
    async def store(self, store_factory: StoreFactory, clock: ManualClock) -> AsyncIterator[Store]:
        """A migrated, open and empty store."""
        store = await opened(store_factory, clock)
        yield store
        await store.close()


async def opened(store_factory: StoreFactory, clock: ManualClock, home: str = "main") -> Store:
    """Make a store, bring its schema up to date and open it."""
    store = store_factory(clock, home)
    await store.migrate()
    await store.open()
    return store


async def commit_all(store: Store, *commits: Commit) -> None:
    """Commit in one batch; all of them must succeed."""
    outcomes = await store.commit(commits)
    assert all(isinstance(outcome, Committed) for outcome in outcomes), outcomes  # noqa: S101 - of a check


async def commit_one(store: Store, commit: Commit) -> Outcome:
    """Commit a batch of one and return its outcome."""
    (outcome,) = await store.commit([commit])
    return outcome


def digest(name: str) -> bytes:
    """32 bytes that depend on the name."""
    return hashlib.sha256(name.encode()).digest()


def guard(name: str, lifetime: float = 60.0, head: ArtifactRef | None = None) -> Guard:
    """A key of this name."""
    return Guard(digest(name), digest(f"fingerprint of {name}"), lifetime, head)


def execution(execution_id: str = "exec_1", **changes: Any) -> ExecutionRecord:
    """A completed execution."""
    values: dict[str, Any] = {
        "tenant_id": TENANT,
        "user_id": USER,
        "session_ref": None,
        "intent_type": "update_chat_context",
        "contract_version": "1.0.0",
        "status": ExecutionStatus.COMPLETED,
        "trace_id": "trace-1",
        "started_at": CREATED,
        "answer": StoredAnswer(artifacts={}, events=[]),
    }
    return ExecutionRecord(execution_id=execution_id, **(values | changes))


def artifact(artifact_id: str = "a1", version: int = 1, **changes: Any) -> Artifact:
    """A version of an artifact."""
    values: dict[str, Any] = {
        "artifact_type": "chat_session",
        "tenant_id": TENANT,
        "user_id": USER,
        "lifecycle_state": "ACTIVE",
        "semantic_payload": {"version": version},
        "produced_by": ProducedBy("update_chat_context", "exec_1"),
        "created_at": CREATED,
        "updated_at": CREATED,
    }
    return Artifact(artifact_id=artifact_id, version=version, **(values | changes))


def writing(execution_id: str, *artifacts: Artifact, **parts: Any) -> Commit:
    """An execution that writes these versions, each replacing the one below it."""
    tenant_id = artifacts[0].tenant_id if artifacts else TENANT
    writes = tuple(ArtifactWrite(_made_by(execution_id, made), made.version - 1) for made in artifacts)
    values: dict[str, Any] = {"execution": execution(execution_id, tenant_id=tenant_id), "artifacts": writes}
    return Commit(**(values | parts))


def _made_by(execution_id: str, made: Artifact) -> Artifact:
    return replace(made, produced_by=ProducedBy("update_chat_context", execution_id))


def entry(seq: int, text: str = "", *, version: int = 1, revision: int = 0, **changes: Any) -> LogWrite:
    """A wording of a log entry of artifact a1, whose key is k<seq>."""
    values: dict[str, Any] = {"artifact_id": "a1", "log": LOG, "generation": 1, "key": f"k{seq}"}
    body = orjson.dumps({"content": text or f"text {seq}"}).decode()
    return LogWrite(seq=seq, revision=revision, body=body, version=version, **(values | changes))


def event(kind: str = "chat_context_updated", artifact_id: str | None = "a1", **payload: Any) -> OutboxEvent:
    """An event to publish."""
    return OutboxEvent(type=kind, artifact_id=artifact_id, payload=payload)


def chat_row(chat_session_id: str = "a1", **values: Any) -> RowWrite:
    """A complete row of the domain table chat_sessions."""
    columns: dict[str, Any] = {
        "user_id": USER,
        "active_agent": "guide",
        "context": {},
        "lifecycle_state": "ACTIVE",
        "version": 1,
        "created_at": CREATED,
        "updated_at": CREATED,
    }
    return RowWrite("chat_sessions", {"chat_session_id": chat_session_id}, columns | values)


def everything(execution_id: str = "exec_1", artifact_id: str = "a1") -> Commit:
    """A commit with one of each part."""
    return writing(
        execution_id,
        artifact(artifact_id),
        entries=(entry(1, artifact_id=artifact_id),),
        rows=(chat_row(artifact_id),),
        events=(event(artifact_id=artifact_id, version=1),),
    )


def ids(artifacts: Sequence[Artifact]) -> list[str]:
    """The ids of artifacts, in order."""
    return [found.artifact_id for found in artifacts]
