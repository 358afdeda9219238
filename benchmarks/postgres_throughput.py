"""Intents a second on Postgres, against pgbench calling the same function; and what one costs in CPU."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, NamedTuple

from benchmarks.opened import caller, opened, run, scratch
from benchmarks.pace import Pace
from benchmarks.pgbench import Pgbench
from benchmarks.postgres_servers import durable_server, store_on
from benchmarks.result import Result, at_most, ratio_of_at_least, ratio_of_at_most
from benchmarks.timing import Load, drive, in_turns, median_rate
from symphainy_platform import Platform
from symphainy_platform.state.postgres.store import PostgresStore
from symphainy_platform.state.records import Commit
from tests.servers.postgres import PostgresServer

TARGETS = {1: 0.65, 8: 1.3, 32: 1.8, 128: 3.0}
"""By callers: the least ratio to pgbench with as many clients."""
_BATCH = 64
_WATCHED = 32
"""Callers at which CPU and latencies are looked at."""

Submit = Callable[[], Awaitable[Any]]


class _Measured(NamedTuple):
    """One side's load, and the CPU seconds of an intent in this process and in the server's."""

    load: Load
    client: float
    server: float


def measure(pace: Pace) -> list[Result]:
    """Compare throughput at each number of callers; CPU and latencies at 32."""
    with durable_server() as server, scratch() as home:
        return run(_measured(pace, home, server))


async def _measured(pace: Pace, home: Path, server: PostgresServer) -> list[Result]:
    store = store_on(server.url())
    async with opened(home, store=store) as platform:
        submit = submits(platform)
        pgbench = Pgbench(server, "postgres")
        await pgbench.prepare(await _an_intent(store, submit), store.tables, (1, _BATCH))
        lines = []
        for callers in TARGETS:
            lines += await _compared(pace, callers, server, submit, pgbench)
        return lines


async def _compared(pace: Pace, callers: int, server: PostgresServer, submit: Submit, pgbench: Pgbench) -> list[Result]:
    sides: list[Callable[[], Awaitable[Any]]] = [
        lambda: _driven(callers, pace.seconds, server, submit),
        lambda: pgbench.rate(callers, pace.seconds),
    ]
    if callers == max(TARGETS):
        sides.append(lambda: pgbench.rate(4, pace.seconds, _BATCH))
    ours, *theirs = await in_turns(pace.rounds, *sides)
    rate = median_rate([each.load for each in ours])
    who = "1 caller" if callers == 1 else f"{callers} callers"
    lines = [_line(who, rate, "pgbench, same function", median(theirs[0]), TARGETS[callers])]
    batched = f"{who}, once more"
    lines += [_line(batched, rate, f"pgbench, {_BATCH} intents a call", median(each), 0.5) for each in theirs[1:]]
    return [*lines, *_at_32(ours)] if callers == _WATCHED else lines


def _line(who: str, rate: float, against: str, theirs: float, target: float) -> Result:
    return Result(
        measure=f"Postgres, {who}",
        ours=rate,
        unit="intents/s",
        against=against,
        theirs=theirs,
        target=ratio_of_at_least(target),
    )


def _at_32(ours: list[_Measured]) -> list[Result]:
    """The CPU of an intent, with the whole runtime in the client's; and how even the latencies are."""
    return [
        Result(
            measure=f"Postgres, p99 at {_WATCHED} callers",
            ours=median(each.load.p99 for each in ours) * 1e3,
            unit="ms",
            against="p50",
            theirs=median(each.load.p50 for each in ours) * 1e3,
            target=ratio_of_at_most(3),
        ),
        Result(
            measure=f"Postgres, server CPU at {_WATCHED} callers",
            ours=median(each.server for each in ours) * 1e6,
            unit="µs/intent",
            target=at_most(140),
        ),
        Result(
            measure=f"Postgres, client CPU at {_WATCHED} callers, runtime included",
            ours=median(each.client for each in ours) * 1e6,
            unit="µs/intent",
        ),
    ]


async def _driven(callers: int, seconds: float, server: PostgresServer, submit: Submit) -> _Measured:
    client, served = process_time(), server.cpu_seconds()
    load = await drive(callers, seconds, submit)
    intents = len(load.latencies)
    return _Measured(load, (process_time() - client) / intents, (server.cpu_seconds() - served) / intents)


def submits(platform: Platform) -> Submit:
    """Return what submits the next user's `initialize_chat_session`."""
    numbers = count()

    def submit() -> Awaitable[Any]:
        params = {"initial_context": {"shared_intent": "plan a launch"}, "active_agent": "guide"}
        return platform.submit_intent("initialize_chat_session", params, identity=caller(f"user_{next(numbers):07}"))

    return submit


async def _an_intent(store: PostgresStore, submit: Submit) -> Commit:
    """What one submission writes."""
    seen: list[Commit] = []
    commit = store.commit

    async def watched(batch: Any) -> Any:
        seen.extend(batch)
        return await commit(batch)

    store.commit = watched  # type: ignore[method-assign]
    await submit()
    store.commit = commit  # type: ignore[method-assign]
    return seen[0]
