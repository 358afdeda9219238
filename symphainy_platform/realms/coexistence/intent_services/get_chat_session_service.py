"""Find a chat session (seed 001, step 2); a read touches nothing."""

from __future__ import annotations

from typing import Any

from symphainy_platform import ArtifactAnswer, ExecutionContext, IntentResult, IntentService
from symphainy_platform.realms.coexistence.chat_session import CHAT_SESSION, load_session


class GetChatSessionService(IntentService):
    """Answers with the named session, or the newest active one, or the word that there is none."""

    intent_type = "get_chat_session"

    async def execute(self, ctx: ExecutionContext, params: Any) -> IntentResult:
        """Read; the runtime has bound the user's newest active session when none was named."""
        if params.chat_session_id is None:
            return IntentResult({CHAT_SESSION: {"exists": False}}, [{"type": "chat_session_not_found"}])
        session = await load_session(ctx, params.chat_session_id)
        event = {
            "type": "chat_session_retrieved",
            "chat_session_id": session.artifact_id,
            "version": session.version,
        }
        return IntentResult({CHAT_SESSION: ArtifactAnswer(session, {"exists": True})}, [event])
