"""Bytes that a chat turn writes: a long conversation must cost no more than a short one."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.chats import Chat, send, start_chat
from benchmarks.opened import opened, run, scratch
from benchmarks.pace import Pace
from benchmarks.result import Result, ratio_of_at_most
from symphainy_platform import Platform

SHORT, LONG = 10, 5_000


class _Variant(NamedTuple):
    """What the frontend sends, and how much it asks back."""

    name: str
    full: bool
    history_limit: int | None


_VARIANTS = (
    _Variant("delta sent, history_limit", full=False, history_limit=20),
    _Variant("full history sent, history_limit", full=True, history_limit=20),
    _Variant("delta sent, whole history answered", full=False, history_limit=None),
    _Variant("full history sent and answered", full=True, history_limit=None),
)


def measure(pace: Pace) -> list[Result]:
    """Let a short and a long session take turns in one database, for each way to send and to ask."""
    with scratch() as home:
        return run(_measured(pace, home))


async def _measured(pace: Pace, home: Path) -> list[Result]:
    async with opened(home, prepare=_without_checkpoints) as platform:
        return [await _compared(pace, platform, home / "platform.db-wal", variant) for variant in _VARIANTS]


def _without_checkpoints(connection: sqlite3.Connection) -> None:
    """Let the log of the database only grow, so that its growth is what was written."""
    connection.execute("PRAGMA wal_autocheckpoint = 0")


async def _compared(pace: Pace, platform: Platform, wal: Path, variant: _Variant) -> Result:
    chats = [await start_chat(platform, f"{variant.name} {length}", length) for length in (SHORT, LONG)]
    written: list[list[int]] = [[], []]
    for _ in range(pace.turns):
        for figures, chat in zip(written, chats, strict=True):
            figures.append(await _bytes_of_turn(platform, wal, chat, variant))
    short, long = median(written[0]), median(written[1])
    return Result(
        measure=f"chat turn, bytes at N = {LONG:,}: {variant.name}",
        ours=long / 1024,
        unit="KiB",
        against=f"N = {SHORT}",
        theirs=short / 1024,
        target=ratio_of_at_most(1.5),
    )


async def _bytes_of_turn(platform: Platform, wal: Path, chat: Chat, variant: _Variant) -> int:
    params = chat.turn(full=variant.full, history_limit=variant.history_limit)
    before = _size(wal)
    await send(platform, chat, params)
    return _size(wal) - before


def _size(wal: Path) -> int:
    return wal.stat().st_size
