"""Everything that was loaded, each value with the file that it came from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from symphainy_platform.contract.artifact_type import TypeFile
from symphainy_platform.contract.journey import Journey
from symphainy_platform.contract.lifecycle import DEFAULT_LIFECYCLE, Lifecycle
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.roles import NO_ROLES, Roles
from symphainy_platform.contract.spec import Spec
from symphainy_platform.contract.yaml_source import Source

S = TypeVar("S", bound=Spec)


@dataclass(frozen=True, slots=True)
class Sourced(Generic[S]):
    """A value and its file."""

    value: S
    source: Source


@dataclass(frozen=True, slots=True)
class DefaultSource:
    """A source of `default_from`: the user's newest artifact of a type in one of these states."""

    name: str
    artifact_type: str
    states: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Catalog:
    """Contracts by (intent type, major version), artifact types by name, journeys by id."""

    contracts: Mapping[tuple[str, int], Sourced[Contract]] = field(default_factory=dict)
    types: Mapping[str, Sourced[TypeFile]] = field(default_factory=dict)
    journeys: Mapping[str, Sourced[Journey]] = field(default_factory=dict)
    roles: Roles = NO_ROLES
    shapes: Mapping[str, Any] = field(default_factory=dict)

    def lifecycle(self, artifact_type: str) -> Lifecycle:
        """The declared graph of a type, or the default one."""
        sourced = self.types.get(artifact_type)
        return sourced.value.graph if sourced else DEFAULT_LIFECYCLE

    @property
    def default_sources(self) -> dict[str, DefaultSource]:
        """Every named source that a type file declares."""
        return {
            name: DefaultSource(name, artifact_type, declared.newest)
            for artifact_type, sourced in self.types.items()
            for name, declared in sourced.value.defaults.items()
        }

    @property
    def audited_events(self) -> frozenset[str]:
        """The event types that any contract declares `audit: true`."""
        return frozenset(
            event.type for sourced in self.contracts.values() for event in sourced.value.all_events if event.audit
        )

    def without(self, contracts: Collection[tuple[str, int]]) -> Catalog:
        """The same catalog, some contracts aside: drafts that nothing serves yet."""
        if not contracts:
            return self
        kept = {place: sourced for place, sourced in self.contracts.items() if place not in contracts}
        return replace(self, contracts=kept)

    def newest(self, intent: str) -> Contract | None:
        """The contract of the highest major version of an intent."""
        majors = [major for name, major in self.contracts if name == intent]
        return self.contracts[intent, max(majors)].value if majors else None
