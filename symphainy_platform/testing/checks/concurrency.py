"""Many at once: duplicates have one effect, and different writers lose nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from symphainy_platform.testing.checks.faults import effect_of
from symphainy_platform.testing.checks.replay import needs_key
from symphainy_platform.testing.endings import Broken, NotApplicable
from symphainy_platform.testing.state import Delta, difference
from symphainy_platform.testing.trial import Trial
from symphainy_platform.testing.variation import with_other_keys
from symphainy_platform.testing.world import Outcome, World

CALLERS = 8
"""How many submit at once."""

_TURNS = (0, 1, 2, 4, 8, 16)
"""After how many turns of the event loop the first caller leaves: before, within and after its hand-over."""

_STRANDED_SECONDS = 5.0

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


async def cancelled(trial: Trial) -> None:
    """The first of four duplicates goes away, sooner or later: the others get one answer, and there is one effect."""
    needs_key(trial)
    async with trial.world() as world:
        wanted = effect_of(await trial.effect(world))
    for turns in _TURNS:
        async with trial.world() as world:
            before = await world.state()
            outcomes = await _left_alone(trial, world, turns)
            final = effect_of(difference(before, await world.state()))
        when = f"the first caller leaves after {turns} turns of the loop"
        trial.expect({outcome.code for outcome in outcomes} == {None}, f"{when}: the others are answered {outcomes[0]}")
        trial.expect(len({outcome.execution_id for outcome in outcomes}) == 1, f"{when}: several executions")
        trial.expect(final == wanted, f"{when}: {final} was written; one writes {wanted}")


async def _left_alone(trial: Trial, world: World, turns: int) -> list[Outcome]:
    """What three duplicates are answered when the one before them is cancelled; Broken when nothing comes."""
    first = asyncio.create_task(world.submit(trial.call))
    for _ in range(turns):
        await asyncio.sleep(0)
    others = [asyncio.create_task(world.submit(trial.call)) for _ in range(3)]
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    try:
        async with asyncio.timeout(_STRANDED_SECONDS):
            return list(await asyncio.gather(*others))
    except TimeoutError:
        raise Broken("a caller leaves, and the duplicates that wait behind it are stranded") from None


async def keyless(trial: Trial) -> None:
    """Eight equal submissions of an intent without a key, in two processes: each stands by itself, and none is torn."""
    if trial.rules.has_key:
        raise NotApplicable("the intent has a key: equal submissions are duplicates")
    if not trial.rules.has_writes:
        raise NotApplicable("the intent writes nothing")
    async with trial.world() as world:
        before = await world.state()
        outcomes = await _at_once(trial, world, processes=2)
        delta = difference(before, await world.state())
    for outcome in outcomes:
        trial.expect(outcome.code not in _NOT_FOR_WRITERS, f"a concurrent caller is answered {outcome}")
    trial.expect(any(outcome.result for outcome in outcomes), "no concurrent caller succeeds")
    _expect_kept_versions(trial, delta)


def _expect_kept_versions(trial: Trial, delta: Delta) -> None:
    """Every version that was overwritten is kept: as many as the artifacts that were there have grown."""
    new = {row["artifact_id"] for row in delta.came("artifacts")} - {
        row["artifact_id"] for row in delta.went("artifacts")
    }
    grown = sum(row["version"] for row in delta.came("artifacts")) - sum(
        row["version"] for row in delta.went("artifacts")
    )
    kept = len(delta.came("artifact_versions"))
    trial.expect(
        kept == grown - len(new), f"artifacts have grown by {grown}, {len(new)} are new, {kept} versions are kept"
    )


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
