"""The proofs of the public intents that work on sessions."""

from __future__ import annotations

import hashlib
from typing import Any

from symphainy_platform import (
    Artifact,
    Identity,
    IntentError,
    PlatformContext,
    ProofAttempt,
    Proven,
    Unauthenticated,
)
from symphainy_platform.realms.security.rate_limits import RateLimits
from symphainy_platform.realms.security.refresh_rules import present_token
from symphainy_platform.realms.security.session_tokens import read_proof, ref_of, session_id_of

SERVICE_ROLE = "service"


class SessionTokenProof:
    """A session id and a token of that session: rules 1 to 3, then the limit per session."""

    facts = frozenset({"session_ref", "gen", "account_id"})

    def __init__(self, platform: PlatformContext, limits: RateLimits) -> None:
        """Ask the platform's keys and store."""
        self._platform = platform
        self._limits = limits

    async def prove(self, attempt: ProofAttempt) -> Proven:
        """Return the session's user; raises what the rules say."""
        params = attempt.params
        presented = await present_token(self._platform, params.session_id, params.session_token, attempt.now)
        session, claims = presented.session, presented.claims
        self._limits.hit(attempt.intent_type, session.ref, now=attempt.now)
        return Proven(
            identity=Identity(claims.tenant_id, claims.user_id, session.roles, session_ref=session.ref),
            facts={"session_ref": session.ref, "gen": claims.gen, "account_id": session.account_id},
        )


class OpeningProof:
    """What opens a session: an authentication token, else the token of an identity from elsewhere."""

    facts = frozenset({"proof_id", "session_ref", "account_id", "epoch", "roles"})

    def __init__(self, platform: PlatformContext) -> None:
        """Ask the platform's keys, store and identity sources."""
        self._platform = platform

    async def prove(self, attempt: ProofAttempt) -> Proven:
        """Return who may open a session, and which one it is."""
        if attempt.params.authentication_token is not None:
            return await self._by_token(attempt)
        return await self._by_identity(attempt)

    async def _by_token(self, attempt: ProofAttempt) -> Proven:
        claims = await read_proof(self._platform.keys, attempt.params.authentication_token, attempt.now)
        account = await self._platform.artifact(claims.tenant_id, claims.user_id)
        if account is None or account.semantic_payload.get("epoch") != claims.epoch:
            raise IntentError("INVALID_AUTHENTICATION_TOKEN")
        identity = Identity(claims.tenant_id, claims.user_id)
        return await self._proven(identity, claims.opening_id, account)

    async def _by_identity(self, attempt: ProofAttempt) -> Proven:
        identity, proof_id = await self._introduced(attempt)
        account = await self._platform.artifact(identity.tenant_id, identity.user_id)
        known = account if account is not None and account.artifact_type == "user_account" else None
        return await self._proven(identity, proof_id, known)

    async def _introduced(self, attempt: ProofAttempt) -> tuple[Identity, str]:
        """The identity that a caller in this process asserts, or that an external bearer token proves."""
        if attempt.identity is not None:
            if attempt.identity.session_ref is not None:
                raise Unauthenticated
            return attempt.identity, f"asserted:{attempt.execution_id}"
        if attempt.bearer is None:
            raise Unauthenticated
        identity = await self._platform.identify(attempt.bearer)
        if not identity.external:
            raise Unauthenticated
        return identity, f"bearer:{hashlib.sha256(attempt.bearer.encode()).hexdigest()}"

    async def _proven(self, identity: Identity, proof_id: str, account: Artifact | None) -> Proven:
        keys = self._platform.keys
        facts: dict[str, Any] = {
            "proof_id": proof_id,
            "session_ref": await ref_of(keys, await session_id_of(keys, f"{identity.tenant_id}/{proof_id}")),
            "account_id": account.artifact_id if account else None,
            "epoch": account.semantic_payload["epoch"] if account else None,
            "roles": [] if account else sorted(identity.roles - {SERVICE_ROLE}),
        }
        return Proven(identity=Identity(identity.tenant_id, identity.user_id), facts=facts)
