"""Failures that commit something all the same: all of it or nothing, and once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from symphainy_platform.contract.scenario import Scenario, Step
from symphainy_platform.testing.checks.faults import Shape, effect_of
from symphainy_platform.testing.endings import NotApplicable, Skipped
from symphainy_platform.testing.error_effects import Failure
from symphainy_platform.testing.faulty_store import StoreStep
from symphainy_platform.testing.play import Play
from symphainy_platform.testing.state import State, difference
from symphainy_platform.testing.trial import Trial
from symphainy_platform.testing.world import Call, Outcome, World

CALLERS = 8
"""How many fail at once."""


async def atomic(trial: Trial) -> None:
    """At each step of the store: a retryable error and nothing written; the retry commits the declared effects."""
    for ending in _endings(trial):
        for step in await ending.steps():
            await ending.failing_at(step)
        await ending.reply_lost()


async def once(trial: Trial) -> None:
    """Eight equal submissions in two processes that fail so: their effects are there once."""
    for ending in _endings(trial):
        await ending.at_once()


def _endings(trial: Trial) -> list[_Ending]:
    """Every example whose last step fails with effects; Skipped where such a failure has no example."""
    effective = {code for code in trial.contract.errors if trial.rules.has_effects(code)}
    if not effective:
        raise NotApplicable("no failure has effects")
    found = [
        _Ending(trial, example, last, last.error)
        for example in trial.contract.examples.values()
        if (last := example.all_steps[-1]).error in effective and last.fault is None
        if last.error and last.intent in (None, trial.contract.intent)
    ]
    if missing := effective - {ending.code for ending in found}:
        raise Skipped(f"no example ends in {min(missing)}, which has effects")
    return found


@dataclass(frozen=True, slots=True)
class _Ending:
    """An example whose last step fails with effects."""

    trial: Trial
    example: Scenario
    last: Step
    code: str

    @asynccontextmanager
    async def world(self) -> AsyncIterator[tuple[World, Call]]:
        """A world in which only the last step is still to be taken, and that step's submission."""
        contract = self.trial.contract
        async with self.trial.worlds.new() as world:
            play = Play(
                world=world,
                routes=self.trial.subject.routes,
                catalog=self.trial.subject.catalog,
                given=contract,
                intent=contract.intent,
                version=contract.version,
            )
            await play.up_to_last(self.example)
            world.store.watch()
            yield world, play.call(self.last)

    async def steps(self) -> Sequence[StoreStep]:
        """The steps of the store that the failure takes; what comes of it is as declared."""
        async with self.world() as (world, call):
            before = await world.state()
            world.store.watch()
            outcome = await world.submit(call)
            steps = tuple(world.store.steps)
            self._expect_exact(before, await world.state(), outcome, "without a fault")
        return steps

    async def failing_at(self, step: StoreStep) -> None:
        """The store fails at this step, once."""
        when = f"{step} fails"
        async with self.world() as (world, call):
            before = await world.state()
            world.store.fail_at(step)
            refused = await world.submit(call)
            effect = effect_of(difference(before, await world.state()))
            self.trial.expect(refused.error and refused.error.retryable, f"{when}: {refused}, not retryable")
            self.trial.expect(not effect, f"{when}: {effect} was written")
            world.store.watch()
            retried = await world.submit(call)
            self._expect_exact(before, await world.state(), retried, f"{when}, and again")

    async def reply_lost(self) -> None:
        """The effects are committed, and the store's reply is lost: they are there, and the retry adds none."""
        when = "the reply is lost"
        async with self.world() as (world, call):
            before = await world.state()
            world.store.fail_at(StoreStep("commit", 1), "after")
            lost = await world.submit(call)
            committed = await world.state()
            self.trial.problems.extend(f"{when}: {fault}" for fault in self._failure(before, committed, lost).faults())
            world.store.watch()
            again = await world.submit(call)
            more = effect_of(difference(committed, await world.state()))
        self.trial.expect(again.error is not None, f"{when}: the retry succeeds")
        self.trial.expect(not more, f"{when}: the retry writes {more}")

    async def at_once(self) -> None:
        """Many submit it at the same time, in two processes."""
        wanted = await self._effect()
        async with self.world() as (world, call):
            platforms = (world.platform, await world.second_platform())
            before = await world.state()
            submissions = (world.submit(call, platform=platforms[number % 2]) for number in range(CALLERS))
            outcomes = await asyncio.gather(*submissions)
            effect = effect_of(difference(before, await world.state()))
        codes = sorted({outcome.code or "a success" for outcome in outcomes})
        self.trial.expect(self.code in codes, f"{CALLERS} at once: nobody is answered {self.code}, but {codes}")
        self.trial.expect("a success" not in codes, f"{CALLERS} at once: somebody succeeds")
        self.trial.expect(effect == wanted, f"{CALLERS} at once write {effect}; one writes {wanted}")

    async def _effect(self) -> Shape:
        async with self.world() as (world, call):
            before = await world.state()
            await world.submit(call)
            return effect_of(difference(before, await world.state()))

    def _expect_exact(self, before: State, after: State, outcome: Outcome, when: str) -> None:
        self.trial.expect_refusal(outcome, self.code, when)
        self.trial.problems.extend(f"{when}: {fault}" for fault in self._failure(before, after, outcome).faults())

    def _failure(self, before: State, after: State, outcome: Outcome) -> Failure:
        return Failure(
            contract=self.trial.compiled,
            catalog=self.trial.subject.catalog,
            code=self.code,
            execution_id=outcome.execution_id,
            before=before,
            after=after,
        )
