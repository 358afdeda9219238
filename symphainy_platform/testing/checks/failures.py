"""What becomes of a failure: it is recorded, and not repeated from the record unless it is final."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from symphainy_platform.context import Identity
from symphainy_platform.contract.scenario import Scenario
from symphainy_platform.contract.shape import walk
from symphainy_platform.errors import IntentError
from symphainy_platform.testing.checks.replay import needs_key
from symphainy_platform.testing.endings import NotApplicable, Skipped
from symphainy_platform.testing.sample import written_out
from symphainy_platform.testing.trial import Trial
from symphainy_platform.testing.world import TICK, Call, World


class Failing(NamedTuple):
    """An example that fails in one step."""

    trial: Trial
    code: str
    call: Call
    example: Scenario

    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        """A world in which only this submission is still to come."""
        given = [self.trial.contract.fixtures[name] for name in self.example.given]
        async with self.trial.world(given=given, before=self.example.before) as world:
            world.clock.advance(self.example.after or TICK)
            yield world


def failing_examples(trial: Trial) -> Iterator[Failing]:
    """Every example of the contract that fails in one step, on a store that works."""
    for example in trial.contract.examples.values():
        if example.error is not None and not example.steps and example.fault is None:
            yield Failing(trial, example.error, _call(trial, example), example)


def _call(trial: Trial, example: Scenario) -> Call:
    return Call(
        intent=trial.contract.intent,
        version=trial.contract.version,
        params=written_out(example.params or {}),
        caller=example.caller,
    )


async def not_cached(trial: Trial) -> None:
    """A failure is not cached: the same submission fails anew, in an execution of its own; final ones are."""
    needs_key(trial)
    examples = list(failing_examples(trial))
    if not examples:
        raise Skipped("the contract has no example that fails in one step")
    examples = [failing for failing in examples if not trial.rules.has_effects(failing.code)]
    for failing in examples:
        await _fails_anew(trial, failing)


async def _fails_anew(trial: Trial, failing: Failing) -> None:
    code = failing.code
    async with failing.world() as world:
        first = await world.submit(failing.call)
        world.clock.advance(TICK)
        again = await world.submit(failing.call)
    trial.expect(first.code == again.code == code, f"{code}: answers {first}, then {again}")
    is_cached = first.execution_id == again.execution_id
    trial.expect(is_cached == trial.rules.is_final(code), f"{code}: cached {is_cached}, final {not is_cached}")


async def recorded(trial: Trial) -> None:
    """A failure of the service can be asked for by its execution: failed, with its code."""
    examples = [failing for failing in failing_examples(trial) if failing.code in _of_the_service(trial)]
    if not examples:
        raise NotApplicable("no example fails in the service itself")
    for failing in examples:
        async with failing.world() as world:
            outcome = await world.submit(failing.call)
            owner = world.identity(failing.call) or trial.owner(world)
            shown = await _status(world, owner, outcome.execution_id or "")
        if shown is None and trial.rules.is_public and not trial.rules.has_effects(failing.code):
            continue  # refused by the proof: there is nobody yet whose execution it could be
        trial.expect(shown == ("failed", failing.code), f"{failing.code}: its status shows {shown}")


def _of_the_service(trial: Trial) -> set[str]:
    """Codes that only the service raises: a refusal before it leaves no record."""
    limits = {code for _, shape in walk(trial.contract.params) for code in (shape.too_large, shape.too_deep)}
    reads = {code for read in trial.contract.effects.reads for code in (read.absent, read.wrong_state)}
    return set(trial.contract.errors) - limits - reads


async def _status(world: World, identity: Identity, execution_id: str) -> tuple[str, str] | None:
    try:
        shown = await world.platform.read.execution(execution_id, identity=identity)
    except IntentError:
        return None
    return shown["status"], shown.get("error_code", "")
