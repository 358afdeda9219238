"""How long a duplicate is one: the window's two edges, and what ends it early."""

from __future__ import annotations

from symphainy_platform.testing.checks.replay import expect_replay, needs_key
from symphainy_platform.testing.endings import NotApplicable, Skipped
from symphainy_platform.testing.state import difference
from symphainy_platform.testing.trial import Trial
from symphainy_platform.testing.variation import with_other_keys
from symphainy_platform.testing.world import TICK, Outcome, World


async def inside(trial: Trial) -> None:
    """Just before the window (or the ttl) ends: a replay."""
    _needs_a_fixed_end(trial)
    lifetime = trial.rules.lifetime
    async with trial.world() as world:
        first = await world.submit(trial.call)
        world.clock.advance(lifetime - TICK)
        await expect_replay(trial, world, first, trial.call, f"{lifetime} s - {TICK} s after the first")


async def outside(trial: Trial) -> None:
    """Just after it has ended: a new execution with an effect of its own."""
    lifetime = _ending(trial)
    async with trial.world() as world:
        first = await world.submit(trial.call)
        world.clock.advance(lifetime + TICK)
        await expect_anew(trial, world, first, f"{lifetime} s + {TICK} s after the first")


async def not_extended(trial: Trial) -> None:
    """The window runs from the first commit: a replay within it does not extend it."""
    _needs_a_fixed_end(trial)
    lifetime = _ending(trial)
    async with trial.world() as world:
        first = await world.submit(trial.call)
        world.clock.advance(lifetime * 0.9)
        await expect_replay(trial, world, first, trial.call, "within the window")
        world.clock.advance(lifetime * 0.2)
        await expect_anew(trial, world, first, "after the window, in spite of a replay within it")


async def until_next_write(trial: Trial) -> None:
    """A, then B, then A again: the second A is not the first one's duplicate."""
    needs_key(trial)
    if not trial.rules.until_next_write:
        raise NotApplicable("the key does not end with the next write")
    (other,) = with_other_keys(trial, 1)
    async with trial.world() as world:
        first = await world.submit(trial.call)
        between = await world.submit(other)
        if first.is_replay or between.result is None or between.is_replay:
            raise Skipped(f"the varied parameters answer {between}")
        again = await world.submit(trial.call)
    trial.expect(again.execution_id != first.execution_id, "A, B, A: the second A gets the answer of the first")


def _needs_a_fixed_end(trial: Trial) -> None:
    needs_key(trial)
    if (method := trial.contract.idempotency.replay_while) is not None:
        raise NotApplicable(f"the service's {method} may end it before: examples show when")


def _ending(trial: Trial) -> int:
    """The window's length, where its end can be seen from outside."""
    needs_key(trial)
    if not trial.rules.must_write:
        raise NotApplicable("an update that changes nothing answers as a replay anyway")
    return trial.rules.lifetime


async def expect_anew(trial: Trial, world: World, first: Outcome, when: str) -> None:
    """Submit again, and note a problem when it is answered by the first execution or has no effect."""
    before = await world.state()
    again = await world.submit(trial.call)
    trial.expect(first.code is None, f"the happy path answers {first}")
    trial.expect(again.execution_id != first.execution_id, f"{when}: still the first execution's answer")
    if again.result is not None:
        trial.expect(not again.is_replay, f"{when}: a replay")
        trial.expect(difference(before, await world.state()).without("executions"), f"{when}: no effect")
