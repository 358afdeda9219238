"""Effects, ready to be checked against what a service staged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from symphainy_platform.contract.effects import ErrorEffects, EventSpec, Transition, WriteSpec
from symphainy_platform.contract.shape import Shape
from symphainy_platform.contract.validators import Fault, Fields, Mismatch, Problem
from symphainy_platform.errors import ContractViolation

_WORDS = {
    Fault.MISSING: "is missing",
    Fault.UNKNOWN: "is not declared",
    Fault.TYPE: "has the wrong type",
    Fault.VALUE: "has a value that the contract does not allow",
    Fault.TOO_LARGE: "is too large",
    Fault.TOO_DEEP: "is nested too deeply",
}


@dataclass(frozen=True, slots=True)
class CompiledWrite:
    """The declared writes of an artifact by one operation: from which states to which, with which payload."""

    moves: tuple[Transition, ...]
    payload: Fields
    optional: bool
    listed: bool
    """Whether it may be of artifacts that the service found by itself."""

    @classmethod
    def of(cls, writes: Sequence[WriteSpec], settings: Mapping[str, int]) -> CompiledWrite:
        """Compile what is declared for one artifact type and operation (a rule keeps the payloads equal)."""
        return cls(
            tuple(write.lifecycle for write in writes if write.lifecycle),
            Fields(writes[0].payload or {}, settings),
            all(write.optional for write in writes),
            any(write.listed for write in writes),
        )

    def allows(self, current: str | None, to: str) -> bool:
        """Whether the contract lets this write move an artifact from `current` (None: new) to `to`."""
        return any(
            to == move.to and (current in move.from_ if current is not None else not move.from_) for move in self.moves
        )


@dataclass(frozen=True, slots=True)
class CompiledEvent:
    """A declared event and the check of its payload."""

    type: str
    required: bool
    unless_unchanged: bool
    answer_only: bool
    about: str | None
    payload: Fields

    @classmethod
    def of(cls, event: EventSpec, settings: Mapping[str, int]) -> CompiledEvent:
        """Compile; `type` is a field of every event."""
        fields = {"type": Shape(type="string", required=False), **event.payload}
        return cls(
            event.type,
            event.required,
            event.unless is not None,
            event.answer_only,
            event.about,
            Fields(fields, settings),
        )

    def check(self, event: Mapping[str, Any]) -> None:
        """Check an event as the service returned it, with or without its `type`."""
        checked(self.payload, event, f"the event {self.type}")


@dataclass(frozen=True, slots=True)
class CompiledErrorEffects:
    """What a failure commits all the same: a change of lifecycle state, and events."""

    transition: Transition | None
    events: Mapping[str, CompiledEvent]

    @classmethod
    def of(cls, effects: ErrorEffects, settings: Mapping[str, int]) -> CompiledErrorEffects:
        """Compile the effects that one error code declares."""
        return cls(effects.lifecycle, {event.type: CompiledEvent.of(event, settings) for event in effects.events})

    def allows(self, current: str | None, to: str) -> bool:
        """Whether an artifact may move from `current` to `to` with this failure."""
        declared = self.transition
        return declared is not None and to == declared.to and (not declared.from_ or current in declared.from_)


def checked(fields: Fields, value: Mapping[str, Any], what: str) -> None:
    """Raise ContractViolation, naming the field, when a value is not of its declared shape."""
    try:
        fields.check(value if isinstance(value, dict) else dict(value))
    except Mismatch as mismatch:
        _violated(mismatch.problem, what)


def _violated(problem: Problem, what: str) -> NoReturn:
    msg = f"In {what}, `{problem.path}` {_WORDS[problem.fault]}."
    raise ContractViolation(msg, field=problem.path, expected=problem.expected) from None
