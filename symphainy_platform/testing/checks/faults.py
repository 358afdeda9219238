"""A store that fails at every step that the happy path touches, and one that dies before the reply."""

from __future__ import annotations

from collections.abc import Sequence

from symphainy_platform.errors import Kind
from symphainy_platform.testing.checks.replay import needs_key
from symphainy_platform.testing.endings import NotApplicable
from symphainy_platform.testing.faulty_store import StoreStep
from symphainy_platform.testing.state import Delta, State, difference
from symphainy_platform.testing.trial import Trial
from symphainy_platform.testing.world import Outcome

Shape = dict[str, tuple[int, int]]


async def every_step(trial: Trial) -> None:
    """At each step: a declared, retryable error; nothing written; and the retry has the whole effect, once."""
    async with trial.world() as world:
        before = await world.state()
        world.store.watch()
        await trial.happily(world)
        wanted = effect_of(difference(before, await world.state()))
        steps = tuple(world.store.steps)
    if not steps:
        raise NotApplicable("the happy path does not touch the store")
    for place, step in enumerate(steps):
        await _failing_at(trial, step, steps[:place], wanted)


async def _failing_at(trial: Trial, step: StoreStep, earlier: Sequence[StoreStep], wanted: Shape) -> None:
    committed = any(other.verb == "commit" for other in earlier)
    async with trial.world() as world:
        before = await world.state()
        world.store.fail_at(step)
        outcome = await world.submit(trial.call)
        after = await world.state()
        trial.expect(world.store.failed, f"{step}: the step was not taken this time")
        if trial.rules.has_writes or step.verb == "load":
            _expect_unavailable(trial, outcome, step)
        if not committed:
            _expect_no_effect(trial, before, after, step)
        world.store.watch()
        retried = await world.submit(trial.call)
        trial.expect(retried.code is None, f"{step} fails: the retry answers {retried}")
        final = effect_of(difference(before, await world.state()))
    if trial.rules.has_key or not committed:
        trial.expect(final == wanted, f"{step} fails: after the retry {final}, without a fault {wanted}")


def _expect_unavailable(trial: Trial, outcome: Outcome, step: StoreStep) -> None:
    if outcome.error is None:
        trial.expect(holds=False, problem=f"{step} fails: answered {outcome}")
        return
    is_honest = outcome.error.kind is Kind.UNAVAILABLE and outcome.error.retryable
    trial.expect(is_honest, f"{step} fails: {outcome} is not a retryable `unavailable`")
    trial.problems.extend(f"{step} fails: {fault}" for fault in trial.envelope_faults(outcome.error))


def _expect_no_effect(trial: Trial, before: State, after: State, step: StoreStep) -> None:
    delta = difference(before, after)
    trial.expect(not effect_of(delta), f"{step} fails: yet something was written ({delta})")


async def after_commit(trial: Trial) -> None:
    """The process dies after the commit and before the reply: the retry gets that execution's answer."""
    if not trial.rules.has_writes:
        raise NotApplicable("the intent writes nothing")
    needs_key(trial)
    async with trial.world() as world:
        wanted = effect_of(await trial.effect(world))
    async with trial.world() as world:
        before = await world.state()
        world.store.fail_at(StoreStep("commit", 1), "after")
        lost = await world.submit(trial.call)
        await world.restart()
        retried = await world.submit(trial.call)
        final = effect_of(difference(before, await world.state()))
    trial.expect(lost.code is not None, f"the reply is lost, but the caller is answered {lost}")
    trial.expect(retried.is_replay, f"after the crash: {retried} instead of a replay")
    trial.expect(retried.execution_id == lost.execution_id, "after the crash: another execution")
    trial.expect(final == wanted, f"after crash and retry {final}, without a fault {wanted}")


def effect_of(delta: Delta) -> Shape:
    """The rows that a change is made of; recorded failures are no effect."""
    shape = delta.without("executions").shape
    completed = sum(row["status"] == "completed" for row in delta.came("executions"))
    return {**shape, "executions": (completed, 0)} if completed else shape
