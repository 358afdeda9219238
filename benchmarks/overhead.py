"""What the runtime adds to an intent that does nothing, on a store that keeps nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from statistics import median
from typing import Any

from benchmarks.memory_store import ForgetfulStore
from benchmarks.opened import caller, opened, run, scratch
from benchmarks.pace import Pace
from benchmarks.result import Result, at_most
from benchmarks.timing import in_turns, seconds_per_call
from symphainy_platform import Platform

_ABOUT = "0b6e9d1c-5f0a-4a3e-9c1d-2f7f3a1b8e55"


def measure(pace: Pace) -> list[Result]:
    """Compare a null service with a bare dict dispatch; a writing service only informs."""
    with scratch() as home:
        null, bare, writing = run(_measured(pace, home))
    against = "bare dict dispatch"
    return [
        Result(measure="runtime overhead, null service", ours=null, unit="µs", against=against, theirs=bare,
               target=at_most(60)),
        Result(measure="the same, initialize_chat_session", ours=writing, unit="µs", against=against, theirs=bare),
    ]  # fmt: skip


async def _measured(pace: Pace, home: Any) -> list[float]:
    async with opened(home, store=ForgetfulStore()) as platform:
        sides = [_null(platform), _bare(), _writing(platform)]
        for side in sides:
            await seconds_per_call(pace.calls // 10, side)
        figures = await in_turns(pace.rounds, *[lambda side=side: seconds_per_call(pace.calls, side) for side in sides])
    return [median(values) * 1e6 for values in figures]


def _null(platform: Platform) -> Callable[[], Awaitable[Any]]:
    numbers, identity = count(), caller("ann")

    def submit() -> Awaitable[Any]:
        params = {"note": f"note {next(numbers)}", "about": _ABOUT, "labels": ["a", "b"], "priority": 2}
        return platform.submit_intent("do_nothing", params, identity=identity)

    return submit


def _writing(platform: Platform) -> Callable[[], Awaitable[Any]]:
    numbers = count()

    def submit() -> Awaitable[Any]:
        params = {"initial_context": {"shared_intent": "plan a launch"}}
        return platform.submit_intent("initialize_chat_session", params, identity=caller(f"user_{next(numbers)}"))

    return submit


def _bare() -> Callable[[], Awaitable[Any]]:
    async def do_nothing(params: Mapping[str, Any]) -> dict[str, Any]:
        return {"done": bool(params)}

    handlers = {"do_nothing": do_nothing}
    numbers = count()

    def submit() -> Awaitable[Any]:
        params = {"note": f"note {next(numbers)}", "about": _ABOUT, "labels": ["a", "b"], "priority": 2}
        return handlers["do_nothing"](params)

    return submit
