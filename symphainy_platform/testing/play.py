"""Playing an example or a journey scenario: every step is submitted, and every expectation is held against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from symphainy_platform.contract.compile import CompiledContract
from symphainy_platform.contract.expansion import expanded
from symphainy_platform.contract.scenario import Fixture, Scenario, Step
from symphainy_platform.errors import ContractViolation, UnknownIntent
from symphainy_platform.runtime.execution import ExecutionResult
from symphainy_platform.runtime.resolve import Routes
from symphainy_platform.testing.callers import identity_of
from symphainy_platform.testing.checks.faults import effect_of
from symphainy_platform.testing.faulty_store import StoreStep
from symphainy_platform.testing.matching import at_path, differences, is_there
from symphainy_platform.testing.state import difference
from symphainy_platform.testing.world import TICK, Call, Outcome, World


@dataclass(slots=True, kw_only=True)
class Play:
    """One scenario in one world. `problems` says what did not happen as expected."""

    world: World
    routes: Routes
    intent: str | None = None
    """The intent of steps that name none."""
    version: str | None = None
    """The version of its contract; other intents are submitted in their newest."""
    problems: list[str] = field(default_factory=list)
    completed: set[str] = field(default_factory=set)
    """Intents that the owner has completed."""
    _saved: dict[str, Any] = field(default_factory=dict)
    _outcomes: list[Outcome] = field(default_factory=list)

    async def run(self, scenario: Scenario, fixtures: Mapping[str, Fixture], *, failing_first: int = 0) -> None:
        """Play all steps. `failing_first` is a step (from 1) that meets a broken store before it succeeds."""
        await self._set_up(scenario, fixtures)
        for number, step in enumerate(scenario.all_steps, start=1):
            self.world.clock.advance(step.after if step.after is not None else TICK)
            contract = self._contract(step)
            if number == failing_first:
                await self._fail_at_first(number, step, contract)
            await self._take(number, step, contract)
        if scenario.events is not None:
            await self._expect_events(scenario.events)

    async def _set_up(self, scenario: Scenario, fixtures: Mapping[str, Fixture]) -> None:
        first = self._contract(scenario.all_steps[0])
        owner = identity_of("owner", first.contract, self.world.platform.contracts.roles)
        if owner is not None:
            await self.world.put([fixtures[name] for name in scenario.given], owner)

    def _contract(self, step: Step) -> CompiledContract:
        own = step.intent in (None, self.intent)
        try:
            return self.routes.resolve(step.intent or self.intent or "", self.version if own else None).contract
        except UnknownIntent as error:
            msg = f"{step.intent or self.intent} has no service"
            raise LookupError(msg) from error

    def _call(self, step: Step, contract: CompiledContract) -> Call:
        return Call(
            intent=contract.intent_type,
            version=contract.version,
            params=expanded(step.params or {}, self._saved),
            identity=identity_of(step.caller, contract.contract, self.world.platform.contracts.roles),
        )

    async def _fail_at_first(self, number: int, step: Step, contract: CompiledContract) -> None:
        """The store breaks in this step: the caller is told so, and nothing is written."""
        before = await self.world.state()
        self.world.store.fail_at(StoreStep("commit" if contract.has_writes else "load", 1))
        outcome = await self.world.submit(self._call(step, contract))
        effect = effect_of(difference(before, await self.world.state()))
        failed = self.world.store.failed
        self.world.store.watch()
        if failed and (outcome.error is None or effect):
            self.problems.append(f"step {number} on a broken store: {outcome}, effect {effect}")

    async def _take(self, number: int, step: Step, contract: CompiledContract) -> None:
        before = await self.world.state()
        self.world.store.watch()
        if step.fault is not None:
            self.world.store.fail_at(StoreStep(step.fault.at, 1))
        outcome = await self.world.submit(self._call(step, contract))
        self._outcomes.append(outcome)
        effect = effect_of(difference(before, await self.world.state()))
        found = list(self._faults(step, contract, outcome, effect))
        self.problems.extend(f"step {number}: {problem}" for problem in found)
        if outcome.result is not None:
            self._note(step, outcome.result)

    def _note(self, step: Step, result: ExecutionResult) -> None:
        if step.caller == "owner":
            self.completed.add(result.intent_type)
        shown = {**_payloads(result), "execution_id": result.execution_id}
        for name, path in step.save.items():
            if is_there(shown, path):
                self._saved[name] = at_path(shown, path)
            else:
                self.problems.append(f"nothing to save at {path}")

    def _faults(
        self, step: Step, contract: CompiledContract, outcome: Outcome, effect: Mapping[str, Any]
    ) -> Iterator[str]:
        if step.error is not None:
            yield from _failure_faults(step.error, contract, outcome, effect)
        elif outcome.result is None:
            reason = outcome.error.message if outcome.error else ""
            yield f"expected a success, got {outcome}: {reason}"
        else:
            yield from self._success_faults(step, contract, outcome.result)

    def _success_faults(self, step: Step, contract: CompiledContract, result: ExecutionResult) -> Iterator[str]:
        payloads = _payloads(result)
        yield from differences(expanded(step.returns or {}, self._saved), payloads)
        for name, paths in step.absent.items():
            yield from (f"{name}.{path} is there" for path in paths if is_there(payloads.get(name), path))
        emitted = [event["type"] for event in result.events]
        if step.emits is not None and emitted != list(step.emits):
            yield f"emits {emitted}, expected {list(step.emits)}"
        if step.replay is not None and result.idempotent_replay != step.replay:
            yield f"idempotent_replay is {result.idempotent_replay}"
        yield from self._identity_faults(step, result)
        yield from _shape_faults(contract, payloads)

    def _identity_faults(self, step: Step, result: ExecutionResult) -> Iterator[str]:
        if step.same_execution_as is not None:
            original = self._outcomes[step.same_execution_as - 1]
            if original.execution_id != result.execution_id:
                yield f"is not the execution of step {step.same_execution_as}"

    async def _expect_events(self, wanted: Mapping[str, int]) -> None:
        counted = Counter(event.type for event in await self.world.events())
        self.problems.extend(
            f"{counted[name]} {name} in the outbox, expected {number}"
            for name, number in wanted.items()
            if counted[name] != number
        )


def _failure_faults(
    code: str, contract: CompiledContract, outcome: Outcome, effect: Mapping[str, Any]
) -> Iterator[str]:
    if outcome.code != code:
        yield f"expected {code}, got {outcome}"
    declared = contract.error(code)
    if effect and (declared is None or declared.effects is None):
        yield f"{code}, yet something was written: {effect}"


def _payloads(result: ExecutionResult) -> dict[str, Any]:
    return {name: entry["semantic_payload"] for name, entry in result.artifacts.items()}


def _shape_faults(contract: CompiledContract, payloads: Mapping[str, Any]) -> Iterator[str]:
    """Every answer of every example is as the contract's `returns` says."""
    for name, payload in payloads.items():
        try:
            contract.check_answer(name, payload)
        except ContractViolation as error:
            yield str(error.message)
