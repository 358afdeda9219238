"""The key ring: the platform's own keys, for whoever signs, verifies, seals or names something.

40-auth-sessions, "Ids and tokens". The keys are in the store, sealed by a master key that is not.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from symphainy_platform.canonical import KeyedDigest
from symphainy_platform.context import isoformat
from symphainy_platform.identity.claims import ALGORITHM, NotAToken, Shape, read_unverified
from symphainy_platform.identity.remembered import Remembered, fingerprint
from symphainy_platform.identity.ring_keys import KEYED, PURPOSES, SEALING, TOKENS, TokenKey, verifies_until
from symphainy_platform.identity.sealing import NotSealedHere, Place, sealed_by
from symphainy_platform.identity.signatures import check_signature, signed
from symphainy_platform.identity.vault import Vault

if TYPE_CHECKING:
    from symphainy_platform.context import Clock
    from symphainy_platform.settings import Settings
    from symphainy_platform.state.records import SealedKey
    from symphainy_platform.state.store import Store

_REMEMBERED = 4096
_OURS = frozenset({"iss", "aud"})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInfo:
    """What everybody may know of a key. Times are ISO-8601 UTC.

    `verifies_until` is when tokens of a rotated signing key have all ended; None for every other key.
    """

    purpose: str
    kid: str
    created_at: str
    rotated_at: str | None
    verifies_until: str | None


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token whose signature was checked, and as what."""

    typ: str
    shape: Shape
    kid: str
    claims: Mapping[str, Any]


class KeyRing:
    """Signs and verifies tokens, names things by keyed hashes, seals and unseals; rotates its keys.

    Every call raises `StartError` when there is no master key or it is not the one that sealed the
    keys, and `DatabaseUnavailable` when the store has to be asked and does not answer.
    """

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        """Touch nothing before the first use."""
        self._vault = Vault(store, settings, clock)
        self._store = store
        self._clock = clock
        self._named = {"iss": settings.issuer, "aud": settings.audience}
        self._verified: Remembered[_Verified] = Remembered(_REMEMBERED)
        self._naming: KeyedDigest | None = None

    async def check(self) -> None:
        """Open every key that there is, and make none."""
        await self._vault.reload()

    async def current(self, purpose: str = TOKENS) -> str:
        """The kid of the key that signs now, known for at most a second; the first call makes it.

        Another `purpose` has a current key of its own; one that is no purpose raises ValueError.
        """
        if purpose not in PURPOSES:
            msg = f"{purpose!r} is no purpose of keys: {', '.join(PURPOSES)}"
            raise ValueError(msg)
        return await self._vault.current(purpose)

    async def sign(self, typ: str, claims: Mapping[str, Any], *, kid: str) -> str:
        """Return the token of these claims, `iss` and `aud` added: the same claims, the same bytes.

        Raises LookupError when the key signs no more (unknown, or rotated more than 60 seconds ago), and
        ValueError for claims that `verify` would refuse.
        """
        if not _OURS.isdisjoint(claims):
            msg = "iss and aud are the ring's to say"
            raise ValueError(msg)
        key = (await self._vault.keys_with(kid)).tokens.get(kid)
        if key is None or not key.signs(self._clock.now()):
            msg = f"the key {kid} signs no more"
            raise LookupError(msg)
        return signed(key.pair, typ, {**claims, **self._named})

    async def verify(self, token: str, typ: str, shape: Shape) -> Mapping[str, Any]:
        """Return the claims of `shape` that a token of kind `typ` proves, lists as tuples.

        Raises `NotAToken` for anything else, without a reason. Its times are checked to be times;
        nothing compares them with the clock. Remembered by SHA-256, as long as the key verifies.
        """
        digest = fingerprint(token)
        known = self._verified.get(digest)
        if known is not None and (known.typ, known.shape) == (typ, shape):
            await self._verifying_key(known.kid)
            return known.claims
        read = self._read(token, typ, shape)
        check_signature(token, (await self._verifying_key(read.kid)).pair.public)
        self._verified.keep(digest, read)
        return read.claims

    async def keyed(self, purpose: str, *parts: str) -> bytes:
        """Return 32 bytes that name these parts and tell nothing of them (HMAC-SHA-256).

        The same for good, whatever rotates. Parts that are the same in Unicode NFC are the same.
        """
        if self._naming is None:
            kid = await self._vault.current(KEYED)
            self._naming = KeyedDigest((await self._vault.keys()).keyed[kid].secret)
        return self._naming([purpose, *parts])

    async def seal(self, plain: bytes, *, place: Place) -> bytes:
        """Encrypt for one place (tenant, table, row, column); see `unseal`."""
        kid = await self._vault.current(SEALING)
        return (await self._vault.keys()).sealing[kid].seal(plain, place)

    async def unseal(self, sealed: bytes, *, place: Place) -> bytes:
        """Return what was sealed for this place; raises `NotSealedHere` for any other, and for changed bytes."""
        kid = sealed_by(sealed)
        key = (await self._vault.keys_with(kid)).sealing.get(kid)
        if key is None:
            raise NotSealedHere
        return key.unseal(sealed, place)

    async def rotate(self) -> str:
        """Make a new key that signs tokens from now on; returns its kid.

        When another process rotates at the same time, one of both keys is made and both return it.
        """
        keys = await self._vault.reload()
        return await self._vault.replace(TOKENS, keys.current.get(TOKENS))

    async def prune(self) -> int:
        """Destroy rotated keys whose tokens have all ended; returns how many. Needs no master key."""
        now = isoformat(self._clock.now())
        spent = [key.kid for key in await self.list() if key.verifies_until and key.verifies_until <= now]
        if spent:
            await self._vault.forget(spent)
        return len(spent)

    async def list(self) -> Sequence[KeyInfo]:
        """Every key, oldest first; needs no master key."""
        return [_info(row) for row in await self._store.keys()]

    async def public_keys(self) -> Sequence[Mapping[str, str]]:
        """The public halves of the keys whose tokens may hold, as JSON Web Keys (RFC 8037)."""
        now = self._clock.now()
        keys = await self._vault.keys()
        return [_jwk(key) for key in keys.tokens.values() if key.verifies(now)]

    def _read(self, token: str, typ: str, shape: Shape) -> _Verified:
        read = read_unverified(token, typ, shape)
        if any(read.claims[name] != value for name, value in self._named.items()):
            raise NotAToken
        return _Verified(typ, dict(shape), read.kid, _frozen({name: read.claims[name] for name in shape}))

    async def _verifying_key(self, kid: str) -> TokenKey:
        key = (await self._vault.keys_with(kid)).tokens.get(kid)
        if key is None or not key.verifies(self._clock.now()):
            raise NotAToken
        return key


def _frozen(claims: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is remembered must not change with the caller."""
    return MappingProxyType({name: tuple(v) if isinstance(v, list) else v for name, v in claims.items()})


def _info(row: SealedKey) -> KeyInfo:
    ends = row.purpose == TOKENS and row.rotated_at is not None
    until = isoformat(verifies_until(datetime.fromisoformat(row.rotated_at or ""))) if ends else None
    return KeyInfo(
        purpose=row.purpose,
        kid=row.kid,
        created_at=row.created_at,
        rotated_at=row.rotated_at,
        verifies_until=until,
    )


def _jwk(key: TokenKey) -> Mapping[str, str]:
    raw = key.pair.public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": key.pair.kid, "alg": ALGORITHM, "use": "sig"}
