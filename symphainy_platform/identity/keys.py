"""The signing key of the data folder: made once, atomically, readable by its owner only."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import secrets
import stat
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

if TYPE_CHECKING:
    from pathlib import Path

_OWNER_ONLY_FILE = 0o600
_OWNER_ONLY_FOLDER = 0o700
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
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
        raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        kid = base64.urlsafe_b64encode(hashlib.sha256(raw).digest()).decode()[:_KID_LENGTH]
        return cls(private, public, kid)


def key_file(home: Path) -> Path:
    """Where the key of a data folder is, or will be."""
    return home / "keys" / "cli-ed25519.pem"


def signing_key(home: Path) -> SigningKey:
    """Return the key in `home`/keys, made at the first call; several processes get the same one.

    Raises `StartError` when the folder cannot be written, or when others may read the key.
    """
    path = key_file(home)
    try:
        if not path.exists():
            _make(path)
        return _read(path)
    except OSError as error:
        msg = f"the signing key {path} cannot be used: {error.strerror}"
        raise StartError(msg) from error


def _make(path: Path) -> None:
    """Write a whole key beside `path`, then link it there: the first of several makers wins."""
    path.parent.parent.mkdir(mode=_OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
    path.parent.mkdir(mode=_OWNER_ONLY_FOLDER, exist_ok=True)
    draft = path.with_name(f".{secrets.token_hex(8)}")
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        _write_through(draft, pem)
        with contextlib.suppress(FileExistsError):  # another process was faster: its key counts
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    _flush_folder(path.parent)


def _write_through(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _flush_folder(folder: Path) -> None:
    """Make the new name durable: a token must outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path) -> SigningKey:
    if path.stat().st_mode & _OTHERS:
        msg = f"others may read the signing key {path}: chmod 600 it, or remove it (which ends every token)"
        raise StartError(msg)
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # TypeError: it is under a passphrase
        msg = f"{path} holds no usable signing key: remove it, a new one is made (which ends every token)"
        raise StartError(msg) from error
    if not isinstance(key, Ed25519PrivateKey):
        msg = f"{path} holds a key of another kind than Ed25519"
        raise StartError(msg)
    return SigningKey.of(key)
