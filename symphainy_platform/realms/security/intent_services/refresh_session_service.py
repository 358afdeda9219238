"""Refresh an expired or expiring session (seed 000); the rules are in `refresh_rules`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from symphainy_platform import Artifact, ArtifactAnswer, ExecutionContext, IntentError, IntentResult, IntentService
from symphainy_platform.realms.security.minting import minted, signing_kid
from symphainy_platform.realms.security.refresh_rules import Verdict, judge
from symphainy_platform.realms.security.session import SESSION, Session, revoked_event, stage_ended, stage_rotated
from symphainy_platform.realms.security.session_times import HOUR


class RefreshSessionService(IntentService):
    """Rotates the session's token: same session_id, next generation, later `expires_at`."""

    intent_type = "refresh_session"

    async def execute(self, ctx: ExecutionContext, params: Any) -> IntentResult:
        """Stage the next generation, answer the same successor again, or refuse with what the rules say."""
        session = await _session(ctx)
        try:
            verdict = judge(session, await _account(ctx), ctx.facts["gen"], ctx.now())
        except IntentError as refusal:
            self._refuse(ctx, session, refusal.code)
        if verdict is Verdict.SUCCESSOR:
            return IntentResult({SESSION: await _answer(ctx, params, session.artifact)})
        wanted = max(session.expires_at, ctx.now().timestamp() + params.extend_hours * HOUR)
        expires_at = min(wanted, session.must_end_at)
        updated = stage_rotated(ctx, session, kid=await signing_kid(ctx.keys), expires_at=expires_at)
        answer = await _answer(ctx, params, updated, capped=expires_at < wanted)
        return IntentResult({SESSION: answer}, [{"type": "session_refreshed", "session_ref": session.ref}])

    async def successor_stands(self, ctx: ExecutionContext, params: Any) -> bool:
        """Whether rule 6 still gives the stored answer to this caller."""
        del params
        try:
            return judge(await _session(ctx), await _account(ctx), ctx.facts["gen"], ctx.now()) is Verdict.SUCCESSOR
        except IntentError:
            return False  # and the execution goes on to say which rule refuses

    async def restore(self, ctx: ExecutionContext, params: Any, name: str, artifact: Artifact) -> Mapping[str, Any]:
        """Make the successor's token again, byte for byte."""
        del name
        return {"session_id": params.session_id, "session_token": await minted(ctx.keys, artifact)}

    def _refuse(self, ctx: ExecutionContext, session: Session, code: str) -> NoReturn:
        """Rules 4 and 7 end the session for good, although the call fails."""
        if code == "SESSION_EXPIRED" and session.state == "ACTIVE":
            stage_ended(ctx, session.artifact, "EXPIRED", self.settings)
            raise IntentError(code, events=[{"type": "session_expired", "session_ref": session.ref}])
        if code == "SESSION_TOKEN_REUSED":
            stage_ended(ctx, session.artifact, "REVOKED", self.settings)
            raise IntentError(code, events=[revoked_event(session.artifact, "token_reused")])
        raise IntentError(code)


async def _session(ctx: ExecutionContext) -> Session:
    found = await ctx.state_surface.get_artifact(ctx.facts["session_ref"])
    if found is None:
        raise IntentError("SESSION_NOT_FOUND")
    return Session(found)


async def _account(ctx: ExecutionContext) -> Artifact | None:
    account_id = ctx.facts["account_id"]
    return await ctx.state_surface.get_artifact(account_id) if account_id else None


async def _answer(
    ctx: ExecutionContext, params: Any, session: Artifact, *, capped: bool | None = None
) -> ArtifactAnswer:
    """The session with its secrets; `capped` says that the longest life has shortened the extension.

    The secrets come last, as `restore` puts them: a replay is the same answer, byte for byte.
    """
    secrets = {"session_id": params.session_id, "session_token": await minted(ctx.keys, session)}
    return ArtifactAnswer(session, secrets if capped is None else {"capped": capped, **secrets})
