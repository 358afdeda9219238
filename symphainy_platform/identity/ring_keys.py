"""Keys of the ring: how one is made and sealed, how it is opened again, and what it may do when."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from symphainy_platform.context import isoformat
from symphainy_platform.errors import StartError
from symphainy_platform.identity.keys import SigningKey
from symphainy_platform.identity.sealing import KEY_BYTES, NotSealedHere, Place, SealingKey, sealed_by
from symphainy_platform.state.records import SealedKey

TOKENS = "tokens"
"""Ed25519 keys that sign tokens; `rotate` replaces the current one."""
SEALING = "sealing"
"""AES-256 keys that seal what services keep; none is ever forgotten."""
KEYED = "keyed"
"""The secret of keyed hashes; there is one for good, since its hashes are names."""
PURPOSES = (TOKENS, SEALING, KEYED)

KNOWN_WITHIN = timedelta(seconds=1)
"""How old a process's knowledge of the keys may be: so long another one signs with a key just rotated."""
REMINTS_FOR = timedelta(seconds=60)
"""How long a rotated key makes the bytes of its tokens once more, from when every process knows."""
VERIFIES_FOR = timedelta(days=7, hours=1)
"""How long its tokens hold: a session's absolute end, and the grace in which it may be refreshed."""


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key that signs or has signed tokens, opened. `rotated_at` is None for the current one."""

    pair: SigningKey
    rotated_at: datetime | None

    def signs(self, now: datetime) -> bool:
        """Whether it makes tokens: new ones as the current key, the same ones again for a while."""
        return self.rotated_at is None or now - self.rotated_at < KNOWN_WITHIN + REMINTS_FOR

    def verifies(self, now: datetime) -> bool:
        """Whether its tokens may still hold."""
        return now < verifies_until(self.rotated_at) if self.rotated_at else True


def verifies_until(rotated_at: datetime) -> datetime:
    """When the last token of a rotated key has ended, its grace included."""
    return rotated_at + KNOWN_WITHIN + VERIFIES_FOR


@dataclass(frozen=True, slots=True)
class OpenKeys:
    """Every key of the ring at one moment. The key that is current has no `rotated_at`."""

    tokens: Mapping[str, TokenKey] = field(default_factory=dict)
    sealing: Mapping[str, SealingKey] = field(default_factory=dict)
    keyed: Mapping[str, SealingKey] = field(default_factory=dict)
    current: Mapping[str, str] = field(default_factory=dict)
    """The kid of each purpose's current key."""

    def __contains__(self, kid: str) -> bool:
        """Whether there is a key of this id, of whatever purpose."""
        return kid in self.tokens or kid in self.sealing or kid in self.keyed


def new_key(purpose: str, master: SealingKey, now: datetime) -> SealedKey:
    """Make a key of this purpose, sealed at once."""
    secret = secrets.token_bytes(KEY_BYTES)
    kid, public = _told_of(purpose, secret)
    sealed = master.seal(secret, _place(purpose, kid))
    return SealedKey(purpose=purpose, kid=kid, public=public, sealed=sealed, created_at=isoformat(now))


def open_keys(rows: Sequence[SealedKey], master: SealingKey) -> OpenKeys:
    """Open every key; raises `StartError` for one that was not sealed as it is here."""
    opened = [(row, _opened(row, master)) for row in rows]
    return OpenKeys(
        tokens={row.kid: _token_key(row, secret) for row, secret in opened if row.purpose == TOKENS},
        sealing={row.kid: SealingKey.of(secret) for row, secret in opened if row.purpose == SEALING},
        keyed={row.kid: SealingKey.of(secret) for row, secret in opened if row.purpose == KEYED},
        current={row.purpose: row.kid for row in rows if row.rotated_at is None},
    )


def _opened(row: SealedKey, master: SealingKey) -> bytes:
    """The secret half; it must belong to the public one, which nothing seals."""
    try:
        secret = master.unseal(row.sealed, _place(row.purpose, row.kid))
    except NotSealedHere:
        raise _changed(row) from None
    if _told_of(row.purpose, secret) != (row.kid, row.public):
        raise _changed(row)
    return secret


def sealer_of(row: SealedKey) -> str:
    """The id of the master key that sealed a key."""
    try:
        return sealed_by(row.sealed)
    except NotSealedHere:
        raise _changed(row) from None


def _changed(row: SealedKey) -> StartError:
    return StartError(f"the key {row.kid} of this store is not as it was sealed: restore the store from a backup")


def _told_of(purpose: str, secret: bytes) -> tuple[str, bytes]:
    """What everybody may know of a key: its id and its public half (empty where there is none)."""
    if purpose != TOKENS:
        return SealingKey.of(secret).kid, b""
    pair = _pair(secret)
    return pair.kid, pair.public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _pair(secret: bytes) -> SigningKey:
    return SigningKey.of(Ed25519PrivateKey.from_private_bytes(secret))


def _token_key(row: SealedKey, secret: bytes) -> TokenKey:
    return TokenKey(_pair(secret), datetime.fromisoformat(row.rotated_at) if row.rotated_at else None)


def _place(purpose: str, kid: str) -> Place:
    """Tenant (these belong to none), table, row, column."""
    return ("", "sealed_keys", purpose, kid, "sealed")
