"""Rules on fixtures, examples and journey scenarios: what is executed must be executable."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from symphainy_platform.contract.catalog import Catalog, Sourced
from symphainy_platform.contract.expansion import BadForm, expanded, names_of_before
from symphainy_platform.contract.findings import Finding, did_you_mean
from symphainy_platform.contract.journey import Journey
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.rules.scope import answers, known_codes
from symphainy_platform.contract.scenario import Fixture, Saved, Scenario, Setup, SetupStep, Step, Submission, history
from symphainy_platform.contract.validators import Fields, Mismatch
from symphainy_platform.contract.yaml_source import Path, Source


@dataclass(frozen=True, slots=True)
class _Stage:
    """Where a scenario plays: its file, its fixtures, and the intent that a step need not name."""

    catalog: Catalog
    source: Source
    fixtures: Mapping[str, Fixture]
    setups: Mapping[str, Setup]
    intent: str = ""

    def saved_by(self, setup: str | None) -> set[str]:
        """The names that a setup, and those that it builds on, have saved."""
        try:
            played = history(self.setups, setup)
        except (KeyError, ValueError):  # found where the setup is written
            return set()
        return {name for found in played for step in found.steps for name in step.save}


def contract_examples(catalog: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """Fixtures and examples of a contract."""
    contract = sourced.value
    stage = _Stage(catalog, sourced.source, contract.fixtures, contract.setups, contract.intent)
    yield from _fixtures(stage)
    yield from _setups(stage)
    for name, example in contract.examples.items():
        yield from _scenario(stage, ("examples", name), example)


def journey_scenarios(catalog: Catalog, sourced: Sourced[Journey]) -> Iterator[Finding]:
    """Fixtures and scenarios of a journey."""
    journey = sourced.value
    stage = _Stage(catalog, sourced.source, journey.fixtures, journey.setups)
    yield from _fixtures(stage)
    yield from _setups(stage)
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


def _setups(stage: _Stage) -> Iterator[Finding]:
    for name, setup in stage.setups.items():
        path: Path = ("setups", name)
        yield from _builds_on(stage, path, name, setup)
        saved = stage.saved_by(setup.on)
        for index, step in enumerate(setup.steps):
            yield from _submission(stage, (*path, "steps", index), step, saved)
            saved |= step.save.keys()
        for caller, actor in (("owner", setup.owner), ("other_user", setup.other_user)):
            for field in ("user_id", "session_ref"):
                value = getattr(actor, field, None)
                if isinstance(value, Saved):
                    yield from _saved_before(stage, (*path, caller, field), {value.name}, saved)


def _builds_on(stage: _Stage, path: Path, name: str, setup: Setup) -> Iterator[Finding]:
    if setup.on is not None and setup.on not in stage.setups:
        yield stage.source.finding(
            (*path, "on"), f"there is no setup `{setup.on}`", did_you_mean(setup.on, stage.setups)
        )
        return
    try:
        history(stage.setups, name)
    except ValueError as error:
        yield stage.source.finding((*path, "on"), str(error))
    except KeyError:  # found where the missing one is named
        return


def _scenario(stage: _Stage, path: Path, scenario: Scenario) -> Iterator[Finding]:
    for index, name in enumerate(scenario.given):
        if name not in stage.fixtures:
            hint = did_you_mean(name, stage.fixtures)
            yield stage.source.finding((*path, "given", index), f"there is no fixture `{name}`", hint)
    if scenario.before is not None and scenario.before not in stage.setups:
        hint = did_you_mean(scenario.before, stage.setups)
        yield stage.source.finding((*path, "before"), f"there is no setup `{scenario.before}`", hint)
    saved = stage.saved_by(scenario.before)
    for number, step in enumerate(scenario.all_steps, start=1):
        place = (*path, "steps", number - 1) if scenario.steps else path
        yield from _submission(stage, place, step, saved)
        yield from _repetition(stage.source, place, step, number)
        saved |= step.save.keys()
    yield from _counted_events(stage, path, scenario)


def _submission(stage: _Stage, path: Path, step: Step | SetupStep, saved: Collection[str]) -> Iterator[Finding]:
    name = step.intent or stage.intent
    if (contract := stage.catalog.newest(name)) is None:
        hint = did_you_mean(name, {intent for intent, _ in stage.catalog.contracts})
        yield stage.source.finding((*path, "intent"), f"there is no intent `{name}`", hint)
        return
    if isinstance(step, Step):
        yield from _expectations(contract, stage.source, path, step)
        yield from _saved_before(stage, (*path, "returns"), set(names_of_before(step.returns)), saved)
    yield from _forms(stage, path, step, saved)
    for name, place in step.save.items():
        yield from _answered(contract, stage.source, (*path, "save", name), place)


def _forms(stage: _Stage, path: Path, step: Submission, saved: Collection[str]) -> Iterator[Finding]:
    try:
        expanded(step.params or {}, limit=0)
    except BadForm as error:
        yield stage.source.finding((*path, "params"), str(error))
    yield from _saved_before(stage, (*path, "params"), set(names_of_before(step.params)), saved)


def _saved_before(stage: _Stage, path: Path, names: Collection[str], saved: Collection[str]) -> Iterator[Finding]:
    for name in sorted(set(names) - set(saved)):
        yield stage.source.finding(path, f"no step before saves `{name}`", did_you_mean(name, saved))


def _answered(contract: Contract, source: Source, path: Path, place: str) -> Iterator[Finding]:
    """What is saved is in the answer: `artifact.field`, or `execution_id`."""
    artifact, _, rest = place.partition(".")
    if place == "execution_id":
        return
    if artifact not in contract.returns:
        hint = did_you_mean(artifact, contract.returns)
        yield source.finding(path, f"{contract.intent} does not answer `{artifact}`", hint)
    elif rest and (field := rest.partition(".")[0]) not in contract.returns[artifact]:
        hint = did_you_mean(field, contract.returns[artifact])
        yield source.finding(path, f"{contract.intent} answers no `{artifact}.{field}`", hint)


def _counted_events(stage: _Stage, path: Path, scenario: Scenario) -> Iterator[Finding]:
    known = {event.type for contract in stage.catalog.contracts.values() for event in contract.value.all_events}
    for name in scenario.events or {}:
        if name not in known:
            hint = did_you_mean(name, known)
            yield stage.source.finding((*path, "events", name), f"no intent emits {name}", hint)


def _expectations(contract: Contract, source: Source, path: Path, step: Step) -> Iterator[Finding]:
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


def _repetition(source: Source, path: Path, step: Step, number: int) -> Iterator[Finding]:
    if step.same_execution_as and step.same_execution_as >= number:
        yield source.finding((*path, "same_execution_as"), "names a step that is not before this one")
