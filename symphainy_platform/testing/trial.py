"""One check of one intent on one store: the worlds it takes place in, and the problems it finds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from symphainy_platform.context import Identity
from symphainy_platform.contract.catalog import Catalog
from symphainy_platform.contract.compile import CompiledContract
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.scenario import Caller, Fixture
from symphainy_platform.errors import IntentError
from symphainy_platform.runtime.execution import ExecutionResult
from symphainy_platform.runtime.resolve import Routes
from symphainy_platform.testing.callers import identity_of
from symphainy_platform.testing.rules import Rules
from symphainy_platform.testing.sample import Sample, find_sample
from symphainy_platform.testing.state import Delta, State, difference
from symphainy_platform.testing.world import Call, Outcome, World, Worlds


class NotApplicable(Exception):
    """The contract declares nothing that this check could attack; the message says what is not there."""


class Skipped(Exception):
    """The check could not be made; the message is the reason, and it shows in the report."""


class Broken(Exception):
    """The check cannot go on: what should have succeeded failed. The message becomes a problem."""


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

    @property
    def contract(self) -> Contract:
        """The contract as its author wrote it."""
        return self.compiled.contract

    @property
    def name(self) -> str:
        """What reports call it."""
        return subject_name(self.contract)

    def identity(self, caller: Caller) -> Identity | None:
        """Who submits."""
        return identity_of(caller, self.contract, self.catalog.roles)

    @property
    def owner(self) -> Identity:
        """Whose fixtures exist, and who submits the happy path."""
        owner = self.identity("owner")
        if owner is None:
            raise Skipped("the intent has no caller with an identity")
        return owner


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
    def owner(self) -> Identity:
        """Who submits the happy path."""
        return self.subject.owner

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
            identity=self.owner,
        )

    @asynccontextmanager
    async def world(self, *, given: Sequence[Fixture] | None = None) -> AsyncIterator[World]:
        """A platform on a new database with the sample's fixtures, or with these."""
        fixtures = self.sample.given if given is None else given
        async with self.worlds.new() as world:
            await world.put(fixtures, self.owner)
            yield world

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
