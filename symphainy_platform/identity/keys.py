"""Signing keys, and the one of the data folder: made once, atomically, readable by its owner only."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from symphainy_platform.errors import StartError
from symphainy_platform.identity.owner_files import made_once

if TYPE_CHECKING:
    from pathlib import Path

_KID_LENGTH = 16


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key pair. `kid` is derived from the public half (base64url of its SHA-256)."""

    private: Ed25519PrivateKey = field(repr=False)
    public: Ed25519PublicKey = field(repr=False)
    kid: str

    @classmethod
    def of(cls, private: Ed25519PrivateKey) -> SigningKey:
        """Complete the private half."""
        public = private.public_key()
        return cls(private, public, kid_of(public.public_bytes(Encoding.Raw, PublicFormat.Raw)))


def kid_of(public: bytes) -> str:
    """The id of a key: 16 base64url characters of the SHA-256 of what everybody may know of it."""
    return base64.urlsafe_b64encode(hashlib.sha256(public).digest()).decode()[:_KID_LENGTH]


def key_file(home: Path) -> Path:
    """Where the key of a data folder is, or will be."""
    return home / "keys" / "cli-ed25519.pem"


def signing_key(home: Path) -> SigningKey:
    """Return the key in `home`/keys, made at the first call; several processes get the same one.

    Raises `StartError` when the folder cannot be written, or when others may read the key.
    """
    path = key_file(home)
    return _parsed(made_once(path, _new_pem, called="signing key"), path)


def _new_pem() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _parsed(pem: bytes, path: Path) -> SigningKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # TypeError: it is under a passphrase
        msg = f"{path} holds no usable signing key: remove it, a new one is made (which ends every token)"
        raise StartError(msg) from error
    if not isinstance(key, Ed25519PrivateKey):
        msg = f"{path} holds a key of another kind than Ed25519"
        raise StartError(msg)
    return SigningKey.of(key)
