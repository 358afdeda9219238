"""Note that a token has reached its holder: the first use of a generation (40-auth-sessions, "Ids and tokens")."""

from __future__ import annotations

from typing import Any

from symphainy_platform import ExecutionContext, IntentError, IntentResult, IntentService
from symphainy_platform.realms.security.session import SESSION, Session, stage_changed


class AcknowledgeSessionService(IntentService):
    """Marks the named generation as seen, if it is still the current one: its answer was not lost."""

    intent_type = "acknowledge_session"

    async def execute(self, ctx: ExecutionContext, params: Any) -> IntentResult:
        """Stage the mark; what is marked already, or has been replaced, changes nothing."""
        found = await ctx.state_surface.get_artifact(ctx.session_ref or "")
        if found is None or found.artifact_type != SESSION:
            raise IntentError("SESSION_NOT_FOUND")
        session = Session(found)
        if session.state != "ACTIVE" or session.seen or session.gen != params.generation:
            return IntentResult({SESSION: found})
        return IntentResult({SESSION: stage_changed(ctx, found, seen=True)})
