"""Show users where they are signed in (40-auth-sessions)."""

from __future__ import annotations

from typing import Any

from symphainy_platform import ExecutionContext, IntentResult, IntentService
from symphainy_platform.realms.security.session import Session, active_sessions

SESSION_LIST = "session_list"
LONGEST_LIST = 200


class ListSessionsService(IntentService):
    """Answers the caller's living sessions, newest first, at most LONGEST_LIST of them."""

    intent_type = "list_sessions"

    async def execute(self, ctx: ExecutionContext, params: Any) -> IntentResult:
        """Read; nothing is written, and nothing of which a token is made is shown."""
        del params
        account, now = await ctx.state_surface.get_artifact(ctx.user_id), ctx.now().timestamp()
        found = map(Session, await active_sessions(ctx, ctx.user_id))
        living = [session for session in found if now < session.ends_at and session.belongs_to(account)]
        shown = [_entry(session, ctx.session_ref, now) for session in living[:LONGEST_LIST]]
        return IntentResult({SESSION_LIST: {"sessions": shown}})


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
