"""How long to measure: a full run for figures, a quick one to see that everything still works."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Lengths of one run. A round is one turn of every side; the medians are over rounds."""

    rounds: int
    seconds: float
    """One side's share of one round, where throughput is measured."""
    calls: int
    """One side's calls in one round, where single calls are timed."""
    turns: int
    """Chat turns of one session."""
    duplicates: int
    """How often a burst of duplicates is sent."""
    imports: int
    """How many fresh interpreters import the package."""
    artifacts: int
    """Artifacts in the tables of the row on large tables, with 16 events for each."""
    sessions: int
    """Active sessions of that row."""


FULL = Pace(
    rounds=5, seconds=1.5, calls=3_000, turns=21, duplicates=150, imports=9, artifacts=1_000_000, sessions=1_000
)
QUICK = Pace(rounds=1, seconds=0.25, calls=150, turns=5, duplicates=10, imports=1, artifacts=5_000, sessions=50)
