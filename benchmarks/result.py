"""What a benchmark row says: our figure, the figure that it is held against, and the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


class BrokenInvariantError(Exception):
    """Something that no figure may cost: an update was lost, an answer differed. The run fails."""


class MissingDependencyError(Exception):
    """A library that a row compares with is not installed. The run fails, it never skips silently."""


@dataclass(frozen=True, slots=True)
class Target:
    """A limit on the ratio (ours : theirs), or on our figure alone."""

    of: Literal["ratio", "ours"]
    bound: Literal["least", "most"]
    limit: float

    def met_by(self, value: float) -> bool:
        """Tell whether a figure keeps the limit."""
        return value >= self.limit if self.bound == "least" else value <= self.limit

    def __str__(self) -> str:
        """Write it as the table shows it."""
        sign = "≥" if self.bound == "least" else "≤"
        return f"{sign} {self.limit:g}"


def ratio_of_at_least(limit: float) -> Target:
    """Ours divided by theirs must reach `limit`."""
    return Target("ratio", "least", limit)


def ratio_of_at_most(limit: float) -> Target:
    """Ours divided by theirs must stay within `limit`."""
    return Target("ratio", "most", limit)


def at_most(limit: float) -> Target:
    """Our own figure must stay within `limit`, in the row's unit."""
    return Target("ours", "most", limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One line of the table. Without `theirs` there is no ratio; without a target it informs only."""

    measure: str
    ours: float
    unit: str
    against: str = ""
    theirs: float | None = None
    target: Target | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What was counted beside the figures: kept messages, retries, longest pause, …"""

    @property
    def ratio(self) -> float | None:
        """Ours divided by theirs."""
        return self.ours / self.theirs if self.theirs else None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None for a line that only informs."""
        if self.target is None:
            return None
        value = self.ratio if self.target.of == "ratio" else self.ours
        return value is not None and self.target.met_by(value)

    def to_dict(self) -> dict[str, Any]:
        """Return the line as JSON."""
        return {
            "measure": self.measure,
            "ours": self.ours,
            "unit": self.unit,
            "against": self.against,
            "theirs": self.theirs,
            "ratio": self.ratio,
            "target": str(self.target) if self.target else None,
            "met": self.met,
            "facts": dict(self.facts),
        }
