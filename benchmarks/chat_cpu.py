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
    """Let one long session per variant take its turns, one variant after the other."""
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
        tabs = [await _opened_tab(platform, variant) for variant in _VARIANTS]
        for tab in tabs:
            await tab.take_turns(pace.turns)
    return [tab.figures for tab in tabs]


@dataclass(slots=True)
class _Tab:
    """A frontend with its session, and what its turns cost."""

    variant: _Variant
    chat: Chat
    submit: Callable[[bytes], Awaitable[bytes]]
    figures: _Figures = field(default_factory=_Figures)

    async def take_turns(self, turns: int) -> None:
        """Take turns to see their CPU, then others to see the pauses: watching costs CPU, too."""
        for _ in range(turns):
            self.figures.cpu.append(await cpu_seconds(self._turn()) * 1e3)
        for _ in range(turns):
            turn = self._turn()
            async with LongestPause() as pause:
                await turn
            self.figures.pauses.append(pause.seconds * 1e3)

    def _turn(self) -> Awaitable[bytes]:
        """Make the body now, outside of what is measured; awaiting sends it."""
        params = self.chat.turn(full=self.variant.full, history_limit=self.variant.history_limit)
        return self.submit(body_of("update_chat_context", params))


async def _opened_tab(platform: Platform, variant: _Variant) -> _Tab:
    chat = await start_chat(platform, variant.name, LENGTH)
    return _Tab(variant, chat, await submitter(platform, chat.identity))
