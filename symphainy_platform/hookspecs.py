"""Every plugin hook, typed, with one sentence each.

A plugin is a module or object behind an entry point of the group `symphainy.realms`; what
this package ships comes through the same door.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pluggy

if TYPE_CHECKING:
    from symphainy_platform.context import Client, Clock, Identity
    from symphainy_platform.identity.keyring import KeyRing
    from symphainy_platform.runtime.execution import ExecutionResult
    from symphainy_platform.settings import Settings
    from symphainy_platform.state.artifact import Artifact
    from symphainy_platform.state.recent import RecentArtifacts
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformContext:
    """What the platform lends to plugins that stand at its door: proofs and identity sources.

    `artifact` reads the current version of an artifact of a tenant from the store; `recent` the
    same from memory, at most a second old, and never older than a commit of this process.
    """

    settings: Settings
    clock: Clock
    keys: KeyRing = field(repr=False)
    recent: RecentArtifacts = field(repr=False)
    artifact: Callable[[str, str], Awaitable[Artifact | None]] = field(repr=False)
    submit: Callable[..., Awaitable[ExecutionResult]] = field(repr=False)
    """`Platform.submit_intent`."""
    identify: Callable[[str], Awaitable[Identity]] = field(repr=False)
    """The identity that a bearer token proves, an external one as well; raises `Unauthenticated`."""
    permissions_of: Callable[[Iterable[str]], frozenset[str]] = field(repr=False)
    """The permissions that roles give (`roles.yaml`); an unlisted role gives none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofAttempt:
    """What a proof may look at: the validated parameters, the raw bearer token, the caller and the time.

    `identity` is the one that a caller in this process has brought along.
    """

    intent_type: str
    execution_id: str
    params: Any = field(repr=False)
    bearer: str | None = field(repr=False)
    identity: Identity | None
    client: Client
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """On whose behalf a public intent runs, and what the proof found out (`ctx.facts`, `proof.<fact>`)."""

    identity: Identity
    facts: Mapping[str, Any] = field(default_factory=dict)


class Proof(Protocol):
    """Gives a public intent its tenant and user, out of what its parameters prove."""

    facts: frozenset[str]
    """The names of the facts that every success gives."""

    async def prove(self, attempt: ProofAttempt) -> Proven:
        """Return who is proven; raises an IntentError with a code that the contract declares, or the runtime's."""


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
def symphainy_store(url: str, clock: Clock, settings: Settings) -> Store | None:
    """Return a store for a store URL of a scheme that this plugin knows, else None; it need not take `settings`."""


@hookspec
def symphainy_identity_sources(  # type: ignore[empty-body]
    settings: Settings, clock: Clock, platform: PlatformContext
) -> Sequence[IdentitySource]:
    """Return the sources of identities that this plugin brings; they are asked in turn for each bearer token."""


@hookspec
def symphainy_proofs(platform: PlatformContext) -> Mapping[str, Proof]:  # type: ignore[empty-body]
    """Return the proofs that this plugin brings, by the name that `proof:` of public contracts uses."""
