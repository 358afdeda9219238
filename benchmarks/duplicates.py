"""Duplicates that arrive while the first still runs: how soon after its commit they have their answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.chats import send, start_chat
from benchmarks.opened import opened, run, scratch
from benchmarks.pace import Pace
from benchmarks.result import BrokenInvariantError, Result, at_most
from benchmarks.timing import percentile_99
from symphainy_platform import ExecutionResult, Platform
from symphainy_platform.context import SystemClock
from symphainy_platform.state.records import Commit, Outcome
from symphainy_platform.state.sqlite.store import SqliteStore

AT_ONCE = 8


class _TimedStore(SqliteStore):
    """Notes when the last commit was durable."""

    committed_at = 0.0

    async def commit(self, batch: Sequence[Commit]) -> Sequence[Outcome]:
        """Commit, then look at the clock."""
        outcomes = await super().commit(batch)
        self.committed_at = perf_counter()
        return outcomes


def measure(pace: Pace) -> list[Result]:
    """Send one update several times at once, again and again."""
    with scratch() as home:
        waits = run(_measured(pace, home))
    return [
        Result(
            measure="in-flight duplicate, p99 after the first commit",
            ours=percentile_99(waits) * 1e3,
            unit="ms",
            target=at_most(5),
            facts={"duplicates": len(waits), "executions": pace.duplicates},
        )
    ]


async def _measured(pace: Pace, home: Path) -> list[float]:
    store = _TimedStore(home / "platform.db", SystemClock())
    waits: list[float] = []
    async with opened(home, store=store) as platform:
        chat = await start_chat(platform, "ann", 10)
        for _ in range(pace.duplicates):
            params = chat.turn(full=False, history_limit=2)
            answers = await asyncio.gather(*[_timed(send(platform, chat, params)) for _ in range(AT_ONCE)])
            waits += _waits([answer for answer, _ in answers], [at - store.committed_at for _, at in answers])
        await _check_version(platform, chat.session_id, expected=1 + pace.duplicates, user=chat.identity)
    return waits


async def _timed(work: Any) -> tuple[ExecutionResult, float]:
    return await work, perf_counter()


def _waits(answers: list[ExecutionResult], waits: list[float]) -> list[float]:
    """The waits of those that were replays; all but one must be, with the same answer."""
    replays = [wait for answer, wait in zip(answers, waits, strict=True) if answer.idempotent_replay]
    shown = {repr((answer.execution_id, answer.artifacts, answer.events)) for answer in answers}
    if len(replays) != len(answers) - 1 or len(shown) != 1:
        msg = f"{len(answers)} duplicates gave {len(shown)} answers, {len(replays)} of them replays"
        raise BrokenInvariantError(msg)
    return replays


async def _check_version(platform: Platform, session_id: str, *, expected: int, user: Any) -> None:
    params = {"chat_session_id": session_id, "history_limit": 0}
    found = await platform.submit_intent("get_chat_session", params, identity=user)
    version = found.artifacts["chat_session"]["semantic_payload"]["version"]
    if version != expected:
        msg = f"the session is at version {version}, not {expected}: a duplicate had an effect of its own"
        raise BrokenInvariantError(msg)
