"""Tokens of the command line: Ed25519-signed, minted and verified with the data folder's key."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from typing import TYPE_CHECKING

import jwt

from symphainy_platform.context import Identity
from symphainy_platform.errors import Unauthenticated
from symphainy_platform.identity.claims import (
    ALGORITHM,
    MAX_TOKEN_BYTES,
    TOKEN_TYPE,
    Claims,
    NotAToken,
    read_unverified,
)

if TYPE_CHECKING:
    from symphainy_platform.context import Clock
    from symphainy_platform.identity.keys import SigningKey

SKEW_SECONDS = 30
"""How far ahead of ours the clock of the minting machine may be; it never prolongs `exp`."""

_REMEMBERED = 1024


class Tokens:
    """Mints and verifies the tokens of one key, issuer and audience.

    Verified tokens are remembered by their SHA-256 (an Ed25519 check costs ~80 µs, a look-up
    under 1); their times are compared with the clock at every use.
    """

    def __init__(self, key: SigningKey, *, issuer: str, audience: str) -> None:
        """Take the key and the two names that tokens carry and must carry."""
        self._key = key
        self._issuer = issuer
        self._audience = audience
        self._signatures = jwt.PyJWS(algorithms=[ALGORITHM])
        self._verified: OrderedDict[bytes, tuple[Claims, Identity]] = OrderedDict()

    def mint(self, identity: Identity, *, ttl_seconds: int, clock: Clock) -> str:
        """Return a token that proves `identity` for `ttl_seconds` from now.

        Raises ValueError when the lifetime is not positive or the names do not fit into a token.
        """
        now = int(clock.now().timestamp())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": identity.user_id,
            "tid": identity.tenant_id,
            "roles": sorted(identity.roles),
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "nbf": now,
            "exp": now + ttl_seconds,
        }
        header = {"typ": TOKEN_TYPE, "kid": self._key.kid}
        token = jwt.encode(claims, self._key.private, algorithm=ALGORITHM, headers=header)
        return self._own(token, ttl_seconds)

    def _own(self, token: str, ttl_seconds: int) -> str:
        """Return a token that this class would accept; refuse to hand out another."""
        try:
            read_unverified(token, self._key.kid)
        except NotAToken as error:
            msg = f"tenant, user and roles must be non-empty texts of a token of at most {MAX_TOKEN_BYTES} bytes"
            raise ValueError(msg) from error
        if ttl_seconds <= 0:
            msg = "a token lives at least a second"
            raise ValueError(msg)
        return token

    def verify(self, token: str, clock: Clock) -> Identity:
        """Return the identity that the token proves now; raises `Unauthenticated`, never saying why."""
        try:
            claims, identity = self._remembered(token)
            self._check_times(claims, clock)
        except NotAToken:
            raise Unauthenticated from None
        return identity

    def _remembered(self, token: str) -> tuple[Claims, Identity]:
        if len(token) > MAX_TOKEN_BYTES:
            raise NotAToken
        digest = hashlib.sha256(token.encode(errors="surrogatepass")).digest()
        known = self._verified.get(digest)
        if known is not None:
            self._verified.move_to_end(digest)
            return known
        return self._remember(digest, self._checked(token))

    def _remember(self, digest: bytes, claims: Claims) -> tuple[Claims, Identity]:
        identity = Identity(tenant_id=claims.tid, user_id=claims.sub, roles=frozenset(claims.roles))
        self._verified[digest] = (claims, identity)
        if len(self._verified) > _REMEMBERED:
            self._verified.popitem(last=False)
        return claims, identity

    def _checked(self, token: str) -> Claims:
        claims = read_unverified(token, self._key.kid)
        if (claims.iss, claims.aud) != (self._issuer, self._audience):
            raise NotAToken
        try:
            self._signatures.decode(token, self._key.public, algorithms=[ALGORITHM])
        except jwt.InvalidTokenError:
            raise NotAToken from None
        return claims

    @staticmethod
    def _check_times(claims: Claims, clock: Clock) -> None:
        now = clock.now().timestamp()
        if now >= claims.exp or max(claims.nbf, claims.iat) > now + SKEW_SECONDS:
            raise NotAToken
