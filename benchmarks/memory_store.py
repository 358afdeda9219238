"""A store that keeps nothing but its keys: every commit is fine, every read finds nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symphainy_platform.state.records import Commit, Committed, Outcome, SealedKey
from symphainy_platform.state.steps import SchemaStep
from symphainy_platform.state.store import EventFilter, EventPage, Health, Read, Retention, SweepResult

_MOMENT = "2026-01-01T00:00:00.000000Z"


class ForgetfulStore:
    """The port `Store`, for measuring what the runtime costs without one."""

    name = "forgetful"
    lanes = 1

    def __init__(self) -> None:
        """Begin without keys."""
        self._keys: list[SealedKey] = []

    async def open(self) -> None:
        """Open nothing."""

    async def close(self) -> None:
        """Close nothing."""

    async def migrate(self, *, to: str | None = None, dry_run: bool = False) -> Sequence[str]:
        """Have no schema."""
        del to, dry_run
        return ()

    async def steps(self) -> Sequence[SchemaStep]:
        """Have no schema."""
        return ()

    async def secret(self, name: str) -> bytes:
        """Return a secret that everybody may know."""
        return name.encode().ljust(32, b"\0")

    async def keys(self) -> Sequence[SealedKey]:
        """Return the keys, which alone are kept."""
        return list(self._keys)

    async def keep_key(self, new: SealedKey, replaces: str | None) -> bool:
        """Keep the first key of all: nobody rotates here."""
        del replaces
        self._keys.append(new)
        return True

    async def forget_keys(self, kids: Sequence[str]) -> None:
        """Keep them."""

    async def commit(self, batch: Sequence[Commit]) -> Sequence[Outcome]:
        """Forget the batch."""
        return [Committed(_MOMENT)] * len(batch)

    async def load(self, reads: Sequence[Read[Any]]) -> list[Any]:
        """Find nothing."""
        return [None] * len(reads)

    async def event_cursor(self) -> str:
        """Return the one cursor there is."""
        return "0"

    async def events_after(self, cursor: str, where: EventFilter, limit: int = 500) -> EventPage:
        """Return no events."""
        del where, limit
        return EventPage((), cursor)

    async def changed_elsewhere(self) -> bool:
        """Nobody else writes here."""
        return False

    async def sweep(self, now: str, retention: Retention, limit: int = 1000) -> SweepResult:
        """Remove nothing."""
        del now, retention, limit
        return SweepResult()

    async def health(self) -> Health:
        """Be ready."""
        return Health(ready=True, schema_version="", expected_version="")
