"""Many at once: duplicates have one effect, and different writers lose nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from symphainy_platform.testing.checks.replay import needs_key
from symphainy_platform.testing.state import Delta, difference
from symphainy_platform.testing.trial import NotApplicable, Trial
from symphainy_platform.testing.variation import with_other_keys
from symphainy_platform.testing.world import Outcome, World

CALLERS = 8
"""How many submit at once."""

_NOT_FOR_WRITERS = frozenset(
    {"VERSION_CONFLICT", "CONTRACT_VIOLATION", "HANDLER_ERROR", "DATABASE_UNAVAILABLE", "EXECUTION_TIMEOUT"}
)


async def duplicates(trial: Trial) -> None:
    """Eight equal submissions in one process: one effect, eight equal answers."""
    needs_key(trial)
    await _one_effect(trial, processes=1)


async def processes(trial: Trial) -> None:
    """Eight equal submissions in two processes on one database."""
    needs_key(trial)
    await _one_effect(trial, processes=2)


async def writers(trial: Trial) -> None:
    """Eight different writers of one artifact in two processes: nobody must retry, no version is lost."""
    if not trial.rules.updates:
        raise NotApplicable("the intent updates no artifact")
    needs_key(trial)
    calls = with_other_keys(trial, CALLERS)
    async with trial.world() as world:
        other = await world.second_platform()
        before = await world.state()
        platforms = (world.platform, other)
        outcomes = await asyncio.gather(
            *(world.submit(call, platform=platforms[number % 2]) for number, call in enumerate(calls))
        )
        delta = difference(before, await world.state())
    for outcome in outcomes:
        trial.expect(outcome.code not in _NOT_FOR_WRITERS, f"a concurrent writer is answered {outcome}")
    _expect_every_version(trial, outcomes, delta)


def _expect_every_version(trial: Trial, outcomes: Sequence[Outcome], delta: Delta) -> None:
    """As many versions as writers that had an effect, each kept, each in an execution of its own."""
    written = [outcome.execution_id for outcome in outcomes if outcome.result and not outcome.is_replay]
    trial.expect(written, "no concurrent writer succeeds")
    trial.expect(len(set(written)) == len(written), "two writers are answered with one execution")
    grown = sum(row["version"] for row in delta.came("artifacts")) - sum(
        row["version"] for row in delta.went("artifacts")
    )
    trial.expect(grown == len(written), f"{len(written)} writers succeeded, the version grew by {grown}")
    kept = len(delta.came("artifact_versions"))
    trial.expect(kept == len(written), f"{len(written)} writers succeeded, {kept} overwritten versions are kept")


async def _one_effect(trial: Trial, processes: int) -> None:
    async with trial.world() as world:
        wanted = await trial.effect(world)
    async with trial.world() as world:
        before = await world.state()
        outcomes = await _at_once(trial, world, processes)
        delta = difference(before, await world.state())
    first = outcomes[0]
    for outcome in outcomes:
        trial.expect(outcome.code is None, f"a concurrent duplicate is answered {outcome}")
        trial.expect(outcome.execution_id == first.execution_id, "concurrent duplicates name different executions")
        trial.expect(outcome.answer == first.answer, "concurrent duplicates get different answers")
    firsts = [outcome for outcome in outcomes if outcome.result and not outcome.is_replay]
    trial.expect(len(firsts) == 1, f"{len(firsts)} of {CALLERS} duplicates claim to be the first")
    trial.expect(delta.shape == wanted.shape, f"{CALLERS} duplicates wrote {delta}; one writes {wanted}")


async def _at_once(trial: Trial, world: World, processes: int) -> list[Outcome]:
    platforms = [world.platform] + [await world.second_platform() for _ in range(1, processes)]
    submissions = (world.submit(trial.call, platform=platforms[number % processes]) for number in range(CALLERS))
    return list(await asyncio.gather(*submissions))
