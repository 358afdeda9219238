"""The security realm: accounts, and sessions that can be trusted (seed 000, 40-auth-sessions)."""

from __future__ import annotations

from symphainy_platform import IdentitySource, PlatformContext, Proof, Realm, data_folder, hookimpl


@hookimpl
def symphainy_realms() -> list[Realm]:
    """Bring the intents of accounts and sessions; their contracts name their services."""
    return [Realm("security", data_folder("contracts"))]


@hookimpl
def symphainy_proofs(platform: PlatformContext) -> dict[str, Proof]:
    """Bring what the public intents of this realm accept as a proof."""
    from symphainy_platform.realms.security import account_proofs, session_proofs  # noqa: PLC0415 - argon2 loads late
    from symphainy_platform.realms.security.rate_limits import RateLimits  # noqa: PLC0415

    limits = RateLimits(platform.settings)
    return {
        "session_token": session_proofs.SessionTokenProof(platform, limits),
        "opening": session_proofs.OpeningProof(platform),
        **account_proofs.proofs(platform, limits),
    }


@hookimpl
def symphainy_identity_sources(platform: PlatformContext) -> list[IdentitySource]:
    """Bring session tokens."""
    from symphainy_platform.realms.security.session_source import SessionTokens  # noqa: PLC0415

    return [SessionTokens(platform)]
