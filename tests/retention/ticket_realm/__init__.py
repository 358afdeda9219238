"""A realm for these tests alone: tickets that expire when they are due, and are purged a day later."""

from pathlib import Path

from symphainy_platform import Realm, hookimpl


@hookimpl
def symphainy_realms():
    return [Realm("tickets", Path(__file__).parent / "contracts")]
