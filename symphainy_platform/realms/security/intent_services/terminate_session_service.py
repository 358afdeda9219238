"""End a session because its holder wants it to (40-auth-sessions)."""

from __future__ import annotations

from typing import Any

from symphainy_platform import ExecutionContext, IntentError, IntentResult, IntentService
from symphainy_platform.realms.security.session import SESSION, Session, stage_ended


class TerminateSessionService(IntentService):
    """Terminates the session, also within its grace; one that is terminated answers the same again."""

    intent_type = "terminate_session"

    async def execute(self, ctx: ExecutionContext, params: Any) -> IntentResult:
        """Stage the end. Whoever holds a token of any generation may only end what they hold."""
        del params
        found = await ctx.state_surface.get_artifact(ctx.facts["session_ref"])
        if found is None:
            raise IntentError("SESSION_NOT_FOUND")
        session = Session(found)
        if session.state == "TERMINATED":
            return IntentResult({SESSION: found})
        if session.state == "REVOKED":
            raise IntentError("SESSION_TERMINATED")
        if session.state == "EXPIRED" or ctx.now().timestamp() >= session.ends_at:
            raise IntentError("SESSION_EXPIRED")
        ended = stage_ended(ctx, found, "TERMINATED", self.settings)
        return IntentResult({SESSION: ended}, [{"type": "session_terminated", "session_ref": session.ref}])
