"""Rules on fixtures, examples and journey scenarios: what is executed must be executable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symphainy_platform.contract.catalog import Catalog, Sourced
from symphainy_platform.contract.expansion import BadForm, expanded
from symphainy_platform.contract.findings import Finding, did_you_mean
from symphainy_platform.contract.journey import Journey
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.rules.scope import answers, known_codes
from symphainy_platform.contract.scenario import Fixture, Scenario, Step
from symphainy_platform.contract.validators import Fields, Mismatch
from symphainy_platform.contract.yaml_source import Path, Source


@dataclass(frozen=True, slots=True)
class _Stage:
    """Where a scenario plays: its file, its fixtures, and the intent that a step need not name."""

    catalog: Catalog
    source: Source
    fixtures: Mapping[str, Fixture]
    intent: str = ""


def contract_examples(catalog: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """Fixtures and examples of a contract."""
    contract = sourced.value
    stage = _Stage(catalog, sourced.source, contract.fixtures, contract.intent)
    yield from _fixtures(stage)
    for name, example in contract.examples.items():
        yield from _scenario(stage, ("examples", name), example)


def journey_scenarios(catalog: Catalog, sourced: Sourced[Journey]) -> Iterator[Finding]:
    """Fixtures and scenarios of a journey."""
    journey = sourced.value
    stage = _Stage(catalog, sourced.source, journey.fixtures)
    yield from _fixtures(stage)
    for name, scenario in journey.scenarios.items():
        yield from _scenario(stage, ("scenarios", name), scenario)


def _fixtures(stage: _Stage) -> Iterator[Finding]:
    for name, fixture in stage.fixtures.items():
        path: Path = ("fixtures", name)
        states = stage.catalog.lifecycle(fixture.artifact).states
        if fixture.state not in states:
            hint = did_you_mean(fixture.state, states)
            yield stage.source.finding((*path, "state"), f"{fixture.artifact} has no state {fixture.state}", hint)
        yield from _stored_payload(stage, path, fixture)


def _stored_payload(stage: _Stage, path: Path, fixture: Fixture) -> Iterator[Finding]:
    """A fixture's payload is one that some contract may write."""
    shapes = [
        write.payload
        for contract in stage.catalog.contracts.values()
        for write in contract.value.effects.writes
        if write.artifact == fixture.artifact and write.payload
    ]
    try:
        if shapes:
            Fields(shapes[0], {}).check(fixture.payload)
    except Mismatch as mismatch:
        problem = mismatch.problem
        message = f"`{problem.path}` is {problem.fault}: expected {problem.expected}"
        yield stage.source.finding((*path, "payload"), message)


def _scenario(stage: _Stage, path: Path, scenario: Scenario) -> Iterator[Finding]:
    for index, name in enumerate(scenario.given):
        if name not in stage.fixtures:
            hint = did_you_mean(name, stage.fixtures)
            yield stage.source.finding((*path, "given", index), f"there is no fixture `{name}`", hint)
    for number, step in enumerate(scenario.all_steps, start=1):
        place = (*path, "steps", number - 1) if scenario.steps else path
        name = step.intent or stage.intent
        if (contract := stage.catalog.newest(name)) is None:
            hint = did_you_mean(name, {intent for intent, _ in stage.catalog.contracts})
            yield stage.source.finding((*place, "intent"), f"there is no intent `{name}`", hint)
        else:
            yield from _step(contract, stage.source, place, step)
            yield from _repetition(stage.source, place, step, number)
    yield from _counted_events(stage, path, scenario)


def _counted_events(stage: _Stage, path: Path, scenario: Scenario) -> Iterator[Finding]:
    known = {event.type for contract in stage.catalog.contracts.values() for event in contract.value.effects.events}
    for name in scenario.events or {}:
        if name not in known:
            hint = did_you_mean(name, known)
            yield stage.source.finding((*path, "events", name), f"no intent emits {name}", hint)


def _step(contract: Contract, source: Source, path: Path, step: Step) -> Iterator[Finding]:
    if step.error and not answers(contract, step.error):
        hint = did_you_mean(step.error, {*contract.errors, *known_codes()})
        yield source.finding((*path, "error"), f"{contract.intent} does not declare {step.error}", hint)
    for name in {**(step.returns or {}), **step.absent}:
        if name not in contract.returns:
            hint = did_you_mean(name, contract.returns)
            yield source.finding((*path, "returns", name), f"{contract.intent} does not answer `{name}`", hint)
    events = [event.type for event in contract.effects.events]
    for name in step.emits or ():
        if name not in events:
            yield source.finding(
                (*path, "emits"), f"{contract.intent} does not emit {name}", did_you_mean(name, events)
            )
    try:
        expanded(step.params or {}, limit=0)
    except BadForm as error:
        yield source.finding((*path, "params"), str(error))


def _repetition(source: Source, path: Path, step: Step, number: int) -> Iterator[Finding]:
    if step.same_execution_as and step.same_execution_as >= number:
        yield source.finding((*path, "same_execution_as"), "names a step that is not before this one")
