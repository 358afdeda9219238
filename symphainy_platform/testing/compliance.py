"""The compliance suite: every contract, attacked on every store. Use `run_compliance`, or `pytest --contracts`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from symphainy_platform.contract.catalog import Catalog
from symphainy_platform.contract.journey import Journey
from symphainy_platform.contract.model import Contract
from symphainy_platform.plugins import Loaded, load_plugins, load_realms
from symphainy_platform.settings import Settings
from symphainy_platform.testing.attack import Action, Attack
from symphainy_platform.testing.checks import CHECKS, Check
from symphainy_platform.testing.endings import NotApplicable, Skipped
from symphainy_platform.testing.report import Report
from symphainy_platform.testing.scenarios import example, journey_checks
from symphainy_platform.testing.stores import STORES, StoreBinding
from symphainy_platform.testing.trial import Subject, Trial, subject_name
from symphainy_platform.testing.world import Worlds


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a selection decides on: an intent or a journey, its realm, and the file that declares it."""

    name: str
    realm: str
    file: str


_QUICKEST = ("example.", "result.", "identity.")
"""Checks that take few worlds each."""

Select = Callable[[Candidate], bool]


async def run_compliance(  # noqa: PLR0913 - what a run may be told, by keyword
    folder: Path,
    *,
    plugins: Sequence[object] = (),
    names: Collection[str] | None = None,
    stores: Sequence[StoreBinding] = STORES,
    contracts: Catalog | None = None,
    stop_at_first: bool = False,
) -> Report:
    """Attack the loaded realms (and those of `plugins`) in subfolders of `folder`; returns all findings.

    `names` limits the run to these intents and journeys; `contracts` is what the files of the same
    plugins say, where somebody has read them already; `stop_at_first` ends it at the first
    failure, for whoever only asks whether there is one: the quickest checks come first then.
    """
    report = Report()
    planned = attacks(
        plugins=plugins,
        select=lambda found: names is None or found.name in names,
        stores=stores,
        contracts=contracts,
    )
    if stop_at_first:
        planned = iter(sorted(planned, key=lambda attack: not attack.check.startswith(_QUICKEST)))
    for number, attack in enumerate(planned):
        report.findings.append(await attack.run(folder / str(number)))
        if stop_at_first and report.failures:
            break
    return report


def attacks(
    *,
    plugins: Sequence[object] = (),
    select: Select = lambda _: True,
    stores: Sequence[StoreBinding] = STORES,
    contracts: Catalog | None = None,
) -> Iterator[Attack]:
    """Everything that the suite would do, in the order of the report. Raises StartError as a start would."""
    settings = Settings()
    loaded = load_realms(load_plugins(plugins), settings, contracts)
    for binding in stores:
        yield from _Plan(loaded, _limits(settings), binding, plugins).attacks(select)


def _limits(settings: Settings) -> dict[str, int]:
    """Settings that contracts may name as limits."""
    return {name: value for name, value in settings if isinstance(value, int) and not isinstance(value, bool)}


@dataclass(frozen=True, slots=True)
class _Plan:
    """The attacks on one store."""

    loaded: Loaded
    limits: dict[str, int]
    binding: StoreBinding
    plugins: Sequence[object]

    def attacks(self, select: Select) -> Iterator[Attack]:
        for sourced in self.loaded.catalog.contracts.values():
            contract = sourced.value
            if select(Candidate(contract.intent, contract.realm, sourced.source.file)):
                yield from self._of_contract(contract)
        for found in self.loaded.catalog.journeys.values():
            journey = found.value
            if select(Candidate(journey.id, journey.realm, found.source.file)):
                yield from self._of_journey(journey)

    def _of_contract(self, contract: Contract) -> Iterator[Attack]:
        if (contract.intent, contract.major) in self.loaded.unimplemented:
            yield self._attack(subject_name(contract), "service", None)
            return
        routes = self.loaded.routes
        compiled = routes.resolve(contract.intent, contract.version).contract
        subject = Subject(compiled=compiled, catalog=self.loaded.catalog, routes=routes, limits=self.limits)
        expected = dict(contract.compliance.expected_failures)
        for name, check in _checks(contract):
            yield self._attack(subject.name, name, _on(subject, check), expected.pop(name, None))
        for name in expected:
            yield self._attack(subject.name, name, _no_such_check)

    def _of_journey(self, journey: Journey) -> Iterator[Attack]:
        if not {route.contract.intent_type for route in self.loaded.routes}.issuperset(journey.intents):
            yield self._attack(journey.id, "service", None)
            return
        for name, check in journey_checks(journey, self.loaded.routes, self.loaded.catalog):
            yield self._attack(journey.id, name, check)

    def _attack(self, subject: str, check: str, action: Action | None, expected: str | None = None) -> Attack:
        return Attack(
            binding=self.binding,
            plugins=self.plugins,
            contracts=self.loaded.catalog,
            subject=subject,
            check=check,
            action=action,
            expected_failure=expected,
        )


def _checks(contract: Contract) -> Iterator[tuple[str, Check]]:
    yield from CHECKS.items()
    yield from ((f"example.{name}", example(name)) for name in contract.examples)


def _on(subject: Subject, check: Check) -> Action:
    async def act(worlds: Worlds) -> list[str]:
        trial = Trial(subject, worlds)
        await trial.rehearse()
        try:
            await check(trial)
        except (NotApplicable, Skipped):
            if not trial.problems:  # what was found before the check came to its end is a failure
                raise
        return trial.problems

    return act


async def _no_such_check(_: Worlds) -> list[str]:
    return ["the contract expects this check to fail, but the suite has no such check"]
