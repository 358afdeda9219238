"""Intents a second on Postgres, against DBOS Transact with one step that writes the same rows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.dbos_steps import DbosSteps
from benchmarks.opened import opened, run, scratch
from benchmarks.pace import Pace
from benchmarks.postgres_servers import database, durable_server, store_on
from benchmarks.postgres_throughput import Submit, submits
from benchmarks.result import Result, ratio_of_at_least
from benchmarks.timing import Load, drive, in_turns, median_rate
from tests.servers.postgres import PostgresServer

TARGETS = {1: 4.0, 8: 8.0, 32: 12.0}
"""By callers: the least ratio to DBOS with as many threads, its own CPU included."""


def measure(pace: Pace) -> list[Result]:
    """Compare throughput at each number of callers, each side in a database of its own on one server."""
    with durable_server() as server, scratch() as home:
        return run(_measured(pace, home, server))


async def _measured(pace: Pace, home: Path, server: PostgresServer) -> list[Result]:
    theirs = await database(server, "dbos")
    async with opened(home, store=store_on(server.url())) as platform:
        submit = submits(platform)
        with DbosSteps(theirs) as steps:
            return [await _compared(pace, callers, submit, steps) for callers in TARGETS]


async def _compared(pace: Pace, callers: int, submit: Submit, steps: DbosSteps) -> Result:
    sides: list[Callable[[], Awaitable[Load]]] = [
        lambda: drive(callers, pace.seconds, submit),
        lambda: asyncio.to_thread(steps.drive, callers, pace.seconds),
    ]
    ours, theirs = await in_turns(pace.rounds, *sides)
    return Result(
        measure=f"Postgres against DBOS, {'1 caller' if callers == 1 else f'{callers} callers'}",
        ours=median_rate(ours),
        unit="intents/s",
        against="DBOS Transact, one step",
        theirs=median_rate(theirs),
        target=ratio_of_at_least(TARGETS[callers]),
    )
