"""Submits, listings and sweeps with a million artifacts and 16 million events in the tables."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.chats import Chat, send, start_chat
from benchmarks.fill_tables import EVENTS_PER_ARTIFACT, SERVER, fill
from benchmarks.listings import seconds_of_first_pages
from benchmarks.opened import opened, run, scratch
from benchmarks.pace import Pace
from benchmarks.postgres_servers import database, durable_server, store_on
from benchmarks.result import BrokenInvariantError, Result, at_most, ratio_of_at_most
from benchmarks.timing import Load, drive, in_turns
from symphainy_platform import Platform
from symphainy_platform.context import SystemClock, isoformat
from symphainy_platform.state.postgres.store import PostgresStore
from symphainy_platform.state.store import Retention
from symphainy_platform.sweeping import PAUSE
from tests.servers.postgres import PostgresServer

_CALLERS = 8
_RETENTION = Retention(executions=30 * 86_400.0, outbox=7 * 86_400.0)


class _Side(NamedTuple):
    """A platform on one of the databases, and its next turn of one of the active sessions."""

    store: PostgresStore
    turn: Callable[[], Awaitable[Any]]


def measure(pace: Pace) -> list[Result]:
    """Measure in turns: full and empty tables, and full ones with a sweep and without."""
    with durable_server(SERVER) as server, scratch() as home:
        return run(_measured(pace, home, server))


async def _measured(pace: Pace, home: Path, server: PostgresServer) -> list[Result]:
    urls = [await database(server, name) for name in ("filled", "empty")]
    await fill(urls[0], pace.artifacts)
    async with AsyncExitStack() as stack:
        full, empty = [await stack.enter_async_context(_side(pace, home, url)) for url in urls]
        pages = await seconds_of_first_pages(full.store)
        submits = await in_turns(pace.rounds, lambda: _driven(pace, full), lambda: _driven(pace, empty))
        swept: list[int] = []
        sweeps = await in_turns(
            pace.rounds, lambda: _driven_while_sweeping(pace, full, swept), lambda: _driven(pace, full)
        )
    return [_against_empty(pace, submits), _slowest(pages), _against_none(sweeps, swept)]


@asynccontextmanager
async def _side(pace: Pace, home: Path, url: str) -> AsyncIterator[_Side]:
    """Open a platform, and start the active sessions; each takes one turn, so that none is a new one later."""
    store = store_on(url)
    async with opened(home, store=store) as platform:
        chats = [await start_chat(platform, f"active_{number}", 2) for number in range(pace.sessions)]
        turn = _turns(platform, chats)
        for _ in chats:
            await turn()
        yield _Side(store, turn)


def _turns(platform: Platform, chats: list[Chat]) -> Callable[[], Awaitable[Any]]:
    numbers = count()

    def turn() -> Awaitable[Any]:
        chat = chats[next(numbers) * 389 % len(chats)]
        return send(platform, chat, chat.turn(full=False, history_limit=0))

    return turn


def _driven(pace: Pace, side: _Side) -> Awaitable[Load]:
    return drive(_CALLERS, pace.seconds, side.turn)


async def _driven_while_sweeping(pace: Pace, side: _Side, swept: list[int]) -> Load:
    """Let a sweep go on meanwhile, with the steps and pauses of `Platform.sweep`."""
    sweeping = asyncio.create_task(_sweep(side.store, stop := asyncio.Event()))
    try:
        return await _driven(pace, side)
    finally:
        stop.set()
        swept.append(await sweeping)


async def _sweep(store: PostgresStore, stop: asyncio.Event) -> int:
    events = 0
    while not stop.is_set():
        step = await store.sweep(isoformat(SystemClock().now()), _RETENTION)
        events += step.events
        await asyncio.sleep(PAUSE)
    if not events:
        raise BrokenInvariantError("a sweep had nothing left to remove: more artifacts are needed")
    return events


def _against_empty(pace: Pace, loads: list[list[Load]]) -> Result:
    ours, theirs = _median_pair(loads)
    return Result(
        measure=f"submit with {pace.artifacts:,} artifacts and {pace.artifacts * EVENTS_PER_ARTIFACT:,} events, p50",
        ours=ours.p50 * 1e3,
        unit="ms",
        against="empty tables",
        theirs=theirs.p50 * 1e3,
        target=ratio_of_at_most(1.3),
        facts={"active sessions": pace.sessions, "callers": _CALLERS},
    )


def _against_none(loads: list[list[Load]], swept: list[int]) -> Result:
    ours, theirs = _median_pair(loads)
    return Result(
        measure="submit during a sweep of full tables, p50",
        ours=ours.p50 * 1e3,
        unit="ms",
        against="no sweep",
        theirs=theirs.p50 * 1e3,
        target=ratio_of_at_most(1.1),
        facts={"events swept": sum(swept)},
    )


def _median_pair(loads: list[list[Load]]) -> tuple[Load, Load]:
    """The pair with the median ratio: both sides of a pair met the same machine."""
    pairs = sorted(zip(*loads, strict=True), key=lambda pair: pair[0].p50 / pair[1].p50)
    return pairs[len(pairs) // 2]


def _slowest(pages: dict[str, float]) -> Result:
    slowest = max(pages, key=lambda name: pages[name])
    return Result(
        measure="full tables, first page of the slowest listing",
        ours=pages[slowest] * 1e3,
        unit="ms",
        target=at_most(50),
        facts={"listings": len(pages), "the slowest": slowest, "the next, ms": sorted(pages.values())[-2] * 1e3},
    )
