"""Every plugin hook, typed, with one sentence each.

A plugin is a module or object behind an entry point of the group `symphainy.realms`; what
this package ships comes through the same door.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pluggy

if TYPE_CHECKING:
    from symphainy_platform.context import Clock, Identity
    from symphainy_platform.settings import Settings
    from symphainy_platform.state.store import Store

PROJECT = "symphainy"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True, slots=True)
class Realm:
    """A realm: its name and the folder of its contracts (each names its service by `handler`).

    The folder holds `<intent>.yaml` files, `types/*.yaml` and `journeys/*.yaml`.
    """

    name: str
    contracts: Path | Traversable


class IdentitySource(Protocol):
    """Proves one kind of bearer token."""

    async def identify(self, token: str) -> Identity | None:
        """Return the identity that this token proves, or None when the token is not of this source's kind.

        A token of this kind that does not hold raises `Unauthenticated`.
        """


@hookspec
def symphainy_realms() -> Sequence[Realm]:  # type: ignore[empty-body]
    """Return the realms that this plugin brings."""


@hookspec(firstresult=True)
def symphainy_store(url: str, clock: Clock) -> Store | None:
    """Return a store for a store URL of a scheme that this plugin knows, else None."""


@hookspec
def symphainy_identity_sources(settings: Settings, clock: Clock) -> Sequence[IdentitySource]:  # type: ignore[empty-body]
    """Return the sources of identities that this plugin brings; they are asked in turn for each bearer token."""
