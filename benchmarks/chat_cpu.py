"""CPU that one chat turn costs the server in a long conversation, and how long others must wait for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.asgi_call import body_of, submitter
from benchmarks.chats import Chat, start_chat
from benchmarks.opened import opened, run, scratch
from benchmarks.pace import Pace
from benchmarks.result import Result, Target, at_most
from benchmarks.timing import LongestPause, cpu_seconds
from symphainy_platform import Platform

LENGTH = 5_000


@dataclass(frozen=True, slots=True)
class _Variant:
    name: str
    full: bool
    history_limit: int | None
    target: Target


_VARIANTS = (
    _Variant("delta sent, history_limit", full=False, history_limit=20, target=at_most(2)),
    _Variant("full history sent, history_limit", full=True, history_limit=20, target=at_most(15)),
    _Variant("full history sent and answered", full=True, history_limit=None, target=at_most(15)),
)


@dataclass(slots=True)
class _Figures:
    """CPU milliseconds of each turn; of other turns, the longest pause of the event loop."""

    cpu: list[float] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)


def measure(pace: Pace) -> list[Result]:
    """Let one long session per variant take turns."""
    with scratch() as home:
        figures = run(_measured(pace, home))
    return [line for variant, measured in zip(_VARIANTS, figures, strict=True) for line in _lines(variant, measured)]


def _lines(variant: _Variant, figures: _Figures) -> list[Result]:
    turn = f"chat turn at N = {LENGTH:,}, {variant.name}"
    cpu = Result(measure=f"{turn}: server CPU", ours=median(figures.cpu), unit="ms", target=variant.target)
    if not variant.full:
        return [cpu]
    longest = {"longest pause, ms": max(figures.pauses)}
    pause = Result(measure=f"{turn}: loop blocked", ours=median(figures.pauses), unit="ms", facts=longest)
    return [cpu, pause]


async def _measured(pace: Pace, home: Path) -> list[_Figures]:
    async with opened(home) as platform:
        chats = [await start_chat(platform, variant.name, LENGTH) for variant in _VARIANTS]
        figures = [_Figures() for _ in _VARIANTS]
        for _ in range(pace.turns):
            for variant, chat, into in zip(_VARIANTS, chats, figures, strict=True):
                await _take_turns(platform, variant, chat, into)
    return figures


async def _take_turns(platform: Platform, variant: _Variant, chat: Chat, figures: _Figures) -> None:
    submit = submitter(platform, chat.identity)
    figures.cpu.append(await cpu_seconds(_turn(submit, variant, chat)) * 1e3)
    turn = _turn(submit, variant, chat)
    async with LongestPause() as pause:
        await turn
    figures.pauses.append(pause.seconds * 1e3)


def _turn(submit: Callable[[bytes], Awaitable[bytes]], variant: _Variant, chat: Chat) -> Awaitable[bytes]:
    """Make the body now, outside of what is measured; awaiting sends it."""
    params = chat.turn(full=variant.full, history_limit=variant.history_limit)
    return submit(body_of("update_chat_context", params))
