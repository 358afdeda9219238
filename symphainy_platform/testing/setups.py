"""Setups of contracts and journeys, played in a world before its example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symphainy_platform.contract.scenario import Setup, SetupStep, history
from symphainy_platform.testing.endings import Broken
from symphainy_platform.testing.matching import at_path, is_there
from symphainy_platform.testing.world import TICK, Call, Outcome, World


async def play_setup(world: World, setups: Mapping[str, Setup], name: str | None) -> None:
    """Play the setup of this name and those that it builds on; raises Broken when a step fails.

    The world then knows what the steps have saved, which secrets they have seen, and who its callers are.
    """
    for setup in history(setups, name):
        for number, step in enumerate(setup.steps, start=1):
            world.clock.advance(step.after if step.after is not None else TICK)
            await _take(world, step, f"step {number} of the setup ({step.intent})")
        world.cast = world.cast.after(setup, world.saved)


async def _take(world: World, step: SetupStep, place: str) -> None:
    if world.platform.contracts.newest(step.intent) is None:
        raise Broken(f"{place} has no service")
    outcome = await world.submit(Call(intent=step.intent, params=step.params, caller=step.caller))
    answers = _answers(outcome, place)
    for saved, path in step.save.items():
        if not is_there(answers, path):
            raise Broken(f"{place} answers nothing at {path}")
        world.saved[saved] = at_path(answers, path)


def _answers(outcome: Outcome, place: str) -> dict[str, Any]:
    if outcome.result is None:
        reason = outcome.error.message if outcome.error else ""
        raise Broken(f"{place} answers {outcome}: {reason}")
    return outcome.answers
