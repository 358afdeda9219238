"""Show users where they are signed in (40-auth-sessions)."""

from __future__ import annotations

from typing import Any

from symphainy_platform import ExecutionContext, IntentResult, IntentService
from symphainy_platform.realms.security.session import SESSION, Session

SESSION_LIST = "session_list"
LONGEST_LIST = 200


class ListSessionsService(IntentService):
    """Answers the caller's living sessions, newest first, at most LONGEST_LIST of them."""

    intent_type = "list_sessions"

    async def execute(self, ctx: ExecutionContext, params: Any) -> IntentResult:
        """Read; nothing is written, and nothing of which a token is made is shown."""
        del params
        page = await ctx.state_surface.list_artifacts(SESSION, lifecycle_state="ACTIVE", limit=LONGEST_LIST)
        now = ctx.now().timestamp()
        living = [session for session in map(Session, page.artifacts) if now < session.ends_at]
        return IntentResult({SESSION_LIST: {"sessions": [_entry(session, ctx.session_ref, now) for session in living]}})


def _entry(session: Session, current: str | None, now: float) -> dict[str, Any]:
    stored = session.artifact.semantic_payload
    return {
        "session_ref": session.ref,
        "created_at": stored["created_at"],
        "expires_at": stored["expires_at"],
        "last_refreshed_at": stored["rotated_at"],
        "user_agent": stored["user_agent"],
        "current": session.ref == current,
        "expired": now >= session.expires_at,
    }
