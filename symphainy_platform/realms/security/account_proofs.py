"""The proofs of the public intents that work on accounts."""

from __future__ import annotations

from collections.abc import Mapping

from symphainy_platform import (
    Identity,
    IntentError,
    PlatformContext,
    Proof,
    ProofAttempt,
    Proven,
    Unauthenticated,
)
from symphainy_platform.realms.security.accounts import (
    ACTIVE,
    DIRECTORY_ID,
    UNKNOWN_USER,
    USER_ACCOUNT,
    address_id_of,
)
from symphainy_platform.realms.security.rate_limits import RateLimits, try_password
from symphainy_platform.realms.security.session_tokens import ProofClaims, read_proof, ref_of, session_id_of

BY_TOKEN = "authentication_token"  # noqa: S105 - how somebody was proven
BY_IDENTITY = "identity"


def proofs(platform: PlatformContext, limits: RateLimits) -> Mapping[str, Proof]:
    """What authenticate_user and validate_authorization accept."""
    return {
        "password_attempt": PasswordAttempt(platform, limits),
        "authentication_or_identity": AuthenticationOrIdentity(platform),
    }


class PasswordAttempt:
    """An address and a password, which the service compares: finds whose they claim to be, and counts the try.

    It proves nothing, and so gives no roles. Unknown addresses are tried on behalf of UNKNOWN_USER.
    """

    facts = frozenset({"known_tenant"})

    def __init__(self, platform: PlatformContext, limits: RateLimits) -> None:
        """Ask the platform's keys and store."""
        self._platform = platform
        self._limits = limits

    async def prove(self, attempt: ProofAttempt) -> Proven:
        """Return the user of the address; raises RateLimited before anything is read or hashed."""
        tenant_id, email = attempt.params.tenant, attempt.params.email
        address_id = await address_id_of(self._platform.keys, tenant_id, email)
        try_password(self._limits, address_id, attempt.client.address, now=attempt.now, once=attempt.execution_id)
        directory = await self._platform.artifact(tenant_id, DIRECTORY_ID)
        address = await self._platform.artifact(tenant_id, address_id)
        user_id = address.semantic_payload["user_id"] if address else UNKNOWN_USER
        return Proven(identity=Identity(tenant_id, user_id), facts={"known_tenant": directory is not None})


class AuthenticationOrIdentity:
    """An authentication token, which is not used up; without one the caller's identity."""

    facts = frozenset({"method", "permissions"})

    def __init__(self, platform: PlatformContext) -> None:
        """Ask the platform's keys, store, identity sources and roles."""
        self._platform = platform

    async def prove(self, attempt: ProofAttempt) -> Proven:
        """Return who asks; INVALID_AUTHENTICATION_TOKEN, or Unauthenticated when there is no token at all."""
        if attempt.params.authentication_token is not None:
            return self._proven(await self._by_token(attempt), BY_TOKEN)
        return self._proven(await self._by_identity(attempt), BY_IDENTITY)

    async def _by_token(self, attempt: ProofAttempt) -> Identity:
        claims = await read_proof(self._platform.keys, attempt.params.authentication_token, attempt.now)
        account = await self._platform.artifact(claims.tenant_id, claims.user_id)
        if (
            account is None
            or (account.artifact_type, account.lifecycle_state) != (USER_ACCOUNT, ACTIVE)
            or account.semantic_payload["epoch"] != claims.epoch
            or await self._is_used(claims)
        ):
            raise IntentError("INVALID_AUTHENTICATION_TOKEN")
        return Identity(claims.tenant_id, claims.user_id, frozenset(account.semantic_payload["roles"]))

    async def _is_used(self, claims: ProofClaims) -> bool:
        """Whether the token has opened its session, and so holds no more."""
        session_id = await session_id_of(self._platform.keys, f"{claims.tenant_id}/{claims.opening_id}")
        session_ref = await ref_of(self._platform.keys, session_id)
        return await self._platform.artifact(claims.tenant_id, session_ref) is not None

    async def _by_identity(self, attempt: ProofAttempt) -> Identity:
        identity = attempt.identity
        if identity is None and attempt.bearer is not None:
            identity = await self._platform.identify(attempt.bearer)
        if identity is None or identity.external:
            raise Unauthenticated
        return identity

    def _proven(self, identity: Identity, method: str) -> Proven:
        permissions = self._platform.permissions_of(identity.roles)
        return Proven(identity=identity, facts={"method": method, "permissions": permissions})
