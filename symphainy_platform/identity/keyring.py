"""The platform's own keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symphainy_platform.context import Clock
    from symphainy_platform.settings import Settings
    from symphainy_platform.state.store import Store


class KeyRing:
    """The keys of a store."""

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        """Touch nothing before the first use."""
