"""The public keys of a foreign issuer (RFC 7517): fetched, kept, and looked up by their `kid`.

The issuer may rotate its keys, be away, or answer nonsense: a new key is found when a token first
names it, a removed one dies with the next refresh, and a failed fetch changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import structlog
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError

from symphainy_platform.canonical import NotStrictJson, parse_json

if TYPE_CHECKING:
    from symphainy_platform.context import Clock

log = structlog.get_logger(__name__)

PublicKey = EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey

CONNECT_SECONDS = 1.0
"""How long a connection may take to come about."""

TOTAL_SECONDS = 5.0
"""How long a whole fetch may take."""

MAX_KEY_SET_BYTES = 256 * 1024
"""A longer answer is no key set."""

RETRY_SECONDS = 10.0
"""Unknown kids cause at most one fetch in this time."""

REFRESH_SECONDS = 600.0
"""Uses of known keys cause at most one fetch in this time; it is how removed keys die."""

STALE_SECONDS = 2 * REFRESH_SECONDS
"""A key set that nobody has used for so long is fetched before it proves anything."""

MIN_RSA_BITS = 2048
"""Shorter RSA keys prove nothing."""

_FOUND = 200
_MAX_KID = 255
_ALGORITHMS: Mapping[tuple[object, object], str] = {
    ("EC", "P-256"): "ES256",
    ("RSA", None): "RS256",
    ("OKP", "Ed25519"): "EdDSA",
}
ALGORITHMS = tuple(_ALGORITHMS.values())
"""The only signature algorithms; which one counts is the key's business, not the token's."""


class KeysUnavailable(Exception):
    """The issuer gave no key set; the message says why, for the log."""


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A public key, and the one algorithm that its signatures have."""

    algorithm: str
    public: PublicKey = field(repr=False)


class RemoteKeys:
    """The key set at a URL. Nothing is fetched before the first look-up."""

    def __init__(self, url: str, clock: Clock) -> None:
        """Take the address of the key set. The settings let in https only, or http on this machine."""
        self._url = httpx.URL(url)
        self._clock = clock
        self._keys: Mapping[str, VerifyingKey] = {}
        self._asked_at = float("-inf")
        self._fetched_at = float("-inf")
        self._flight: asyncio.Task[None] | None = None

    async def find(self, kid: str) -> VerifyingKey | None:
        """Return the key of this name; while a fetch is allowed or under way, an unknown or a stale one is waited for.

        A set is stale after STALE_SECONDS without a use: a key that was removed meanwhile proves nothing more.
        """
        known = kid in self._keys
        stale = abs(self._clock.now().timestamp() - self._fetched_at) >= STALE_SECONDS
        self._ask_after(REFRESH_SECONDS if known else RETRY_SECONDS)
        if self._flight is not None and (stale or not known):
            await asyncio.shield(self._flight)  # others wait for it, too
        return self._keys.get(kid)

    def _ask_after(self, seconds: float) -> None:
        """Begin a fetch, unless one is under way or began less than `seconds` ago."""
        now = self._clock.now().timestamp()
        if self._flight is None and abs(now - self._asked_at) >= seconds:  # abs: a clock may be set back
            self._asked_at = now
            self._flight = asyncio.create_task(self._ask())

    async def _ask(self) -> None:
        try:
            self._keys = read_key_set(await _fetch(self._url))
            self._fetched_at = self._asked_at
        except KeysUnavailable as error:
            log.warning("signing_keys_unavailable", url=str(self._url), reason=str(error), known_keys=len(self._keys))
        finally:
            self._flight = None


async def _fetch(url: httpx.URL) -> bytes:
    try:
        async with asyncio.timeout(TOTAL_SECONDS):
            return await _download(url)
    except TimeoutError:
        raise KeysUnavailable("no whole answer in time") from None
    except (httpx.HTTPError, UnicodeError) as error:  # UnicodeError: a host that cannot be looked up
        raise KeysUnavailable(type(error).__name__) from error


async def _download(url: httpx.URL) -> bytes:
    timeout = httpx.Timeout(None, connect=CONNECT_SECONDS)  # the caller bounds the whole
    outside = url.scheme == "https"  # a proxy of the environment leads there, never back to this machine
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    async with (
        httpx.AsyncClient(timeout=timeout, trust_env=outside, follow_redirects=False) as client,
        client.stream("GET", url, headers=headers) as answer,
    ):
        if answer.status_code != _FOUND:
            raise KeysUnavailable(f"status {answer.status_code}")
        body = bytearray()
        async for chunk in answer.aiter_raw():  # as it comes: nothing is unpacked to more than was counted
            body += chunk
            if len(body) > MAX_KEY_SET_BYTES:
                raise KeysUnavailable(f"more than {MAX_KEY_SET_BYTES} bytes")
        return bytes(body)


def read_key_set(body: bytes) -> dict[str, VerifyingKey]:
    """Return the usable keys of a JWK set by their `kid` (the first of a name counts).

    Keys of other kinds or uses are passed over. Raises `KeysUnavailable` for what is no key set.
    """
    try:
        value = parse_json(body)
    except NotStrictJson:
        raise KeysUnavailable("no strict JSON") from None
    entries = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise KeysUnavailable("no key set")
    found: dict[str, VerifyingKey] = {}
    for entry in entries:
        if (key := _usable(entry)) is not None:
            found.setdefault(entry["kid"], key)
    return found


def _usable(entry: dict[str, Any]) -> VerifyingKey | None:
    """The key, when it is a public one with a name, for signatures of an algorithm that we take."""
    algorithm = _algorithm(entry)
    kid = entry.get("kid")
    named = isinstance(kid, str) and 0 < len(kid) <= _MAX_KID
    if algorithm is None or not named or "d" in entry or not _is_for_signatures(entry):
        return None
    try:
        public = PyJWK(entry, algorithm).key
    except (PyJWTError, ValueError, TypeError):  # one odd key takes nothing from the others
        return None
    return VerifyingKey(algorithm, public) if _is_strong(public) else None


def _algorithm(entry: dict[str, Any]) -> str | None:
    """The algorithm that follows from the kind of key, unless the key names another one."""
    kind = (str(entry.get("kty")), entry.get("crv") and str(entry["crv"]))
    algorithm = _ALGORITHMS.get(kind)
    return algorithm if entry.get("alg", algorithm) == algorithm else None


def _is_for_signatures(entry: dict[str, Any]) -> bool:
    operations = entry.get("key_ops", ["verify"])
    return entry.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations


def _is_strong(public: object) -> bool:
    return not isinstance(public, RSAPublicKey) or public.key_size >= MIN_RSA_BITS
