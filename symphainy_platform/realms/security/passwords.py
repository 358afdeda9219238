"""Passwords: which are accepted, and their argon2id hashes (40-auth-sessions; RFC 9106).

A hash takes a core and tens of MiB for tens of milliseconds: it is made off the event loop, and
no more of them at once than there are cores. Hashes are sealed before they are stored.
"""

from __future__ import annotations

import asyncio
import base64
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY

from symphainy_platform import IntentError, KeyRing
from symphainy_platform.realms.security.spelling import caseless, composed

LEAST_BYTES = 10
MOST_BYTES = 1024
"""Lengths of a password in UTF-8."""

_COMMONEST = frozenset(
    {
        "0123456789",
        "0987654321",
        "1111111111",
        "1234567890",
        "12345678910",
        "1q2w3e4r5t",
        "1q2w3e4r5t6y",
        "abcdefghij",
        "administrator",
        "iloveyou123",
        "letmein1234",
        "password12",
        "password123",
        "password1234",
        "passwordpassword",
        "qwerty12345",
        "qwerty123456",
        "qwertyuiop",
        "qwertyuiop[]",
        "welcome1234",
    }
)
"""What is tried first everywhere, of those that are long enough."""

_HASHING = ThreadPoolExecutor(max_workers=multiprocessing.cpu_count(), thread_name_prefix="argon2")
"""One for the process, as its cores are: further hashes wait, and callers who give up leave the queue."""

_ANY_PROFILE = PasswordHasher()
"""Verifies whatever parameters a hash names."""

_SALT_BYTES = RFC_9106_LOW_MEMORY.salt_len
_HASH_BYTES = RFC_9106_LOW_MEMORY.hash_len

P = ParamSpec("P")
T = TypeVar("T")


def check_strength(password: str, email: str) -> None:
    """Refuse with WEAK_PASSWORD what is too short, too long, among the commonest, or the e-mail address."""
    if not LEAST_BYTES <= len(_bytes_of(password)) <= MOST_BYTES:
        raise IntentError("WEAK_PASSWORD", details={"expected": f"{LEAST_BYTES} to {MOST_BYTES} bytes (UTF-8)"})
    if caseless(password) in {*_COMMONEST, caseless(email)}:
        raise IntentError("WEAK_PASSWORD", details={"expected": "a password that is not among the first to be tried"})


async def hashed(password: str, memory_kib: int) -> str:
    """The argon2id hash of a password in its standard encoding, with a new salt."""
    return await _off_loop(_hasher(memory_kib).hash, _bytes_of(password))


async def is_password_of(encoded: str, password: str) -> bool:
    """Whether this is the password behind the hash, with the parameters that the hash names."""
    return await _off_loop(_verified, encoded, _bytes_of(password))


async def hash_of_nobody(keys: KeyRing, memory_kib: int) -> str:
    """A hash with the parameters of today that no password has: verifying it takes as long as verifying any.

    Made without hashing anything, so that the first use takes no longer than the others.
    """
    salt = await keys.keyed("password-of-nobody", "salt")
    digest = await keys.keyed("password-of-nobody", "digest")
    profile = _hasher(memory_kib)
    cost = f"m={profile.memory_cost},t={profile.time_cost},p={profile.parallelism}"
    return f"$argon2id$v=19${cost}${_text(salt[:_SALT_BYTES])}${_text(digest[:_HASH_BYTES])}"


def _verified(encoded: str, password: bytes) -> bool:
    try:
        return _ANY_PROFILE.verify(encoded, password)
    except VerifyMismatchError:
        return False


@lru_cache(maxsize=4)
def _hasher(memory_kib: int) -> PasswordHasher:
    """The second recommended profile of RFC 9106 (section 4), with the operator's memory."""
    return PasswordHasher.from_parameters(replace(RFC_9106_LOW_MEMORY, memory_cost=memory_kib))


async def _off_loop(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return await asyncio.get_running_loop().run_in_executor(_HASHING, lambda: work(*args, **kwargs))


def _bytes_of(password: str) -> bytes:
    """The bytes that are hashed: the same, however a keyboard composes its letters (RFC 8265, OpaqueString)."""
    return composed(password).encode()


def _text(data: bytes) -> str:
    """Base64 as the encoding of argon2 has it: without padding."""
    return base64.b64encode(data).rstrip(b"=").decode()
