"""End a session whose time is over: what the sweep submits (40-auth-sessions, rule 4)."""

from __future__ import annotations

from typing import Any

from symphainy_platform import ExecutionContext, IntentError, IntentResult, IntentService
from symphainy_platform.realms.security.session import SESSION, Session, stage_ended


class ExpireSessionService(IntentService):
    """Expires a session after its grace, or at the end of its longest life; others stay as they are."""

    intent_type = "expire_session"

    async def execute(self, ctx: ExecutionContext, params: Any) -> IntentResult:
        """Stage the end, once."""
        found = await ctx.state_surface.get_artifact(params.session_ref)
        if found is None or found.artifact_type != SESSION:
            raise IntentError("SESSION_NOT_FOUND")
        session = Session(found)
        if session.state != "ACTIVE" or ctx.now().timestamp() < session.ends_at:
            return IntentResult({SESSION: found})
        ended = stage_ended(ctx, found, "EXPIRED", self.settings)
        return IntentResult({SESSION: ended}, [{"type": "session_expired", "session_ref": session.ref}])
