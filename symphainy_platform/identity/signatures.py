"""Ed25519 signatures of tokens: always the same bytes for the same claims and key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jwt
import orjson

from symphainy_platform.identity.claims import ALGORITHM, MAX_TOKEN_BYTES, NotAToken, read_unverified

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from symphainy_platform.identity.keys import SigningKey

_JWS = jwt.PyJWS(algorithms=[ALGORITHM])


def signed(key: SigningKey, typ: str, claims: Mapping[str, Any]) -> str:
    """Return the one token of these claims; raises ValueError for claims that no verifier would accept."""
    try:
        token = _encoded(key, typ, claims)
        read_unverified(token, typ, {name: type(value) for name, value in claims.items()})
    except (TypeError, KeyError, NotAToken) as error:  # no JSON, no type of a claim, not as tokens are
        msg = f"claims are times, whole numbers and non-empty texts, in a token of at most {MAX_TOKEN_BYTES} bytes"
        raise ValueError(msg) from error
    return token


def _encoded(key: SigningKey, typ: str, claims: Mapping[str, Any]) -> str:
    payload = orjson.dumps(dict(claims), option=orjson.OPT_SORT_KEYS)
    headers = {"typ": typ, "kid": key.kid}
    return _JWS.encode(payload, key.private, algorithm=ALGORITHM, headers=headers, sort_headers=True)


def check_signature(token: str, public: Ed25519PublicKey) -> None:
    """Raise `NotAToken` unless this key has signed the token."""
    try:
        _JWS.decode(token, public, algorithms=[ALGORITHM])
    except jwt.InvalidTokenError:
        raise NotAToken from None
