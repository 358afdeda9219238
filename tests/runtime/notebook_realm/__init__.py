"""A realm for these tests alone: notes, and services that a test may script."""

from pathlib import Path

from symphainy_platform import Realm, hookimpl


@hookimpl
def symphainy_realms():
    return [Realm("notebook", Path(__file__).parent / "contracts")]
