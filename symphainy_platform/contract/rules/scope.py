"""What the rules ask of a contract: its shapes with their places, and the codes it may answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from symphainy_platform.contract.effects import EventSpec
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.shape import Shape
from symphainy_platform.contract.yaml_source import Path
from symphainy_platform.errors import RUNTIME_ERRORS, Kind


@cache
def known_codes() -> Mapping[str, Kind]:
    """Codes of the runtime itself, which every contract may answer."""
    return {code: error.default_kind or Kind.INTERNAL for code, error in RUNTIME_ERRORS.items()}


def answers(contract: Contract, code: str) -> bool:
    """Whether this contract may answer with a code."""
    return code in contract.errors or code in known_codes()


def shapes_of(contract: Contract) -> Iterator[tuple[Path, Mapping[str, Shape]]]:
    """Every set of named shapes in a contract, with its place."""
    yield ("params",), contract.params
    for index, write in enumerate(contract.effects.writes):
        yield ("effects", "writes", index, "payload"), write.payload or {}
    for index, event in enumerate(contract.effects.events):
        yield ("effects", "events", index, "payload"), event.payload
    for place, event in error_events(contract):
        yield (*place, "payload"), event.payload
    for name, shapes in contract.returns.items():
        yield ("returns", name), shapes


def error_events(contract: Contract) -> Iterator[tuple[Path, EventSpec]]:
    """The events that failures emit, each with its place."""
    for code, error in contract.errors.items():
        for index, event in enumerate(error.effects.events if error.effects else ()):
            yield ("errors", code, "effects", "events", index), event
