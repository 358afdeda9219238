"""Rules on what a browser's cookie carries."""

from __future__ import annotations

from collections.abc import Iterator

from symphainy_platform.contract.catalog import Catalog, Sourced
from symphainy_platform.contract.findings import Finding
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.rules.scope import shapes_of
from symphainy_platform.contract.shape import walk
from symphainy_platform.contract.yaml_source import Path


def cookies_carry_tokens(_: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """One cookie gives one parameter, and takes one field of the answer; nothing else of a contract is in it."""
    taken: dict[str | int, Path] = {}
    for section, shapes in shapes_of(sourced.value):
        for name, shape in walk(shapes):
            if shape.cookie is None:
                continue
            place = (*section, *name, "cookie")
            if section[0] not in {"params", "returns"} or len(name) > 1:
                yield sourced.source.finding(place, "a cookie carries a parameter, or a field at the top of an answer")
            elif section[0] in taken:
                message = f"{taken[section[0]][-1]} is in the cookie already"
                yield sourced.source.finding(place, message, "one cookie carries one value")
            taken[section[0]] = (*section, *name)
