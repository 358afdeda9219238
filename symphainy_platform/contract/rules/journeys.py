"""Rules on journeys and type files."""

from __future__ import annotations

from collections.abc import Iterator

from symphainy_platform.contract.artifact_type import TypeFile
from symphainy_platform.contract.catalog import Catalog, Sourced
from symphainy_platform.contract.findings import Finding, did_you_mean
from symphainy_platform.contract.journey import Journey
from symphainy_platform.contract.model import Contract


def steps_exist(catalog: Catalog, sourced: Sourced[Journey]) -> Iterator[Finding]:
    """Steps are intents; completion speaks of steps."""
    journey = sourced.value
    known = {name for name, _ in catalog.contracts}
    for index, name in enumerate(journey.intents):
        if name not in known:
            hint = did_you_mean(name, known)
            yield sourced.source.finding(("steps", index, "intent"), f"there is no intent `{name}`", hint)
        elif journey.id not in _journeys_of(catalog, name):
            message = f"{name} does not list this journey"
            yield sourced.source.warning(("steps", index, "intent"), message, f"add journeys: [{journey.id}] to it")
    for rule in ("any_of", "all_of"):
        for name in getattr(journey.completion, rule):
            if name not in journey.intents:
                hint = did_you_mean(name, journey.intents)
                yield sourced.source.finding(("completion", rule), f"`{name}` is no step", hint)


def _journeys_of(catalog: Catalog, intent: str) -> tuple[str, ...]:
    contract = catalog.newest(intent)
    return contract.journeys if contract else ()


def journeys_exist(catalog: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """A contract lists journeys that are there and that have it as a step."""
    for index, name in enumerate(sourced.value.journeys):
        journey = catalog.journeys.get(name)
        if journey is None:
            hint = did_you_mean(name, catalog.journeys)
            yield sourced.source.warning(("journeys", index), f"there is no journey `{name}`", hint)
        elif sourced.value.intent not in journey.value.intents:
            yield sourced.source.finding(("journeys", index), f"{name} has no step {sourced.value.intent}")


def default_states_exist(catalog: Catalog, sourced: Sourced[TypeFile]) -> Iterator[Finding]:
    """Named sources speak of states of the type, and their names are unique."""
    declared = sourced.value
    for name, default in declared.defaults.items():
        for state in default.newest:
            if state not in declared.graph.states:
                hint = did_you_mean(state, declared.graph.states)
                yield sourced.source.finding(("defaults", name), f"there is no state {state}", hint)
        if catalog.default_sources[name].artifact_type != declared.artifact:
            yield sourced.source.finding(("defaults", name), f"another type declares `{name}` too")


def sweeps_are_possible(catalog: Catalog, sourced: Sourced[TypeFile]) -> Iterator[Finding]:
    """Sweeps speak of states of the type, and of intents of services that take the artifact's id."""
    lifecycle = sourced.value.lifecycle
    for state, sweep in lifecycle.sweeps.items() if lifecycle else ():
        path = ("lifecycle", "sweeps", state)
        if state not in sourced.value.graph.states:
            hint = did_you_mean(state, sourced.value.graph.states)
            yield sourced.source.finding(path, f"there is no state {state}", hint)
        if sweep.submit is None:
            continue
        contract = catalog.newest(sweep.submit)
        if contract is None or contract.access != ("service",) or sweep.naming not in contract.params:
            message = f"no contract of services takes `{sweep.naming}`: {sweep.submit}"
            yield sourced.source.finding((*path, "submit"), message)


def states_are_reachable(_: Catalog, sourced: Sourced[TypeFile]) -> Iterator[Finding]:
    """Every state can be reached from an initial one."""
    graph = sourced.value.graph
    reached, waiting = set(graph.initial), list(graph.initial)
    while waiting:
        following = graph.transitions.get(waiting.pop(), frozenset()) - reached
        reached |= following
        waiting.extend(following)
    for state in sorted(graph.states - reached):
        yield sourced.source.finding(("lifecycle", "transitions", state), f"{state} cannot be reached")
