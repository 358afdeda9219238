"""How often something may be tried in a minute; never a hard lock (40-auth-sessions, "Transport").

The counts are this process's own: several processes behind one address let through as many times
as much.
"""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, cast

from pyrate_limiter import Decision, Duration, InMemoryBucket, Rate, RateItem

from symphainy_platform import RateLimited, Settings

if TYPE_CHECKING:
    from datetime import datetime

BY_ACCOUNT = "account"
"""Passwords that are tried for one account from one address."""

BY_ADDRESS = "address"
"""Passwords that are tried from one address."""

_WINDOW = int(Duration.MINUTE)
_CAPACITY = 50_000
_SUBSCRIBER_BITS = 64

Place = tuple[str, ...]
"""The name of a limit and the key that it counts for."""


class RateLimits:
    """The limits of one platform: a sliding minute per key. Keys without hits are forgotten."""

    def __init__(self, settings: Settings) -> None:
        """Take the figures from the settings."""
        per_minute = {
            BY_ACCOUNT: settings.authenticate_limit_per_account,
            BY_ADDRESS: settings.authenticate_limit_per_address,
            "refresh_session": settings.refresh_limit_per_session,
            "terminate_session": settings.refresh_limit_per_session,
        }
        self._rates = {name: [Rate(limit, _WINDOW)] for name, limit in per_minute.items()}
        self._buckets: OrderedDict[Place, InMemoryBucket] = OrderedDict()

    def hit(self, name: str, *key: str, now: datetime, once: str = "") -> None:
        """Count one try; raises RateLimited with `retry_after_seconds` when there is no room for it.

        A refused try is not counted. `once` names the try: the same one is counted once.
        """
        millis = int(now.timestamp() * 1000)
        bucket = self._bucket((name, *key))
        bucket.leak(millis)
        if once and any(item.name == once for item in bucket.items):
            return
        decision = cast("Decision", bucket.put_decision(RateItem(once, millis)))  # of memory: nothing to wait for
        self._forget(millis)
        if not decision.allowed:
            raise RateLimited(retry_after_seconds=_seconds(decision.retry_after_ms))

    def _bucket(self, place: Place) -> InMemoryBucket:
        """The bucket of this place, which becomes the newest of all."""
        bucket = self._buckets.get(place)
        if bucket is None:
            bucket = self._buckets[place] = InMemoryBucket(self._rates[place[0]])
        self._buckets.move_to_end(place)
        return bucket

    def _forget(self, millis: int) -> None:
        """Drop the buckets whose last hit is over a minute old, and the oldest beyond the capacity."""
        while self._buckets:
            place, oldest = next(iter(self._buckets.items()))
            if len(self._buckets) <= _CAPACITY and oldest.items and oldest.items[-1].timestamp >= millis - _WINDOW:
                return
            del self._buckets[place]


def try_password(limits: RateLimits, account: str, address: str | None, *, now: datetime, once: str) -> None:
    """Count one password that is tried for an account; raises RateLimited, before anything is hashed."""
    source = subscriber(address)
    limits.hit(BY_ADDRESS, source, now=now, once=once)
    limits.hit(BY_ACCOUNT, account, source, now=now, once=once)


def subscriber(address: str | None) -> str:
    """Whom an address stands for: of IPv6 the network of 64 bits, all of which one subscriber has.

    Callers in this process have no address, and are one source.
    """
    try:
        found = ip_address(address or "")
    except ValueError:
        return address or ""
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or ip_network((int(found), _SUBSCRIBER_BITS), strict=False))


def _seconds(millis: int | None) -> int:
    """Whole seconds, rounded up, at least one."""
    return max(1, -(-(millis or 0) // 1000))
