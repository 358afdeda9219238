"""A realm whose one intent does nothing: what is left is the runtime."""

from __future__ import annotations

from pathlib import Path

from symphainy_platform import Realm, hookimpl


@hookimpl
def symphainy_realms() -> list[Realm]:
    """Bring the intent `do_nothing`."""
    return [Realm("benchmarks", Path(__file__).with_name("contracts"))]
