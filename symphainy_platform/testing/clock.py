"""A clock that tests move by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 27, 12, 0, tzinfo=UTC)
"""Where a manual clock stands unless it is told otherwise."""


class ManualClock:
    """Stands still until `advance`: a window's edge can be met to the microsecond, and no test sleeps."""

    def __init__(self, start: datetime = START) -> None:
        """Stand at `start` (UTC)."""
        self._now = start

    def now(self) -> datetime:
        """The time at which the clock stands."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Go on by `seconds`."""
        self._now += timedelta(seconds=seconds)
