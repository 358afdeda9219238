"""The chat services on a real SQLite store, without the runtime: stage, commit, present."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import structlog

from symphainy_platform.context import Client, ExecutionContext, TimeOrderedIds, isoformat
from symphainy_platform.contract.lifecycle import Lifecycle
from symphainy_platform.realms.coexistence.chat_session import present
from symphainy_platform.realms.coexistence.intent_services.get_chat_session_service import GetChatSessionService
from symphainy_platform.realms.coexistence.intent_services.initialize_chat_session_service import (
    InitializeChatSessionService,
)
from symphainy_platform.realms.coexistence.intent_services.update_chat_context_service import (
    UpdateChatContextService,
)
from symphainy_platform.settings import Settings
from symphainy_platform.state.pending import PendingWrites
from symphainy_platform.state.records import Commit, Committed, ExecutionRecord, ExecutionStatus
from symphainy_platform.state.sqlite.store import SqliteStore
from symphainy_platform.state.surface import Scope, StateSurface
from symphainy_platform.state.view import ArtifactView

LIFECYCLE = Lifecycle(
    initial=frozenset({"ACTIVE"}), transitions={"ACTIVE": frozenset({"EXPIRED", "TERMINATED", "REVOKED"})}
)


@dataclass
class FakeClock:
    moment: datetime = datetime(2026, 1, 27, 12, 0, tzinfo=UTC)

    def now(self):
        self.moment += timedelta(seconds=1)
        return self.moment


@dataclass
class Chat:
    """Runs one service after the other as the runtime would, and shows what a caller sees."""

    store: SqliteStore
    settings: Settings
    clock: FakeClock = field(default_factory=FakeClock)
    numbers: itertools.count = field(default_factory=lambda: itertools.count(1))
    staged: object = None

    async def run(self, service, params, *, user_id="u1"):
        surface, ctx = self._context(user_id)
        result = await service(self.settings).execute(ctx, SimpleNamespace(**params))
        self.staged = surface.staged
        if surface.staged:
            await self._commit(ctx, surface, user_id)
        return result

    async def initialize(self, initial_context=None, active_agent="guide"):
        params = {"initial_context": initial_context, "active_agent": active_agent}
        result = await self.run(InitializeChatSessionService, params)
        return result.artifacts["chat_session"].artifact_id

    async def update(self, session_id, updates, **params):
        defaults = {"merge_strategy": "merge", "active_agent": None, "expected_version": None}
        named = {"chat_session_id": session_id, "context_updates": updates}
        return await self.run(UpdateChatContextService, {**defaults, **named, **params})

    async def get(self, session_id, **params):
        return await self.run(GetChatSessionService, {"chat_session_id": session_id}, **params)

    async def context(self, session_id, **options):
        return (await self.shown(session_id, **options))["context"]

    async def history(self, session_id):
        return (await self.context(session_id)).get("conversation_history")

    async def shown(self, session_id, **options):
        answer = (await self.get(session_id)).artifacts["chat_session"]
        return dict(await present(ArtifactView(answer.artifact, self.store, options)))

    def _context(self, user_id):
        now = self.clock.now()
        execution_id = f"exec_{next(self.numbers)}"
        ids = TimeOrderedIds(self.clock)
        surface = StateSurface(
            store=self.store,
            scope=Scope(
                tenant_id="t1", user_id=user_id, intent_type="test", execution_id=execution_id, now=isoformat(now)
            ),
            lifecycle_of=lambda _: LIFECYCLE,
            ids=ids,
            pending=PendingWrites(),
            bound={},
        )
        ctx = ExecutionContext(
            execution_id=execution_id,
            intent_type="test",
            contract_version="1.0.0",
            tenant_id="t1",
            user_id=user_id,
            roles=frozenset(),
            session_ref=None,
            solution_id=None,
            metadata={},
            trace_id="trace",
            deadline=now + timedelta(seconds=30),
            state_surface=surface,
            log=structlog.get_logger(),
            started_at=now,
            ids=ids,
            keys=None,  # the chat realm signs and seals nothing
            client=Client(),
            facts={},
        )
        return surface, ctx

    async def _commit(self, ctx, surface, user_id):
        record = ExecutionRecord(
            tenant_id="t1",
            execution_id=ctx.execution_id,
            user_id=user_id,
            session_ref=None,
            intent_type="test",
            contract_version="1.0.0",
            status=ExecutionStatus.COMPLETED,
            trace_id="trace",
            started_at=isoformat(ctx.started_at),
        )
        staged = surface.staged
        outcomes = await self.store.commit(
            [
                Commit(
                    execution=record,
                    artifacts=tuple(staged.artifacts.values()),
                    entries=tuple(staged.entries),
                    rows=tuple(staged.rows),
                )
            ]
        )
        assert isinstance(outcomes[0], Committed), outcomes


@pytest.fixture
async def chat(tmp_path):
    store = SqliteStore(tmp_path / "platform.db", FakeClock())
    await store.migrate()
    await store.open()
    yield Chat(store, Settings(home=tmp_path))
    await store.close()
