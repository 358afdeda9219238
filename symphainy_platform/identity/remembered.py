"""A bounded memory of what was verified: an Ed25519 check costs ~80 µs, a look-up under 1."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Generic, TypeVar

from symphainy_platform.identity.claims import MAX_TOKEN_BYTES, NotAToken

T = TypeVar("T")


def fingerprint(token: str) -> bytes:
    """SHA-256 of a token; raises `NotAToken` for one that is too long to look at."""
    if len(token) > MAX_TOKEN_BYTES:
        raise NotAToken
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


class Remembered(Generic[T]):
    """The entries that were used last, at most `most` of them."""

    def __init__(self, most: int) -> None:
        """Remember nothing yet."""
        self._most = most
        self._entries: OrderedDict[bytes, T] = OrderedDict()

    def __len__(self) -> int:
        """How many entries there are."""
        return len(self._entries)

    def get(self, key: bytes) -> T | None:
        """The entry, which now was used last; None when there is none."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def keep(self, key: bytes, entry: T) -> None:
        """Remember; what was not used for longest is forgotten."""
        self._entries[key] = entry
        if len(self._entries) > self._most:
            self._entries.popitem(last=False)
