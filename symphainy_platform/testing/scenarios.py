"""The examples of contracts and the scenarios of journeys, each one executed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

from symphainy_platform.context import Identity
from symphainy_platform.contract.catalog import Catalog
from symphainy_platform.contract.journey import Journey
from symphainy_platform.contract.scenario import Scenario
from symphainy_platform.runtime.resolve import Routes
from symphainy_platform.testing.play import Play
from symphainy_platform.testing.state import Row
from symphainy_platform.testing.trial import Trial
from symphainy_platform.testing.world import Call, World, Worlds

JourneyCheck = Callable[[Worlds], Awaitable[list[str]]]


def example(name: str) -> Callable[[Trial], Awaitable[None]]:
    """The check that plays one example of the contract under test."""

    async def check(trial: Trial) -> None:
        contract = trial.contract
        async with trial.worlds.new() as world:
            play = Play(
                world=world,
                routes=trial.subject.routes,
                catalog=trial.subject.catalog,
                given=contract,
                intent=contract.intent,
                version=contract.version,
            )
            await play.run(contract.examples[name])
        trial.problems.extend(play.problems)

    return check


def journey_checks(journey: Journey, routes: Routes, catalog: Catalog) -> Iterator[tuple[str, JourneyCheck]]:
    """Every scenario as written; every happy one also with a store that breaks at each of its steps."""
    for name, scenario in journey.scenarios.items():
        yield f"scenario.{name}", _as_written(journey, scenario, routes, catalog)
        if scenario.kind == "happy":
            for number in range(1, len(scenario.all_steps) + 1):
                yield (
                    f"scenario.{name}.broken_store_at_{number}",
                    _broken_at(number, journey, scenario, routes, catalog),
                )


def _as_written(journey: Journey, scenario: Scenario, routes: Routes, catalog: Catalog) -> JourneyCheck:
    async def check(worlds: Worlds) -> list[str]:
        async with worlds.new() as world:
            play = Play(world=world, routes=routes, catalog=catalog, given=journey)
            await play.run(scenario)
            return [*play.problems, *await _progress_faults(world, journey, play)]

    return check


def _broken_at(number: int, journey: Journey, scenario: Scenario, routes: Routes, catalog: Catalog) -> JourneyCheck:
    async def check(worlds: Worlds) -> list[str]:
        async with worlds.new() as world:
            play = Play(world=world, routes=routes, catalog=catalog, given=journey)
            await play.run(scenario, failing_first=number)
            return play.problems

    return check


async def _progress_faults(world: World, journey: Journey, play: Play) -> list[str]:
    """The runtime says of the owner's journey exactly what the scenario and its setup have done of it.

    On whose behalf a public intent ran is seen in its record.
    """
    owner = world.identity(Call(intent=journey.intents[0], params={}))
    if owner is None:
        return []
    shown = await world.platform.read.journey(journey.id, identity=owner)
    steps = {step["intent"]: step["completed"] for step in shown["steps"]}
    rows = (await world.state()).rows("executions")
    on_behalf = {row["intent_type"] for row in rows if _is_done_by(owner, row)}
    done = play.completed | on_behalf
    wanted = journey.progress(done)
    if (steps, shown["complete"]) == (dict(wanted.steps), wanted.complete):
        return []
    return [f"the journey's progress is {steps}, complete {shown['complete']}; done were {sorted(done)}"]


def _is_done_by(owner: Identity, execution: Row) -> bool:
    of = (execution["tenant_id"], execution["user_id"], execution["status"])
    return of == (owner.tenant_id, owner.user_id, "completed")
