"""Merge new conversation data into the context that all agents of a session share (seed 003)."""

from __future__ import annotations

from typing import Any

from symphainy_platform import Artifact, ExecutionContext, IntentResult, IntentService, Settings
from symphainy_platform.realms.coexistence.canonical_form import canonical, fingerprint
from symphainy_platform.realms.coexistence.chat_history import ChatHistory, HistoryUpdate
from symphainy_platform.realms.coexistence.chat_session import (
    CHAT_SESSION,
    SessionHead,
    head_of,
    load_session,
    stage_head,
)
from symphainy_platform.realms.coexistence.context_limits import check_history, check_shared
from symphainy_platform.realms.coexistence.heavy_work import computed, is_large
from symphainy_platform.realms.coexistence.shared_context import (
    Context,
    SentContext,
    merged,
    read_context,
)


class UpdateChatContextService(IntentService):
    """Merges or replaces; an update that changes nothing stages nothing."""

    intent_type = "update_chat_context"

    async def execute(self, ctx: ExecutionContext, params: Any) -> IntentResult:
        """Load, decide, then stage all of it."""
        session = await load_session(ctx, params.chat_session_id)
        ctx.state_surface.require_version(session, params.expected_version)
        sent = read_context(params.context_updates, "context_updates")
        history = ChatHistory(ctx, session)
        head, update = await self._decide(ctx, head_of(session), sent, history, params)
        if not update and _same_head(head, head_of(session)):
            return IntentResult({CHAT_SESSION: session})
        updated = stage_head(ctx, session, head)
        history.stage(update)
        return _changed(ctx.state_surface.current(updated))

    def context_hash(self, params: Any) -> str:
        """What the idempotency key covers of the request: strategy and context, history included, as a digest."""
        request = {"strategy": params.merge_strategy, "context": params.context_updates}
        return fingerprint(request)

    async def _decide(
        self, ctx: ExecutionContext, before: SessionHead, sent: SentContext, history: ChatHistory, params: Any
    ) -> tuple[SessionHead, HistoryUpdate]:
        replaces = params.merge_strategy == "replace"
        heavy = is_large(sent.shared) or ((replaces or bool(sent.shared)) and is_large(before.context))
        shared = await computed(
            ctx, heavy, _shared_after, before.context, sent.shared, self.settings, replaces=replaces
        )
        update = await (history.replaced if replaces else history.merged)(sent.history or ())
        await history.compute(len(update.bodies), check_history, update, self.settings)
        has_history = sent.history is not None if replaces else before.has_history or update.count > 0
        return SessionHead(params.active_agent or before.active_agent, shared, has_history), update


def _shared_after(before: Context, sent: Context, settings: Settings, *, replaces: bool) -> Context:
    """The shared keys after the update: `before` itself when it changes none of them (rule 1)."""
    shared = sent if replaces else merged(before, sent)
    if shared is before:
        return before
    return before if check_shared(shared, settings, sent=sent) == canonical(before) else shared


def _same_head(one: SessionHead, other: SessionHead) -> bool:
    unchanged = one.context is other.context  # see _shared_after
    return unchanged and (one.active_agent, one.has_history) == (other.active_agent, other.has_history)


def _changed(session: Artifact) -> IntentResult:
    event = {
        "type": "chat_context_updated",
        "chat_session_id": session.artifact_id,
        "version": session.version,
        "active_agent": session.semantic_payload["active_agent"],
    }
    return IntentResult({CHAT_SESSION: session}, [event])
