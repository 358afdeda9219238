"""Intents a second on SQLite, against the same statements by hand; and how even the latencies are."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.hand_rows import hand_rows
from benchmarks.hand_writer import HandWriter
from benchmarks.opened import caller, opened, run, scratch
from benchmarks.pace import Pace
from benchmarks.result import BrokenInvariantError, Result, ratio_of_at_least, ratio_of_at_most
from benchmarks.timing import Load, drive, in_turns, median_rate
from symphainy_platform import Platform
from symphainy_platform.context import SystemClock
from symphainy_platform.state.sqlite.store import SqliteStore

CALLERS = (1, 8, 32)
Submit = Callable[[], Awaitable[Any]]

_WRITES = re.compile(r'(BEGIN IMMEDIATE|COMMIT|INSERT INTO|UPDATE|DELETE FROM)(?: "?(\w+))?')


def measure(pace: Pace) -> list[Result]:
    """Compare throughput at each number of callers; the last one also gives the latencies."""
    with scratch() as home:
        loads = run(_measured(pace, home))
    lines = [
        Result(
            measure=f"SQLite, {_callers(callers)}",
            ours=median_rate(ours),
            unit="intents/s",
            against="same statements by hand",
            theirs=median_rate(hand),
            target=ratio_of_at_least(0.6),
        )
        for callers, (ours, hand) in loads.items()
    ]
    return [*lines, _evenness(*loads[CALLERS[-1]])]


def _callers(number: int) -> str:
    return "1 caller" if number == 1 else f"{number} callers"


def _evenness(ours: list[Load], hand: list[Load]) -> Result:
    return Result(
        measure=f"SQLite, p99 at {_callers(CALLERS[-1])}",
        ours=median(load.p99 for load in ours) * 1e3,
        unit="ms",
        against="p50",
        theirs=median(load.p50 for load in ours) * 1e3,
        target=ratio_of_at_most(3),
        facts={"p99 / p50 of the hand-written side": median(load.p99 / load.p50 for load in hand)},
    )


async def _measured(pace: Pace, home: Path) -> dict[int, list[list[Load]]]:
    watched: list[sqlite3.Connection] = []
    hand_home = home / "hand"
    await SqliteStore(hand_home / "platform.db", SystemClock()).migrate()
    async with opened(home / "ours", prepare=watched.append) as platform:
        writer = HandWriter(hand_home / "platform.db")
        try:
            ours, hand = _ours(platform), _hand(writer)
            await _check_statements(watched, writer, ours, hand)
            return {callers: await _compared(pace, callers, ours, hand) for callers in CALLERS}
        finally:
            writer.close()


async def _compared(pace: Pace, callers: int, ours: Submit, hand: Submit) -> list[list[Load]]:
    return await in_turns(
        pace.rounds,
        lambda: drive(callers, pace.seconds, ours),
        lambda: drive(callers, pace.seconds, hand),
    )


def _ours(platform: Platform) -> Submit:
    numbers = count()

    def submit() -> Awaitable[Any]:
        params = {"initial_context": {"shared_intent": "plan a launch"}, "active_agent": "guide"}
        return platform.submit_intent("initialize_chat_session", params, identity=caller(f"user_{next(numbers):07}"))

    return submit


def _hand(writer: HandWriter) -> Submit:
    numbers = count()
    return lambda: writer.submit(hand_rows(f"user_{next(numbers):07}"))


async def _check_statements(watched: list[sqlite3.Connection], writer: HandWriter, ours: Submit, hand: Submit) -> None:
    """Make sure that both sides really write the same rows in the same way."""
    await ours()  # opens the connections
    seen = []
    for connections, submit in ((watched, ours), ([writer.connection], hand)):
        with _writes_of(connections) as statements:
            await submit()
        seen.append(statements)
    if seen[0] != seen[1]:
        msg = f"the hand-written side must write what the store writes: {seen[0]}, not {seen[1]}"
        raise BrokenInvariantError(msg)


@contextmanager
def _writes_of(connections: list[sqlite3.Connection]) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(statement: str) -> None:
        if found := _WRITES.match(statement):
            statements.append(" ".join(filter(None, found.groups())))

    _trace(connections, note)
    yield statements
    _trace(connections, None)


def _trace(connections: list[sqlite3.Connection], note: Callable[[str], None] | None) -> None:
    for connection in connections:
        with suppress(sqlite3.ProgrammingError):  # closed again: it was for a check or the migration
            connection.set_trace_callback(note)
