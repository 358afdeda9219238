"""Access tokens of Supabase Auth as proofs of identity (40-auth-sessions, "Identity sources behind one hook").

They are signed by keys that Supabase publishes; what they say is believed only where its users
cannot write (`app_metadata`, never `user_metadata`). Claims: supabase.com/docs/guides/auth/jwt-fields.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt

from symphainy_platform.context import Identity
from symphainy_platform.errors import SettingsError, Unauthenticated
from symphainy_platform.identity.claims import NotAToken, is_text, is_time, json_object, split_token
from symphainy_platform.identity.jwks import ALGORITHMS, RemoteKeys, VerifyingKey
from symphainy_platform.identity.remembered import Remembered

if TYPE_CHECKING:
    from symphainy_platform.context import Clock
    from symphainy_platform.settings import Settings

MAX_TOKEN_BYTES = 16 * 1024
"""A longer token is nobody's: nothing looks into it."""

AUTHENTICATED = "authenticated"
"""Audience and role of a signed-in user's token."""

USER_PREFIX = "supabase:"
"""What sets these users apart from those of other sources."""

SKEW_SECONDS = 30
"""How far ahead of ours the clock of the issuer may be; it never prolongs `exp`."""

_KEY_SET = "/.well-known/jwks.json"
_HEADER_FIELDS = {"alg", "kid", "typ"}
_REMEMBERED = 1024
_SIGNATURES = jwt.PyJWS(algorithms=ALGORITHMS)


@dataclass(frozen=True, slots=True)
class SupabaseClaims:
    """What a token says, in checked types. Times are whole seconds since 1970 (UTC)."""

    kid: str
    identity: Identity
    valid_from: int
    """The later one of `iat` and `nbf`."""
    exp: int


class SupabaseAuth:
    """Proves access tokens of one Supabase project; leaves every other token to other sources.

    Verified tokens are remembered by their SHA-256, and only as long as their key is in the key
    set; their times are compared with the clock at every use.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Take the issuer from the settings; nothing is fetched before the first token of it.

        Raises `SettingsError` without one; what may be one, the settings have checked.
        """
        if settings.supabase_auth_url is None:
            msg = "SYMPHAINY_SUPABASE_AUTH_URL is not set: there is no Supabase project whose tokens could be proven"
            raise SettingsError(msg)
        self._issuer = settings.supabase_auth_url
        self._keys = RemoteKeys(self._issuer + _KEY_SET, clock)
        self._clock = clock
        self._verified: Remembered[tuple[SupabaseClaims, VerifyingKey]] = Remembered(_REMEMBERED)

    async def identify(self, token: str) -> Identity | None:
        """Return the identity; None for a token of another issuer; raises `Unauthenticated`, never saying why."""
        header, payload = _parts(token)
        if payload.get("iss") != self._issuer:
            return None
        try:
            return await self._proven(token, header, payload)
        except NotAToken:
            raise Unauthenticated from None

    async def _proven(self, token: str, header: dict[str, Any], payload: dict[str, Any]) -> Identity:
        digest = hashlib.sha256(token.encode()).digest()
        claims, checked_with = self._verified.get(digest) or (_claims(header, payload), None)
        self._check_times(claims)  # before: an expired token causes no fetch
        key = await self._keys.find(claims.kid)
        if key is None:
            raise NotAToken
        if key != checked_with:
            _check_signature(token, key)
            self._verified.keep(digest, (claims, key))
        self._check_times(claims)  # after: the fetch took its time
        return claims.identity

    def _check_times(self, claims: SupabaseClaims) -> None:
        now = self._clock.now().timestamp()
        if now >= claims.exp or claims.valid_from > now + SKEW_SECONDS:
            raise NotAToken


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The unchecked header and claims of a JWT; two empty ones for what is none."""
    try:
        header, payload, _signature = split_token(token, MAX_TOKEN_BYTES)
        return json_object(header), json_object(payload)
    except NotAToken:
        return {}, {}


def _claims(header: dict[str, Any], payload: dict[str, Any]) -> SupabaseClaims:
    """Check everything but the times and the signature; raises `NotAToken`."""
    if not (_is_plain(header) and _is_signed_in(payload) and _is_dated(payload)):
        raise NotAToken
    return SupabaseClaims(
        kid=header["kid"],
        identity=_identity(payload),
        valid_from=max(payload["iat"], payload.get("nbf", 0)),
        exp=payload["exp"],
    )


def _is_plain(header: dict[str, Any]) -> bool:
    """Whether the header names an algorithm and a key, and brings nothing of its own (jku, x5u, jwk, crit …)."""
    return (
        header.keys() <= _HEADER_FIELDS
        and header.get("typ", "JWT") == "JWT"
        and header.get("alg") in ALGORITHMS
        and is_text(header.get("kid"))
    )


def _is_signed_in(payload: dict[str, Any]) -> bool:
    """Whether it is a signed-in user's token, and the user is not an anonymous one."""
    audience = payload.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    return (
        all(map(is_text, audiences))
        and AUTHENTICATED in audiences
        and payload.get("role") == AUTHENTICATED
        and payload.get("is_anonymous", False) is False
    )


def _is_dated(payload: dict[str, Any]) -> bool:
    return all(is_time(payload.get(name)) for name in ("exp", "iat")) and is_time(payload.get("nbf", 0))


def _identity(payload: dict[str, Any]) -> Identity:
    """Tenant and user; the tenant is the word of the application, not of its user. Roles are not theirs to give."""
    subject, metadata = payload.get("sub"), payload.get("app_metadata")
    tenant = metadata.get("tenant_id") if isinstance(metadata, dict) else None
    user = f"{USER_PREFIX}{subject}"
    if not (isinstance(tenant, str) and is_text(tenant) and is_text(subject) and is_text(user)):
        raise NotAToken
    return Identity(tenant_id=tenant, user_id=user, external=True)


def _check_signature(token: str, key: VerifyingKey) -> None:
    """Raise `NotAToken` unless the key made it, with the key's own algorithm."""
    try:
        _SIGNATURES.decode(token, key.public, algorithms=[key.algorithm])
    except jwt.PyJWTError:
        raise NotAToken from None
