"""Say what somebody who has been proven may do (40-auth-sessions)."""

from __future__ import annotations

from typing import Any

from symphainy_platform import ExecutionContext, IntentResult, IntentService

RESULT = "authorization_result"
"""Name of the answer."""


class ValidateAuthorizationService(IntentService):
    """Answers roles and permissions, and whether they are all that was asked for; uses up no proof."""

    intent_type = "validate_authorization"

    async def execute(self, ctx: ExecutionContext, params: Any) -> IntentResult:
        """Compare; `authentication_or_identity` has found who asks, and what the roles give."""
        permissions: frozenset[str] = ctx.facts["permissions"]
        lacks = {*params.required_permissions} - permissions or {*params.required_roles} - ctx.roles
        answer = {
            "authorized": not lacks,
            "user_id": ctx.user_id,
            "roles": sorted(ctx.roles),
            "permissions": sorted(permissions),
        }
        event = "authorization_failed" if lacks else "authorization_succeeded"
        return IntentResult({RESULT: answer}, [{"type": event, "method": ctx.facts["method"]}])
