"""Playing an example or a journey scenario: every step is submitted, and every expectation is held against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from symphainy_platform.contract.catalog import Catalog
from symphainy_platform.contract.compile import CompiledContract
from symphainy_platform.contract.expansion import expanded
from symphainy_platform.contract.journey import Journey
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.scenario import Scenario, Step
from symphainy_platform.errors import ContractViolation, UnknownIntent
from symphainy_platform.runtime.execution import ExecutionResult
from symphainy_platform.runtime.resolve import Routes
from symphainy_platform.testing.checks.faults import effect_of
from symphainy_platform.testing.error_effects import Failure
from symphainy_platform.testing.faulty_store import StoreStep
from symphainy_platform.testing.matching import at_path, differences, is_there
from symphainy_platform.testing.setups import play_setup
from symphainy_platform.testing.state import State, difference
from symphainy_platform.testing.world import TICK, Call, Outcome, World


@dataclass(slots=True, kw_only=True)
class Play:
    """One scenario in one world. `problems` says what did not happen as expected."""

    world: World
    routes: Routes
    catalog: Catalog
    given: Contract | Journey
    """Whose setups and fixtures the scenario starts from."""
    intent: str | None = None
    """The intent of steps that name none."""
    version: str | None = None
    """The version of its contract; other intents are submitted in their newest."""
    problems: list[str] = field(default_factory=list)
    completed: set[str] = field(default_factory=set)
    """Intents that the owner has submitted, and that have succeeded."""
    _published: int = 0
    """Events that were in the outbox before the first step."""
    _outcomes: list[Outcome] = field(default_factory=list)

    async def run(self, scenario: Scenario, *, failing_first: int = 0) -> None:
        """Play all steps. `failing_first` is a step (from 1) that meets a broken store before it succeeds."""
        await self.set_up(scenario)
        for number, step in enumerate(scenario.all_steps, start=1):
            self._let_pass(step)
            if number == failing_first:
                await self._fail_at_first(number, step)
            await self.take(number, step)
        if scenario.events is not None:
            await self._expect_events(scenario.events)

    async def up_to_last(self, scenario: Scenario) -> None:
        """Play all steps but the last one, for which the clock is set."""
        await self.set_up(scenario)
        *earlier, last = enumerate(scenario.all_steps, start=1)
        for number, step in earlier:
            self._let_pass(step)
            await self.take(number, step)
        self._let_pass(last[1])

    def _let_pass(self, step: Step) -> None:
        self.world.clock.advance(step.after if step.after is not None else TICK)

    async def set_up(self, scenario: Scenario) -> None:
        """Play the setup, and put the fixtures into the store; raises Broken when the setup fails."""
        await play_setup(self.world, self.given.setups, scenario.before)
        contract = self._contract(scenario.all_steps[0])
        owner = self.world.identity(Call(intent=contract.intent_type, version=contract.version, params={}))
        if owner is not None:
            await self.world.put([self.given.fixtures[name] for name in scenario.given], owner)
        self._published = len(await self.world.events())

    def _contract(self, step: Step) -> CompiledContract:
        own = step.intent in (None, self.intent)
        try:
            return self.routes.resolve(step.intent or self.intent or "", self.version if own else None).contract
        except UnknownIntent as error:
            msg = f"{step.intent or self.intent} has no service"
            raise LookupError(msg) from error

    def call(self, step: Step) -> Call:
        """The submission of a step, as of now."""
        contract = self._contract(step)
        params = expanded(step.params or {}, self.world.known)
        return Call(intent=contract.intent_type, version=contract.version, params=params, caller=step.caller)

    async def _fail_at_first(self, number: int, step: Step) -> None:
        """The store breaks in this step: the caller is told so, and nothing is written."""
        contract = self._contract(step)
        before = await self.world.state()
        self.world.store.fail_at(StoreStep("commit" if contract.has_writes else "load", 1))
        outcome = await self.world.submit(self.call(step))
        effect = effect_of(difference(before, await self.world.state()))
        failed = self.world.store.failed
        self.world.store.watch()
        if failed and (outcome.error is None or effect):
            self.problems.append(f"step {number} on a broken store: {outcome}, effect {effect}")

    async def take(self, number: int, step: Step) -> None:
        """Submit a step, and hold what comes of it against what the scenario says."""
        before = await self.world.state()
        self.world.store.watch()
        if step.fault is not None:
            self.world.store.fail_at(StoreStep(step.fault.at, 1))
        outcome = await self.world.submit(self.call(step))
        self._outcomes.append(outcome)
        found = list(self._faults(step, outcome, before, await self.world.state()))
        self.problems.extend(f"step {number}: {problem}" for problem in found)
        if outcome.result is not None:
            self._note(step, outcome.result)

    def _note(self, step: Step, result: ExecutionResult) -> None:
        if step.caller == "owner":
            self.completed.add(result.intent_type)
        answers = Outcome(result=result).answers
        for name, path in step.save.items():
            if is_there(answers, path):
                self.world.saved[name] = at_path(answers, path)
            else:
                self.problems.append(f"nothing to save at {path}")

    def _faults(self, step: Step, outcome: Outcome, before: State, after: State) -> Iterator[str]:
        contract = self._contract(step)
        if step.error is not None:
            if outcome.code != step.error:
                yield f"expected {step.error}, got {outcome}"
            yield from self.failure(contract, step.error, outcome, (before, after)).faults()
        elif outcome.result is None:
            reason = outcome.error.message if outcome.error else ""
            yield f"expected a success, got {outcome}: {reason}"
        else:
            yield from self._success_faults(step, contract, outcome.result)

    def failure(self, contract: CompiledContract, code: str, outcome: Outcome, states: tuple[State, State]) -> Failure:
        """A failure of an intent, with the store before and after it."""
        return Failure(
            contract=contract,
            catalog=self.catalog,
            code=code,
            execution_id=outcome.execution_id,
            before=states[0],
            after=states[1],
        )

    def _success_faults(self, step: Step, contract: CompiledContract, result: ExecutionResult) -> Iterator[str]:
        payloads = _payloads(result)
        yield from differences(expanded(step.returns or {}, self.world.known), payloads)
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
        counted = Counter(event.type for event in (await self.world.events())[self._published :])
        self.problems.extend(
            f"{counted[name]} {name} in the outbox, expected {number}"
            for name, number in wanted.items()
            if counted[name] != number
        )


def _payloads(result: ExecutionResult) -> dict[str, Any]:
    return {name: entry["semantic_payload"] for name, entry in result.artifacts.items()}


def _shape_faults(contract: CompiledContract, payloads: Mapping[str, Any]) -> Iterator[str]:
    """Every answer of every example is as the contract's `returns` says."""
    for name, payload in payloads.items():
        try:
            contract.check_answer(name, payload)
        except ContractViolation as error:
            yield str(error.message)
