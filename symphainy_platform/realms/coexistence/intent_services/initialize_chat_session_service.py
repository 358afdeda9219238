"""Start a chat session (seed 001, step 1)."""

from __future__ import annotations

from typing import Any

from symphainy_platform import ExecutionContext, IntentResult, IntentService
from symphainy_platform.realms.coexistence.chat_history import ChatHistory
from symphainy_platform.realms.coexistence.chat_session import CHAT_SESSION, SessionHead, stage_new
from symphainy_platform.realms.coexistence.context_limits import check_history, check_shared
from symphainy_platform.realms.coexistence.heavy_work import computed, is_large
from symphainy_platform.realms.coexistence.shared_context import read_context


class InitializeChatSessionService(IntentService):
    """Registers an ACTIVE session whose context starts as `initial_context`."""

    intent_type = "initialize_chat_session"

    async def execute(self, ctx: ExecutionContext, params: Any) -> IntentResult:
        """Stage session, row and first messages."""
        sent = read_context(params.initial_context or {}, "initial_context")
        await computed(ctx, is_large(sent.shared), check_shared, sent.shared, self.settings, sent=sent.shared)
        session = stage_new(ctx, SessionHead(params.active_agent, sent.shared, sent.history is not None))
        history = ChatHistory(ctx, session)
        update = await history.replaced(sent.history or ())
        await history.compute(len(update.bodies), check_history, update, self.settings)
        history.stage(update)
        event = {
            "type": "chat_session_initialized",
            "chat_session_id": session.artifact_id,
            "version": session.version,
            "active_agent": params.active_agent,
        }
        return IntentResult({CHAT_SESSION: ctx.state_surface.current(session)}, [event])
