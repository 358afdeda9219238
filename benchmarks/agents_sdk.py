"""CPU of a chat turn against the OpenAI Agents SDK, whose session only appends the two items."""

from __future__ import annotations

import importlib
import sqlite3
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.chats import message, send, start_chat
from benchmarks.opened import opened, run, scratch
from benchmarks.pace import Pace
from benchmarks.result import BrokenInvariantError, Result, ratio_of_at_most
from benchmarks.timing import cpu_seconds
from symphainy_platform import Platform

LENGTH = 5_000
SDK = "agents"
"""The module of the PyPI package openai-agents, which the extra `bench` installs."""
_FULL = 2


def measure(pace: Pace) -> list[Result]:
    """Let both append two messages in turn to conversations of the same length."""
    sdk = importlib.import_module(SDK)
    with scratch() as home:
        ours, theirs = run(_measured(pace, home, sdk))
    return [
        Result(
            measure=f"chat turn (delta) at N = {LENGTH:,}, CPU",
            ours=ours,
            unit="ms",
            against="Agents SDK SQLiteSession.add_items",
            theirs=theirs,
            target=ratio_of_at_most(1),
        )
    ]


async def _measured(pace: Pace, home: Path, sdk: Any) -> tuple[float, float]:
    path = home / "agents.db"
    session = sdk.SQLiteSession("bench", path)
    _check_durability(path)
    await session.add_items([_item(number) for number in range(LENGTH)])
    try:
        async with opened(home) as platform:
            return await _compared(pace.turns * 4, platform, session)
    finally:
        session.close()


async def _compared(turns: int, platform: Platform, session: Any) -> tuple[float, float]:
    chat = await start_chat(platform, "ann", LENGTH)
    ours, theirs = [], []
    for number in range(LENGTH, LENGTH + 2 * turns, 2):
        params = chat.turn(full=False, history_limit=2)
        ours.append(await cpu_seconds(send(platform, chat, params)))
        theirs.append(await cpu_seconds(session.add_items([_item(number), _item(number + 1)])))
    return median(ours) * 1e3, median(theirs) * 1e3


def _item(number: int) -> dict[str, str]:
    body = message(number)
    return {"role": body["role"], "content": body["content"]}


def _check_durability(path: Path) -> None:
    """Their connections keep SQLite's default; only as long as that is FULL, the sides are equal."""
    connection = sqlite3.connect(path)
    try:
        (level,) = connection.execute("PRAGMA synchronous").fetchone()
    finally:
        connection.close()
    if level != _FULL:
        msg = f"the Agents SDK would write with synchronous = {level} here, we with {_FULL}"
        raise BrokenInvariantError(msg)
