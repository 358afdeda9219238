"""Measuring: sides in turns, callers in closed loops, CPU per call, pauses of the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter, process_time
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


async def in_turns(rounds: int, *sides: Callable[[], Awaitable[T]]) -> list[list[T]]:
    """Measure A B A B …, so that whatever else the machine does meets all sides; one list per side."""
    measured: list[list[T]] = [[] for _ in sides]
    for _ in range(rounds):
        for figures, side in zip(measured, sides, strict=True):
            figures.append(await side())
    return measured


@dataclass(frozen=True, slots=True)
class Load:
    """What closed-loop callers achieved: calls a second, and each call's latency in seconds."""

    rate: float
    latencies: Sequence[float]

    @property
    def p50(self) -> float:
        """The median latency."""
        return median(self.latencies)

    @property
    def p99(self) -> float:
        """The latency that 99 of 100 calls stay within."""
        return percentile_99(self.latencies)


def median_rate(loads: Sequence[Load]) -> float:
    """The median over rounds of calls a second."""
    return median(load.rate for load in loads)


def percentile_99(values: Sequence[float]) -> float:
    """The 99th percentile; of very few values the largest."""
    return quantiles(values, n=100)[98] if len(values) > 1 else values[0]


async def drive(callers: int, seconds: float, submit: Callable[[], Awaitable[Any]]) -> Load:
    """Let so many callers submit for so long, each its next call when it has its answer."""
    latencies: list[float] = []
    began = perf_counter()

    async def call() -> None:
        while (start := perf_counter()) < began + seconds:
            await submit()
            latencies.append(perf_counter() - start)

    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(call())
    return Load(len(latencies) / (perf_counter() - began), latencies)


async def seconds_per_call(calls: int, submit: Callable[[], Awaitable[Any]]) -> float:
    """The wall time of one of `calls` calls in a row."""
    began = perf_counter()
    for _ in range(calls):
        await submit()
    return (perf_counter() - began) / calls


async def cpu_seconds(work: Awaitable[Any]) -> float:
    """The CPU time of one call, all threads of this process included."""
    began = process_time()
    await work
    return process_time() - began


class LongestPause:
    """Watches how long the event loop answers nobody: `async with LongestPause() as pause: …`."""

    TICK = 0.0005

    def __init__(self) -> None:
        """Start with no pause seen."""
        self.seconds = 0.0

    async def __aenter__(self) -> Self:
        """Start to watch."""
        self._watching = asyncio.create_task(self._watch())
        await asyncio.sleep(0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the last pause be seen, then stop."""
        await asyncio.sleep(self.TICK)
        self._watching.cancel()

    async def _watch(self) -> None:
        before = perf_counter()
        while True:
            await asyncio.sleep(self.TICK)
            now = perf_counter()
            self.seconds = max(self.seconds, now - before - self.TICK)
            before = now
