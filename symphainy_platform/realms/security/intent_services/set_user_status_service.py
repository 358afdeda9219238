"""Disable an account, or let it sign in again (40-auth-sessions)."""

from __future__ import annotations

from typing import Any

from symphainy_platform import ExecutionContext, IntentError, IntentResult, IntentService
from symphainy_platform.realms.security.accounts import DISABLED, USER_ACCOUNT, stage_status
from symphainy_platform.realms.security.session import active_sessions, revoked_event, stage_ended


class SetUserStatusService(IntentService):
    """Sets the status; disabling ends every session and every proof of the account in the same commit."""

    intent_type = "set_user_status"

    async def execute(self, ctx: ExecutionContext, params: Any) -> IntentResult:
        """Stage the status and what it ends; an equal one changes nothing."""
        account = await ctx.state_surface.get_artifact(params.user_id)
        if account is None:
            raise IntentError("USER_NOT_FOUND")
        if params.status == account.lifecycle_state:
            return IntentResult({USER_ACCOUNT: account})
        sessions = await active_sessions(ctx, account.user_id) if params.status == DISABLED else []
        changed = stage_status(ctx, account, params.status)
        for session in sessions:
            stage_ended(ctx, session, "REVOKED", self.settings)
        event = {
            "type": "user_account_updated",
            "user_id": changed.artifact_id,
            "status": changed.lifecycle_state,
            "roles": changed.semantic_payload["roles"],
        }
        ended = [revoked_event(session, "account_disabled") for session in sessions]
        return IntentResult({USER_ACCOUNT: changed}, [event, *ended])
