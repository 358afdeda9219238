"""Choose another password, and end whatever the old one has opened elsewhere (40-auth-sessions)."""

from __future__ import annotations

from typing import Any

from symphainy_platform import Artifact, ExecutionContext, IntentError, IntentResult, IntentService, Settings
from symphainy_platform.realms.security.accounts import (
    USER_ACCOUNT,
    address_id_of,
    credential_id_of,
    password_hash_of,
    stage_next_epoch,
    stage_password,
)
from symphainy_platform.realms.security.passwords import check_strength, hashed, is_password_of
from symphainy_platform.realms.security.rate_limits import RateLimits, try_password
from symphainy_platform.realms.security.session import active_sessions, revoked_event, stage_ended, stage_epoch


class ChangePasswordService(IntentService):
    """Replaces the password; the caller's own session lives on, every other one and every proof ends."""

    intent_type = "change_password"

    def __init__(self, settings: Settings) -> None:
        """Count tries of passwords, as signing in does."""
        super().__init__(settings)
        self._limits = RateLimits(settings)

    async def execute(self, ctx: ExecutionContext, params: Any) -> IntentResult:
        """Compare, then stage the password, the account's next epoch, and the end of the other sessions."""
        account, credential = await self._proven(ctx, params.current_password)
        check_strength(params.new_password, account.semantic_payload["email"])
        password_hash = await hashed(params.new_password, self.settings.password_memory_kib)
        changed = stage_next_epoch(ctx, account)
        await stage_password(ctx, credential, password_hash)
        ended = await self._end_others(ctx, changed)
        event = {"type": "password_changed", "user_id": changed.artifact_id}
        return IntentResult(
            {USER_ACCOUNT: changed}, [event, *(revoked_event(session, "password_changed") for session in ended)]
        )

    async def _proven(self, ctx: ExecutionContext, password: str) -> tuple[Artifact, Artifact]:
        """The caller's account and credential, if this is the password; else INVALID_CREDENTIALS."""
        account = await ctx.state_surface.get_artifact(ctx.user_id)
        credential = await ctx.state_surface.get_artifact(credential_id_of(ctx.user_id))
        await self._count_try(ctx, account)
        encoded = await password_hash_of(ctx, credential, self.settings.password_memory_kib)
        matches = await is_password_of(encoded, password)
        if account is None or credential is None or not matches:
            raise IntentError("INVALID_CREDENTIALS")
        return account, credential

    async def _count_try(self, ctx: ExecutionContext, account: Artifact | None) -> None:
        email = account.semantic_payload["email"] if account else ctx.user_id
        tried = await address_id_of(ctx.keys, ctx.tenant_id, email)
        try_password(self._limits, tried, ctx.client.address, now=ctx.now(), once=ctx.execution_id)

    async def _end_others(self, ctx: ExecutionContext, account: Artifact) -> list[Artifact]:
        """Stage the end of every session but the caller's own, which moves along into the new epoch."""
        ended = []
        for session in await active_sessions(ctx, account.user_id):
            if session.artifact_id == ctx.session_ref:
                stage_epoch(ctx, session, account.semantic_payload["epoch"])
            else:
                ended.append(stage_ended(ctx, session, "REVOKED", self.settings))
        return ended
