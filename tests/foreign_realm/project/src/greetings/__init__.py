"""The greetings realm."""

from importlib.resources import files

from symphainy_platform import Realm, hookimpl


@hookimpl
def symphainy_realms() -> list[Realm]:
    """Bring one intent; its contract is package data."""
    return [Realm("greetings", files(__name__) / "contracts")]
