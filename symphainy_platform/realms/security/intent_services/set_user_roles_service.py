"""Give an account other roles (40-auth-sessions)."""

from __future__ import annotations

from typing import Any

from symphainy_platform import ExecutionContext, IntentError, IntentResult, IntentService
from symphainy_platform.realms.security.accounts import USER_ACCOUNT, accepted_roles, stage_changed


class SetUserRolesService(IntentService):
    """Replaces the roles; sessions have the new ones within a second, for they are read with each use."""

    intent_type = "set_user_roles"

    async def execute(self, ctx: ExecutionContext, params: Any) -> IntentResult:
        """Stage the roles; equal ones change nothing."""
        roles = list(accepted_roles(params.roles))
        account = await ctx.state_surface.get_artifact(params.user_id)
        if account is None:
            raise IntentError("USER_NOT_FOUND")
        if roles == account.semantic_payload["roles"]:
            return IntentResult({USER_ACCOUNT: account})
        changed = stage_changed(ctx, account, roles=roles)
        event = {
            "type": "user_account_updated",
            "user_id": changed.artifact_id,
            "status": changed.lifecycle_state,
            "roles": roles,
        }
        return IntentResult({USER_ACCOUNT: changed}, [event])
