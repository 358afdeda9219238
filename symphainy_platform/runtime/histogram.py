"""Stage durations, counted as cheaply as a list allows and shown in Prometheus' form when asked."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds, in seconds."""


class StageSeconds(Collector):
    """A histogram of seconds per stage.

    The client library's own histogram costs 2 µs an observation, ten times a stage of a small
    intent; there are ten observations an intent. Written by the event loop's thread only.
    """

    def __init__(self) -> None:
        """Start with no stage."""
        self._counts: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}

    def observe(self, started: float, marks: Iterable[tuple[str, float]]) -> None:
        """Count the stages of one execution: when it started, and when each of its stages ended."""
        counted, sums, before = self._counts, self._sums, started
        for stage, ended in marks:
            if stage not in counted:
                counted[stage], sums[stage] = [0] * (len(BUCKETS) + 1), 0.0
            seconds, before = ended - before, ended
            counted[stage][bisect_left(BUCKETS, seconds)] += 1
            sums[stage] += seconds

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the one metric, cumulative as the format wants it."""
        metric = HistogramMetricFamily("symphainy_stage_seconds", "Seconds in each stage.", labels=["stage"])
        for stage, counts in list(self._counts.items()):
            metric.add_metric([stage], _cumulative(counts), self._sums[stage])
        yield metric


def _cumulative(counts: list[int]) -> list[tuple[str, float]]:
    total, buckets = 0, []
    for bound, count in zip([*map(str, BUCKETS), "+Inf"], counts, strict=True):
        total += count
        buckets.append((bound, float(total)))
    return buckets
