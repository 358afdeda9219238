"""The first check of a token (40-auth-sessions, "Ids and tokens"): shape and types, no signature.

A JWT library alone accepts odd tokens: padded, with duplicate keys, with times as strings or
floats, with key material in the header. Nothing here is lenient, and nothing says why it failed.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from symphainy_platform.canonical import NotStrictJson, parse_json

MAX_TOKEN_BYTES = 4096
"""A longer token is refused before anything looks into it."""

TOKEN_TYPE = "cli+jwt"  # noqa: S105 - the name of a kind, no secret
ALGORITHM = "EdDSA"

_PARTS = 3
_TEXT_CLAIMS = ("iss", "aud", "sub", "tid", "jti")
_TIME_CLAIMS = ("iat", "nbf", "exp")
_CLAIMS = {*_TEXT_CLAIMS, *_TIME_CLAIMS, "roles"}
_MAX_TEXT = 255
_END_OF_TIME = 253_402_300_800  # the year 10000, which datetime cannot hold


class NotAToken(ValueError):
    """The text is no token of this kind; deliberately without a reason."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says, in checked types. Times are whole seconds since 1970 (UTC)."""

    iss: str
    aud: str
    sub: str
    tid: str
    jti: str
    roles: tuple[str, ...]
    iat: int
    nbf: int
    exp: int


def read_unverified(token: str, kid: str) -> Claims:
    """Return the claims of a well-formed token that names `kid`; its signature is unchecked.

    Raises `NotAToken` for anything else.
    """
    header, payload, _signature = _segments(token)
    if _object(header) != {"alg": ALGORITHM, "typ": TOKEN_TYPE, "kid": kid}:
        raise NotAToken
    return _claims(_object(payload))


def is_of_this_kind(token: str) -> bool:
    """Whether the header claims this kind of token, so that no other identity source need be asked."""
    header = token[: MAX_TOKEN_BYTES + 1].partition(".")[0]
    return len(token) <= MAX_TOKEN_BYTES and _type_named_by(header) == TOKEN_TYPE


@lru_cache(maxsize=64)  # the tokens of one key have one header
def _type_named_by(header: str) -> object:
    try:
        return _object(_canonical_base64url(header)).get("typ")
    except NotAToken:
        return None


def _segments(token: str) -> tuple[bytes, bytes, bytes]:
    if len(token) > MAX_TOKEN_BYTES or not token.isascii():
        raise NotAToken
    parts = token.split(".")
    if len(parts) != _PARTS:
        raise NotAToken
    return _canonical_base64url(parts[0]), _canonical_base64url(parts[1]), _canonical_base64url(parts[2])


def _canonical_base64url(part: str) -> bytes:
    """Decode; the one spelling that encodes back to itself is accepted (RFC 4648, section 3.5)."""
    try:
        data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        raise NotAToken from None
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != part:
        raise NotAToken
    return data


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = parse_json(data)
    except NotStrictJson:
        raise NotAToken from None
    if not isinstance(value, dict):
        raise NotAToken
    return value


def _claims(values: dict[str, Any]) -> Claims:
    typed = (
        values.keys() == _CLAIMS
        and all(_is_text(values[name]) for name in _TEXT_CLAIMS)
        and all(_is_time(values[name]) for name in _TIME_CLAIMS)
        and isinstance(values["roles"], list)
        and all(map(_is_text, values["roles"]))
    )
    if not typed:
        raise NotAToken
    return Claims(**values | {"roles": tuple(values["roles"])})


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MAX_TEXT


def _is_time(value: object) -> bool:
    return type(value) is int and 0 <= value < _END_OF_TIME
