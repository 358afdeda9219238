"""Make an account that somebody can sign in to (40-auth-sessions)."""

from __future__ import annotations

from typing import Any

from symphainy_platform import ExecutionContext, IntentError, IntentResult, IntentService
from symphainy_platform.realms.security.accounts import (
    USER_ACCOUNT,
    NewAccount,
    accepted_email,
    accepted_name,
    accepted_roles,
    address_id_of,
    stage_new,
)
from symphainy_platform.realms.security.passwords import check_strength, hashed


class CreateUserAccountService(IntentService):
    """Registers an ACTIVE account; a second one for the address is refused, whatever its password."""

    intent_type = "create_user_account"

    async def execute(self, ctx: ExecutionContext, params: Any) -> IntentResult:
        """Stage account, credential and address; whoever loses a race finds the address taken when run again."""
        email, name, roles = accepted_email(params.email), accepted_name(params.name), accepted_roles(params.roles)
        address_id = await address_id_of(ctx.keys, ctx.tenant_id, email)
        if await ctx.state_surface.get_artifact(address_id) is not None:
            raise IntentError("EMAIL_TAKEN", details={"parameter": "email"})
        check_strength(params.password, email)
        password_hash = await hashed(params.password, self.settings.password_memory_kib)
        new = NewAccount(email=email, address_id=address_id, name=name, roles=roles, password_hash=password_hash)
        account = await stage_new(ctx, new)
        event = {"type": "user_account_created", "user_id": account.artifact_id, "roles": list(roles)}
        return IntentResult({USER_ACCOUNT: account}, [event])
