"""End sessions of one's own, from any of them (40-auth-sessions)."""

from __future__ import annotations

from typing import Any

from symphainy_platform import Artifact, ExecutionContext, IntentError, IntentResult, IntentService
from symphainy_platform.realms.security.session import SESSION, active_sessions, revoked_event, stage_ended

REVOCATION = "revocation"


class RevokeSessionService(IntentService):
    """Revokes one session, all others, or all: they hold no longer from the commit on."""

    intent_type = "revoke_session"

    async def execute(self, ctx: ExecutionContext, params: Any) -> IntentResult:
        """Stage the end of each; what has ended already stays as it is."""
        chosen = await self._chosen(ctx, params)
        for session in chosen:
            stage_ended(ctx, session, "REVOKED", self.settings)
        revoked = [session.artifact_id for session in chosen]
        return IntentResult({REVOCATION: {"revoked": revoked}}, [revoked_event(session, "user") for session in chosen])

    async def _chosen(self, ctx: ExecutionContext, params: Any) -> list[Artifact]:
        if (params.session_ref is None) == (params.scope is None):
            code = "MISSING_PARAMETER" if params.scope is None else "INVALID_PARAMETER_VALUE"
            details = {"parameter": "session_ref", "expected": "exactly one of session_ref and scope"}
            raise IntentError(code, "Name either session_ref or scope.", details=details)
        if params.session_ref is not None:
            return await self._named(ctx, params.session_ref)
        every = await active_sessions(ctx, ctx.user_id)
        return [session for session in every if params.scope == "all" or session.artifact_id != ctx.session_ref]

    async def _named(self, ctx: ExecutionContext, session_ref: str) -> list[Artifact]:
        found = await ctx.state_surface.get_artifact(session_ref)
        if found is None or found.artifact_type != SESSION:
            raise IntentError("SESSION_NOT_FOUND", details={"parameter": "session_ref"})
        return [found] if found.lifecycle_state == "ACTIVE" else []
