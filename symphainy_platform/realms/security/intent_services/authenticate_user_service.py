"""Compare a password, and give who knows it a proof that opens a session (40-auth-sessions)."""

from __future__ import annotations

from typing import Any

from symphainy_platform import Artifact, ExecutionContext, IntentResult, IntentService, isoformat, moment
from symphainy_platform.realms.security.accounts import ACTIVE, credential_id_of, password_hash_of
from symphainy_platform.realms.security.passwords import is_password_of
from symphainy_platform.realms.security.session_times import PROOF_LIFE
from symphainy_platform.realms.security.session_tokens import mint_proof

RESULT = "authentication_result"
"""Name of the answer."""

_METHOD = "password"
_REASON = "The e-mail address or the password is wrong."


class AuthenticateUserService(IntentService):
    """Answers a token of 60 seconds, or one refusal for wrong password, unknown address and disabled account.

    In each of them the same is read and one hash is computed, so that time tells them apart no
    more than words. In a tenant without accounts strangers leave no event. Nothing is written here,
    so a hash with parameters of yesterday stays until the password is changed.
    """

    intent_type = "authenticate_user"

    async def execute(self, ctx: ExecutionContext, params: Any) -> IntentResult:
        """Compare; `password_attempt` has found the user, and counted the try."""
        account = await ctx.state_surface.get_artifact(ctx.user_id)
        credential = await ctx.state_surface.get_artifact(credential_id_of(ctx.user_id))
        encoded = await password_hash_of(ctx, credential, self.settings.password_memory_kib)
        matches = await is_password_of(encoded, params.password)
        if matches and credential is not None and account is not None and account.lifecycle_state == ACTIVE:
            return await self._accepted(ctx, account)
        answer = {"authenticated": False, "reason": _REASON}
        tried = [{"type": "authentication_failed", "method": _METHOD}] if ctx.facts["known_tenant"] else []
        return IntentResult({RESULT: answer}, tried)

    async def _accepted(self, ctx: ExecutionContext, account: Artifact) -> IntentResult:
        answer = {
            "authenticated": True,
            "user_id": account.artifact_id,
            "authentication_token": await mint_proof(ctx.keys, account, ctx.ids.trace(), ctx.now()),
            "expires_at": isoformat(moment(int(ctx.now().timestamp()) + PROOF_LIFE)),
        }
        return IntentResult({RESULT: answer}, [{"type": "authentication_succeeded", "method": _METHOD}])
