"""One check of one intent on one store: the worlds it takes place in, and the problems it finds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from symphainy_platform.context import Identity
from symphainy_platform.contract.catalog import Catalog
from symphainy_platform.contract.compile import CompiledContract
from symphainy_platform.contract.expansion import expanded, is_from_before
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.scenario import Fixture
from symphainy_platform.errors import IntentError
from symphainy_platform.runtime.execution import ExecutionResult
from symphainy_platform.runtime.resolve import Routes
from symphainy_platform.testing.callers import Who
from symphainy_platform.testing.endings import Broken, Skipped
from symphainy_platform.testing.error_effects import Failure
from symphainy_platform.testing.rules import Rules
from symphainy_platform.testing.sample import Sample, find_sample
from symphainy_platform.testing.setups import play_setup
from symphainy_platform.testing.state import Delta, State, difference
from symphainy_platform.testing.world import Call, Outcome, World, Worlds


def subject_name(contract: Contract) -> str:
    """The intent type, with its major version where that is not the first."""
    return contract.intent if contract.major == 1 else f"{contract.intent}@{contract.major}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An intent under test: its compiled contract, and what it stands among."""

    compiled: CompiledContract
    catalog: Catalog
    routes: Routes
    limits: Mapping[str, int]
    """Settings that may override a contract's limits."""
    rehearsed: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """What a `$ref` stood for in the world in which the happy path was rehearsed, by the name of its setup."""

    @property
    def contract(self) -> Contract:
        """The contract as its author wrote it."""
        return self.compiled.contract

    @property
    def name(self) -> str:
        """What reports call it."""
        return subject_name(self.contract)


@dataclass(slots=True)
class Trial:
    """What a check works with."""

    subject: Subject
    worlds: Worlds
    problems: list[str] = field(default_factory=list)

    @property
    def compiled(self) -> CompiledContract:
        """The contract under test, compiled."""
        return self.subject.compiled

    @property
    def contract(self) -> Contract:
        """The contract under test."""
        return self.subject.contract

    @property
    def rules(self) -> Rules:
        """What the contract demands, read without the runtime."""
        return Rules(self.contract)

    @property
    def sample(self) -> Sample:
        """The happy path; Skipped when the contract gives none."""
        found = find_sample(self.contract)
        if found is None:
            raise Skipped("the contract has no happy example to vary")
        return found

    @property
    def call(self) -> Call:
        """The happy path as a submission of the owner."""
        return Call(
            intent=self.contract.intent,
            version=self.contract.version,
            params=self.sample.params,
            caller=self.sample.caller,
        )

    @property
    def seen(self) -> Mapping[str, Any]:
        """The parameters of the happy path with the values that a `$ref` had in the rehearsal."""
        return self.seen_params(self.sample.params)

    def seen_params(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """These parameters with the values that a `$ref` had in the rehearsal."""
        known = self.subject.rehearsed.get(self.sample.before or "", {})
        return {name: expanded(value, known) if is_from_before(value) else value for name, value in params.items()}

    async def rehearse(self) -> None:
        """See once what the happy path's parameters are; nothing to do when none is from its setup.

        Raises Broken when the setup cannot be played.
        """
        sample = find_sample(self.contract)
        if sample is None or not any(map(is_from_before, sample.params.values())):
            return
        name = sample.before or ""
        if name not in self.subject.rehearsed:
            async with self.world() as world:
                self.subject.rehearsed[name] = world.known

    @asynccontextmanager
    async def world(self, *, given: Sequence[Fixture] | None = None, before: str | None = None) -> AsyncIterator[World]:
        """A platform on a new database after the sample's setup, with the sample's fixtures.

        With `given`, those fixtures exist instead, after the setup `before`.
        """
        fixtures = self.sample.given if given is None else given
        setup = self.sample.before if given is None else before
        async with self.worlds.new() as world:
            await play_setup(world, self.contract.setups, setup)
            await world.put(fixtures, self.owner(world))
            yield world

    def owner(self, world: World) -> Identity:
        """Whose fixtures exist in a world."""
        return self.identity(world, "owner")

    def identity(self, world: World, caller: Who) -> Identity:
        """Who a caller of the happy path is in a world."""
        found = world.identity(self.call_by(caller))
        if found is None:
            raise Skipped("the intent has no caller with an identity")
        return found

    def call_by(self, caller: Who) -> Call:
        """An empty submission by somebody."""
        return Call(intent=self.contract.intent, version=self.contract.version, params={}, caller=caller)

    async def happily(self, world: World, call: Call | None = None) -> ExecutionResult:
        """Submit what must succeed; raises Broken when it does not."""
        outcome = await world.submit(call or self.call)
        if outcome.result is None:
            reason = f": {outcome.error.message}" if outcome.error else ""
            raise Broken(f"the happy path `{self.sample.name}` answers {outcome.code}{reason}")
        return outcome.result

    async def effect(self, world: World, call: Call | None = None) -> Delta:
        """Submit what must succeed, and return what it changed in the store."""
        before = await world.state()
        await self.happily(world, call)
        return difference(before, await world.state())

    def expect(self, holds: object, problem: str) -> None:
        """Note a problem unless `holds`."""
        if not holds:
            self.problems.append(problem)

    def expect_unchanged(self, before: State, after: State, when: str) -> None:
        """Note a problem when anything was written."""
        delta = difference(before, after)
        self.expect(not delta, f"{when}: the state changed ({delta})")

    def expect_effects(self, before: State, after: State, outcome: Outcome, when: str) -> None:
        """Note a problem unless exactly that was written which the contract declares for this failure."""
        failure = Failure(
            contract=self.compiled,
            catalog=self.subject.catalog,
            code=outcome.code or "",
            execution_id=outcome.execution_id,
            before=before,
            after=after,
        )
        if outcome.code and self.rules.has_effects(outcome.code):
            self.problems.extend(f"{when}: {fault}" for fault in failure.faults())
        else:
            self.expect_unchanged(before, after, when)

    def expect_refusal(self, outcome: Outcome, code: str, case: str) -> None:
        """Note a problem unless the outcome is this failure in a valid envelope."""
        if outcome.error is None or outcome.code != code:
            self.problems.append(f"{case}: expected {code}, got {outcome}")
            return
        self.problems.extend(f"{case}: {fault}" for fault in self.envelope_faults(outcome.error))

    def envelope_faults(self, error: IntentError) -> Iterator[str]:
        """What is wrong with a failure's envelope (10-runtime, "HTTP"), by what the contract declares."""
        declared = IntentError(error.code)
        if not self.compiled.complete(declared):
            yield f"the code {error.code} is not declared"
        body = error.to_dict()
        texts = [name for name in ("error", "error_code", "execution_id", "trace_id") if not body[name]]
        if texts:
            yield f"the envelope lacks {', '.join(texts)}"
        if body["intent_type"] != self.contract.intent:
            yield f"the envelope names the intent {body['intent_type']}"
        if (error.kind, error.retryable) != (declared.kind, declared.retryable):
            wanted = f"{declared.kind}, retryable {declared.retryable}"
            yield f"{error.code} is {error.kind}, retryable {error.retryable}; declared is {wanted}"
