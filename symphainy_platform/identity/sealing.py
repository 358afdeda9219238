"""Sealing: AES-256-GCM that opens only at the place it was sealed for (40-auth-sessions, "Ids and tokens")."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from symphainy_platform.identity.keys import kid_of

Place = tuple[str, ...]
"""Where sealed bytes are at home: tenant, table, row, column. Elsewhere they do not open."""

KEY_BYTES = 32
_VERSION = b"\x01"
_KID_BYTES = 16
_NONCE_BYTES = 12  # of 96 random bits: fit for 2^32 sealings by one key (NIST SP 800-38D, section 8.3)
_HEAD_BYTES = len(_VERSION) + _KID_BYTES + _NONCE_BYTES


class NotSealedHere(ValueError):
    """These bytes were not sealed for this place by this key, or were changed since."""


@dataclass(frozen=True, slots=True)
class SealingKey:
    """32 secret bytes with a public id."""

    kid: str
    secret: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> SealingKey:
        """Derive the id from the secret, of which it tells nothing (a hash of 256 random bits)."""
        return cls(kid_of(b"symphainy/sealing-key/" + secret), secret)

    def seal(self, plain: bytes, place: Place) -> bytes:
        """Return version, key id, nonce, and the bytes under them."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + self.kid.encode() + nonce + AESGCM(self.secret).encrypt(nonce, plain, self._bound(place))

    def unseal(self, sealed: bytes, place: Place) -> bytes:
        """Return the plain bytes; raises `NotSealedHere`."""
        if sealed_by(sealed) != self.kid:
            raise NotSealedHere
        nonce, body = sealed[_HEAD_BYTES - _NONCE_BYTES : _HEAD_BYTES], sealed[_HEAD_BYTES:]
        try:
            return AESGCM(self.secret).decrypt(nonce, body, self._bound(place))
        except (InvalidTag, ValueError):  # ValueError: too short to hold a tag
            raise NotSealedHere from None

    def _bound(self, place: Place) -> bytes:
        return orjson.dumps([*place, self.kid])


def sealed_by(sealed: bytes) -> str:
    """The id of the key that sealed these bytes; raises `NotSealedHere` for bytes that nobody sealed."""
    kid = sealed[len(_VERSION) : len(_VERSION) + _KID_BYTES]
    if not sealed.startswith(_VERSION) or len(sealed) < _HEAD_BYTES or not kid.isascii():
        raise NotSealedHere
    return kid.decode()
