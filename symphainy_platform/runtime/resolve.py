"""Stage `resolve`: the intent type, and which version of its contract, to one route."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from symphainy_platform.contract.compile import CompiledContract
from symphainy_platform.errors import PluginError, UnknownIntent
from symphainy_platform.service import IntentService

_MAJOR = re.compile(r"([0-9]{1,9})(?:\.|$)")


@dataclass(frozen=True, slots=True)
class Route:
    """A compiled contract and the service that keeps it."""

    contract: CompiledContract
    service: IntentService
    origin: str
    """Where the contract stands, for messages."""


class Routes:
    """All routes, gathered once at start; a look-up is one dict access."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Index by intent type and by (type, major); two claims on one place stop the start."""
        self._by_major: dict[tuple[str, int], Route] = {}
        for route in routes:
            place = (route.contract.intent_type, route.contract.major)
            if (other := self._by_major.setdefault(place, route)) is not route:
                msg = f"Intent {place[0]} (major {place[1]}) is defined twice: in {other.origin} and in {route.origin}."
                raise PluginError(msg)
        self._newest = _newest(self._by_major)

    def __iter__(self) -> Any:
        """All routes, by intent type and major."""
        return iter(route for _, route in sorted(self._by_major.items()))

    def resolve(self, intent_type: str, contract_version: str | None) -> Route:
        """The route of this intent: its newest major, or the one that the caller names."""
        if contract_version is None:
            route = self._newest.get(intent_type)
        else:
            route = self._by_major.get((intent_type, _major(contract_version)))
        if route is None:
            raise self._unknown(intent_type, contract_version)
        return route

    def _unknown(self, intent_type: str, contract_version: str | None) -> UnknownIntent:
        known = sorted(self._newest)
        if intent_type in self._newest:
            majors = [str(major) for name, major in sorted(self._by_major) if name == intent_type]
            return UnknownIntent(parameter="contract_version", given=str(contract_version)[:40], expected=majors)
        near = difflib.get_close_matches(intent_type[:80], known, n=1)
        hint = {"did_you_mean": near[0]} if near else {}
        return UnknownIntent(parameter="intent_type", given=intent_type[:80], **hint)


def _major(version: str) -> int:
    """The major of `2` or `2.1.0`; -1, which no contract has, for anything else."""
    found = _MAJOR.match(version)
    return int(found[1]) if found else -1


def _newest(by_major: Mapping[tuple[str, int], Route]) -> dict[str, Route]:
    return {name: route for (name, _), route in sorted(by_major.items(), key=lambda item: item[0])}
