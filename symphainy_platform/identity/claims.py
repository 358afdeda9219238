"""The first check of a token (40-auth-sessions, "Ids and tokens"): shape and types, no signature.

A JWT library alone accepts odd tokens: padded, with duplicate keys, with times as strings or
floats, with key material in the header. Nothing here is lenient, and nothing says why it failed.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from symphainy_platform.canonical import NotStrictJson, parse_json

MAX_TOKEN_BYTES = 4096
"""A longer token is refused before anything looks into it."""

ALGORITHM = "EdDSA"

Shape = Mapping[str, type]
"""The claims of a kind of token beside `iss` and `aud`: name to `str`, `int` or `list` (of texts).

`iat`, `nbf` and `exp` are times: whole seconds since 1970 (UTC). A text has 1 to 255 characters.
"""

_PARTS = 3
_ALWAYS: Shape = {"iss": str, "aud": str}
_TIMES = frozenset({"iat", "nbf", "exp"})
_MAX_TEXT = 255
_END_OF_TIME = 253_402_300_800  # the year 10000, which datetime cannot hold
_KID = re.compile(r"[A-Za-z0-9_-]{16}")


class NotAToken(ValueError):
    """The text is no token of this kind; deliberately without a reason."""


@dataclass(frozen=True, slots=True)
class Unverified:
    """What a well-formed token says, `iss` and `aud` included; nobody has looked at its signature."""

    kid: str
    claims: Mapping[str, Any]


def read_unverified(token: str, typ: str, shape: Shape) -> Unverified:
    """Return what a token of kind `typ` says, if it has exactly the claims of `shape` (and `iss`, `aud`).

    Raises `NotAToken` for anything else.
    """
    header, payload, _signature = split_token(token)
    named = json_object(header)
    kid = named.get("kid")
    if named != {"alg": ALGORITHM, "typ": typ, "kid": kid} or not is_kid(kid):
        raise NotAToken
    claims = json_object(payload)
    if not _has_shape(claims, {**shape, **_ALWAYS}):
        raise NotAToken
    return Unverified(str(kid), claims)


def token_type(token: str, limit: int = MAX_TOKEN_BYTES) -> object:
    """The `typ` that the header claims, so that only the source of this kind is asked; None for no token."""
    return _type_named_by(token.partition(".")[0]) if len(token) <= limit else None


@lru_cache(maxsize=64)  # the tokens of one key have one header
def _type_named_by(header: str) -> object:
    try:
        return json_object(canonical_base64url(header)).get("typ")
    except NotAToken:
        return None


def split_token(token: str, limit: int = MAX_TOKEN_BYTES) -> tuple[bytes, bytes, bytes]:
    """Return header, payload and signature, decoded from their one canonical spelling, or raise `NotAToken`."""
    if len(token) > limit or not token.isascii():
        raise NotAToken
    parts = token.split(".", _PARTS)
    if len(parts) != _PARTS:
        raise NotAToken
    return canonical_base64url(parts[0]), canonical_base64url(parts[1]), canonical_base64url(parts[2])


def canonical_base64url(part: str) -> bytes:
    """Decode; the one spelling that encodes back to itself is accepted (RFC 4648, section 3.5)."""
    try:
        data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        raise NotAToken from None
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != part:
        raise NotAToken
    return data


def json_object(data: bytes) -> dict[str, Any]:
    """Return a strict JSON object (no duplicate keys, no NaN, bounded integers), or raise `NotAToken`."""
    try:
        value = parse_json(data)
    except NotStrictJson:
        raise NotAToken from None
    if not isinstance(value, dict):
        raise NotAToken
    return value


def is_kid(value: object) -> bool:
    """Whether this can be the id of a key: it is compared, looked up and logged only after this."""
    return isinstance(value, str) and _KID.fullmatch(value) is not None


def is_text(value: object) -> bool:
    """Whether this is a text of 1 to 255 characters."""
    return isinstance(value, str) and 0 < len(value) <= _MAX_TEXT


def is_time(value: object) -> bool:
    """Whether this is a whole number of seconds since 1970 that a calendar has; no bool, float or text."""
    return type(value) is int and 0 <= value < _END_OF_TIME


def _has_shape(claims: Mapping[str, Any], shape: Shape) -> bool:
    return claims.keys() == shape.keys() and all(_check_of(name, shape)(value) for name, value in claims.items())


def _check_of(name: str, shape: Shape) -> Callable[[object], bool]:
    return is_time if name in _TIMES else _CHECKS[shape[name]]


def _is_whole(value: object) -> bool:
    return type(value) is int


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(is_text, value))


_CHECKS: Mapping[type, Callable[[object], bool]] = {str: is_text, int: _is_whole, list: _is_texts}
