"""What a service may not do beside its writes: remember, or decide on what others have overwritten."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from symphainy_platform.contract.scenario import Fixture
from symphainy_platform.testing.checks.replay import needs_key
from symphainy_platform.testing.endings import NotApplicable
from symphainy_platform.testing.trial import Trial
from symphainy_platform.testing.variation import with_other_keys
from symphainy_platform.testing.world import Call, World

_SERIAL_CALLS = 3
_CALLERS = 8


async def stateless(trial: Trial) -> None:
    """A restart after each of several updates changes no result: state is in the store alone."""
    fixture = _updated(trial)
    calls = with_other_keys(trial, _SERIAL_CALLS)
    in_one_process = await _after(trial, fixture, calls)
    in_one_each = await _after(trial, fixture, calls, restarting=True)
    trial.expect(in_one_process == in_one_each, "the result depends on what the process has executed before")


async def lost_updates(trial: Trial) -> None:
    """Updates whose order does not matter have the same result when they come at once, from two processes."""
    fixture = _updated(trial)
    calls = with_other_keys(trial, _CALLERS)
    forward = await _after(trial, fixture, calls)
    if forward != await _after(trial, fixture, calls[::-1]):
        raise NotApplicable("the order of the updates matters")
    trial.expect(await _at_once(trial, fixture, calls) == forward, "an update is lost between concurrent writers")


def _updated(trial: Trial) -> Fixture:
    needs_key(trial)
    found = [fixture for fixture in trial.sample.given if fixture.artifact in trial.rules.updates]
    if not found:
        raise NotApplicable("the happy path updates no artifact")
    return found[0]


async def _after(trial: Trial, fixture: Fixture, calls: Sequence[Call], *, restarting: bool = False) -> Any:
    """What the artifact holds after these calls, one after the other."""
    async with trial.world() as world:
        for call in calls:
            await world.submit(call)
            if restarting:
                await world.restart()
        return await _content(trial, world, fixture)


async def _at_once(trial: Trial, fixture: Fixture, calls: Sequence[Call]) -> Any:
    async with trial.world() as world:
        platforms = (world.platform, await world.second_platform())
        submissions = (world.submit(call, platform=platforms[place % 2]) for place, call in enumerate(calls))
        await asyncio.gather(*submissions)
        return await _content(trial, world, fixture)


async def _content(trial: Trial, world: World, fixture: Fixture) -> Any:
    found = await world.artifact(trial.owner(world).tenant_id, fixture.id)
    return found and (found.version, found.lifecycle_state, found.semantic_payload, found.logs)
