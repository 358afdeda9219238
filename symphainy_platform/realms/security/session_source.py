"""Session tokens as bearers: who asks, as long as the session lives (40-auth-sessions).

Every use looks at the session's row: revocation holds at once in the process that committed it,
and within a second in others. Roles are the account's of this moment.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from symphainy_platform import (
    Artifact,
    Identity,
    IntentError,
    NotAToken,
    PlatformContext,
    SessionExpired,
    SessionTerminated,
    Unauthenticated,
    token_type,
)
from symphainy_platform.realms.security.session import SESSION, Session
from symphainy_platform.realms.security.session_times import OVERLAP
from symphainy_platform.realms.security.session_tokens import SESSION_TYPE, SessionClaims, read_token

if TYPE_CHECKING:
    from datetime import datetime


class SessionTokens:
    """The identity source of session tokens."""

    def __init__(self, platform: PlatformContext) -> None:
        """Ask the platform's keys, and what it remembers of sessions and accounts."""
        self._platform = platform
        self._acknowledging: dict[tuple[str, int], asyncio.Task[None]] = {}

    async def identify(self, token: str) -> Identity | None:
        """Return the session's user; None for a token of another kind.

        Raises Unauthenticated, and for a session that has ended SessionExpired or SessionTerminated.
        """
        if token_type(token) != SESSION_TYPE:
            return None
        now = self._platform.clock.now()
        try:
            claims = await read_token(self._platform.keys, token, now)
        except NotAToken:
            raise Unauthenticated from None
        session, account = await self._known(claims)
        _refuse_generation(session, claims.gen, now)
        _refuse_ended(session, account, now)
        identity = Identity(claims.tenant_id, claims.user_id, _roles(session, account), session_ref=session.ref)
        if claims.gen == session.gen and not session.seen:
            self._acknowledge(identity, session)
        return identity

    async def _known(self, claims: SessionClaims) -> tuple[Session, Artifact | None]:
        """The session and its account; read anew where memory is behind what another process has done."""
        session = await self._session(claims)
        account = await self._account(session)
        if session.state != "ACTIVE" or (claims.gen <= session.gen and session.belongs_to(account)):
            return session, account
        self._platform.recent.forget(claims.tenant_id, session.ref)
        self._platform.recent.forget(claims.tenant_id, session.account_id)
        session = await self._session(claims)
        return session, await self._account(session)

    async def _session(self, claims: SessionClaims) -> Session:
        found = await self._platform.recent.get(claims.tenant_id, claims.session_ref)
        if found is None or found.artifact_type != SESSION or found.user_id != claims.user_id:
            raise Unauthenticated
        return Session(found)

    async def _account(self, session: Session) -> Artifact | None:
        if session.account_id is None:
            return None
        return await self._platform.recent.get(session.artifact.tenant_id, session.account_id)

    def _acknowledge(self, identity: Identity, session: Session) -> None:
        """Note, without anybody waiting, that this generation is in use: one write per generation."""
        place = (session.ref, session.gen)
        if place not in self._acknowledging:
            task = asyncio.create_task(self._acknowledged(identity, session.gen))
            self._acknowledging[place] = task
            task.add_done_callback(lambda _: self._acknowledging.pop(place))

    async def _acknowledged(self, identity: Identity, gen: int) -> None:
        try:
            await self._platform.submit("acknowledge_session", {"generation": gen}, identity=identity)
        except IntentError:
            return  # logged as every failure; the next use tries again


def _refuse_generation(session: Session, gen: int, now: datetime) -> None:
    """The current token holds, and the one before while requests with it may be under way."""
    if gen == session.gen:
        return
    rotated_at = session.rotated_at
    if gen != session.gen - 1 or rotated_at is None or now.timestamp() - rotated_at > OVERLAP:
        raise Unauthenticated


def _refuse_ended(session: Session, account: Artifact | None, now: datetime) -> None:
    if session.state == "EXPIRED":
        raise SessionExpired
    if session.state != "ACTIVE" or not session.belongs_to(account):
        raise SessionTerminated
    if now.timestamp() >= min(session.expires_at, session.must_end_at):
        raise SessionExpired


def _roles(session: Session, account: Artifact | None) -> frozenset[str]:
    return frozenset(account.semantic_payload["roles"]) if account else session.roles
