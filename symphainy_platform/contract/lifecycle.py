"""The lifecycle of an artifact type: a declared graph of states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Which states an artifact may start in, and which changes of state are legal."""

    initial: frozenset[str]
    transitions: Mapping[str, frozenset[str]]

    @property
    def states(self) -> frozenset[str]:
        """Every state of the graph."""
        return self.initial.union(self.transitions, *self.transitions.values())

    def allows(self, current: str | None, to: str) -> bool:
        """Whether an artifact may go from `current` (None: it is created) to `to`.

        Staying in a known state is no transition and always allowed.
        """
        if current is None:
            return to in self.initial
        return to in self.transitions.get(current, ()) or (current == to and to in self.states)


DEFAULT_LIFECYCLE = Lifecycle(
    initial=frozenset({"PENDING"}),
    transitions=MappingProxyType(
        {
            "PENDING": frozenset({"READY", "FAILED"}),
            "READY": frozenset({"ARCHIVED"}),
            "FAILED": frozenset({"ARCHIVED"}),
            "ARCHIVED": frozenset({"DELETED"}),
        },
    ),
)
"""PENDING→READY|FAILED→ARCHIVED→DELETED: the graph of every type that declares none (10-runtime)."""
