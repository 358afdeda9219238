"""Tokens of the command line: Ed25519-signed, minted and verified with the data folder's key."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from symphainy_platform.context import Identity
from symphainy_platform.errors import Unauthenticated
from symphainy_platform.identity.claims import NotAToken, Shape, read_unverified
from symphainy_platform.identity.remembered import Remembered, fingerprint
from symphainy_platform.identity.signatures import check_signature, signed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from symphainy_platform.context import Clock
    from symphainy_platform.identity.keys import SigningKey

TOKEN_TYPE = "cli+jwt"  # noqa: S105 - the name of a kind, no secret

SKEW_SECONDS = 30
"""How far ahead of ours the clock of the minting machine may be; it never prolongs `exp`."""

_SHAPE: Shape = {"sub": str, "tid": str, "jti": str, "roles": list, "iat": int, "nbf": int, "exp": int}
_REMEMBERED = 1024
_SERVICE = "service"
"""The role whose tokens submit intents; those of everybody else only open a session (issue 3, part 3)."""


@dataclass(frozen=True, slots=True)
class _Proof:
    """A verified token: whom it proves, and when."""

    identity: Identity
    begins: int
    ends: int

    @classmethod
    def of(cls, claims: Mapping[str, Any]) -> _Proof:
        roles = frozenset(claims["roles"])
        identity = Identity(tenant_id=claims["tid"], user_id=claims["sub"], roles=roles, external=_SERVICE not in roles)
        return cls(identity, begins=max(claims["nbf"], claims["iat"]), ends=claims["exp"])


class Tokens:
    """Mints and verifies the tokens of one key, issuer and audience.

    Verified tokens are remembered by their SHA-256; their times are compared with the clock at
    every use.
    """

    def __init__(self, key: SigningKey, *, issuer: str, audience: str) -> None:
        """Take the key and the two names that tokens carry and must carry."""
        self._key = key
        self._issuer = issuer
        self._audience = audience
        self._verified: Remembered[_Proof] = Remembered(_REMEMBERED)

    def mint(self, identity: Identity, *, ttl_seconds: int, clock: Clock) -> str:
        """Return a token that proves `identity` for `ttl_seconds` from now.

        Raises ValueError when the lifetime is not positive or the names do not fit into a token.
        """
        if ttl_seconds <= 0:
            msg = "a token lives at least a second"
            raise ValueError(msg)
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
        return signed(self._key, TOKEN_TYPE, claims)

    def verify(self, token: str, clock: Clock) -> Identity:
        """Return the identity that the token proves now; raises `Unauthenticated`, never saying why."""
        try:
            proof = self._remembered(token)
            _check_times(proof, clock)
        except NotAToken:
            raise Unauthenticated from None
        return proof.identity

    def _remembered(self, token: str) -> _Proof:
        digest = fingerprint(token)
        proof = self._verified.get(digest)
        if proof is None:
            proof = _Proof.of(self._checked(token))
            self._verified.keep(digest, proof)
        return proof

    def _checked(self, token: str) -> Mapping[str, Any]:
        read = read_unverified(token, TOKEN_TYPE, _SHAPE)
        if (read.kid, read.claims["iss"], read.claims["aud"]) != (self._key.kid, self._issuer, self._audience):
            raise NotAToken
        check_signature(token, self._key.public)
        return read.claims


def _check_times(proof: _Proof, clock: Clock) -> None:
    now = clock.now().timestamp()
    if now >= proof.ends or proof.begins > now + SKEW_SECONDS:
        raise NotAToken
