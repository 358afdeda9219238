"""Open a session for whoever has proven who they are (40-auth-sessions)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symphainy_platform import Artifact, ArtifactAnswer, ExecutionContext, IntentError, IntentResult, IntentService
from symphainy_platform.realms.security.minting import minted, signing_kid
from symphainy_platform.realms.security.session import SESSION, Opened, Session, stage_opened
from symphainy_platform.realms.security.session_times import HOUR
from symphainy_platform.realms.security.session_tokens import id_hash_of, session_id_of


class CreateSessionService(IntentService):
    """Registers an ACTIVE session of generation 1; the proof is used up by the commit, not by a refusal."""

    intent_type = "create_session"

    async def execute(self, ctx: ExecutionContext, params: Any) -> IntentResult:
        """Stage session and row; the same proof never opens a second one."""
        if params.user_id not in (None, ctx.user_id):
            raise IntentError("PERMISSION_DENIED", details={"parameter": "user_id"})
        await self._refuse_used(ctx)
        session_id = await self._session_id(ctx)
        session = stage_opened(
            ctx,
            Opened(
                session_ref=ctx.facts["session_ref"],
                id_hash=await id_hash_of(ctx.keys, session_id),
                kid=await signing_kid(ctx.keys),
                expires_at=ctx.now().timestamp() + params.extend_hours * HOUR,
                remember=params.remember,
                user_agent=_printable(ctx.client.user_agent),
                roles=frozenset(ctx.facts["roles"]),
                epoch=ctx.facts["epoch"],
            ),
        )
        secrets = {"session_id": session_id, "session_token": await minted(ctx.keys, session)}
        event = {"type": "session_created", "session_ref": session.artifact_id}
        return IntentResult({SESSION: ArtifactAnswer(session, secrets)}, [event])

    async def untouched(self, ctx: ExecutionContext, params: Any) -> bool:
        """Whether the session may be answered again: alive, and nobody has used it yet."""
        del params
        found = await ctx.state_surface.get_artifact(ctx.facts["session_ref"])
        session = Session(found) if found else None
        return session is not None and session.state == "ACTIVE" and session.gen == 1 and not session.seen

    async def restore(self, ctx: ExecutionContext, params: Any, name: str, artifact: Artifact) -> Mapping[str, Any]:
        """Make id and token again, for a caller whose answer was lost."""
        del params, name
        return {"session_id": await self._session_id(ctx), "session_token": await minted(ctx.keys, artifact)}

    async def _session_id(self, ctx: ExecutionContext) -> str:
        return await session_id_of(ctx.keys, f"{ctx.tenant_id}/{ctx.facts['proof_id']}")

    async def _refuse_used(self, ctx: ExecutionContext) -> None:
        """Refuse a proof that has opened a session before, or that an account no longer stands behind."""
        used = await ctx.state_surface.get_artifact(ctx.facts["session_ref"])
        account_id = ctx.facts["account_id"]
        account = await ctx.state_surface.get_artifact(account_id) if account_id else None
        outdated = account is not None and account.semantic_payload["epoch"] != ctx.facts["epoch"]
        if used is not None or outdated:
            raise IntentError("INVALID_AUTHENTICATION_TOKEN")


def _printable(text: str | None) -> str | None:
    """What a browser says of itself, without what a terminal would act on."""
    return "".join(char for char in text if char.isprintable()) if text else None
