"""Fifty writers on one session, against a compare-and-swap loop by hand; neither may lose anything."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.chats import Chat, start_chat
from benchmarks.compare_and_swap import HotRow, Swapped
from benchmarks.opened import opened, run, scratch
from benchmarks.pace import Pace
from benchmarks.postgres_servers import durable_server, store_on
from benchmarks.postgres_swap import PostgresHotRow
from benchmarks.result import BrokenInvariantError, Result, ratio_of_at_least
from benchmarks.timing import in_turns
from symphainy_platform import Platform
from symphainy_platform.state.postgres.connections import Database
from symphainy_platform.state.sqlite.connection import DatabaseFile

WRITERS, UPDATES = 50, 10
TOTAL = WRITERS * UPDATES


def measure(pace: Pace) -> list[Result]:
    """Let all sides take the same 500 updates, each of one message and one key of a shared object."""
    with scratch() as home:
        return _lines("SQLite", 2, run(_measured(pace, home)))


def measure_postgres(pace: Pace) -> list[Result]:
    """Do the same on Postgres, both sides in one database."""
    with durable_server() as server, scratch() as home:
        return _lines("Postgres", 8, run(_measured_on_postgres(pace, home, Database(server.url()))))


def _lines(store: str, target: float, measured: list[list[Swapped]]) -> list[Result]:
    ours, column, log = measured
    for side, rounds in (("our session", ours), ("the JSON column", column), ("the head and its log", log)):
        _check(side, rounds)
    sides = (("one JSON column", column), ("a head and a log", log))
    return [_line(f"{store}, {WRITERS} writers ({shape})", target, ours, theirs) for shape, theirs in sides]


def _line(shape: str, target: float, ours: list[Swapped], theirs: list[Swapped]) -> Result:
    return Result(
        measure=f"hot session on {shape}",
        ours=median(side.rate for side in ours),
        unit="updates/s",
        against="compare-and-swap by hand",
        theirs=median(side.rate for side in theirs),
        target=ratio_of_at_least(target),
        facts={
            "messages kept": ours[-1].messages,
            "keys kept": ours[-1].keys,
            "their retries": theirs[-1].retries,
        },
    )


def _check(side: str, rounds: list[Swapped]) -> None:
    for kept in rounds:
        if (kept.messages, kept.keys) != (TOTAL, TOTAL):
            msg = f"{side} kept {kept.messages} messages and {kept.keys} keys of {TOTAL}"
            raise BrokenInvariantError(msg)


async def _measured(pace: Pace, home: Path) -> list[list[Swapped]]:
    rounds = count()

    async def by_hand(*, log: bool) -> Swapped:
        row = HotRow(DatabaseFile(home / f"swap_{next(rounds)}.db"), log)
        return await asyncio.to_thread(row.swap_all, WRITERS, UPDATES)

    async with opened(home) as platform:
        return await _in_turns(pace, platform, by_hand)


async def _measured_on_postgres(pace: Pace, home: Path, database: Database) -> list[list[Swapped]]:
    async def by_hand(*, log: bool) -> Swapped:
        return await PostgresHotRow(database, log).swap_all(WRITERS, UPDATES)

    async with opened(home, store=store_on(database.url)) as platform:
        return await _in_turns(pace, platform, by_hand)


async def _in_turns(pace: Pace, platform: Platform, by_hand: Callable[..., Awaitable[Swapped]]) -> list[list[Swapped]]:
    users = count()

    async def ours() -> Swapped:
        return await _hot(platform, await start_chat(platform, f"user_{next(users)}", 0))

    return await in_turns(pace.rounds, ours, lambda: by_hand(log=False), lambda: by_hand(log=True))


async def _hot(platform: Platform, chat: Chat) -> Swapped:
    began = perf_counter()
    async with asyncio.TaskGroup() as group:
        for writer in range(WRITERS):
            group.create_task(_write(platform, chat, writer))
    rate = TOTAL / (perf_counter() - began)
    params = {"chat_session_id": chat.session_id}
    found = await platform.submit_intent("get_chat_session", params, identity=chat.identity)
    return _kept(rate, found.artifacts["chat_session"]["semantic_payload"])


def _kept(rate: float, session: dict[str, Any]) -> Swapped:
    """Count what is there; a version per update, none twice and none left out."""
    if session["version"] != 1 + TOTAL:
        msg = f"{TOTAL} updates led to version {session['version']}"
        raise BrokenInvariantError(msg)
    context = session["context"]
    messages = {message["id"] for message in context["conversation_history"]}
    return Swapped(rate, len(messages), len(context["pillar_context"]["marks"]), retries=0)


async def _write(platform: Platform, chat: Chat, writer: int) -> None:
    for number in range(UPDATES):
        key = f"w{writer}_{number}"
        updates = {
            "conversation_history": [{"id": key, "role": "user", "content": f"message {key}"}],
            "pillar_context": {"marks": {key: True}},
        }
        params = {"chat_session_id": chat.session_id, "context_updates": updates, "history_limit": 0}
        await platform.submit_intent("update_chat_context", params, identity=chat.identity)
