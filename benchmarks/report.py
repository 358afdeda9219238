"""The table on the terminal, RESULTS.md and the JSON file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson

from benchmarks.machine import describe_machine
from benchmarks.result import Result

RESULTS = Path(__file__).with_name("RESULTS.md")
_HEADINGS = ("measure", "ours", "against", "theirs", "ratio", "target", "met")
_WORDS = {True: "yes", False: "NO", None: "-"}
_INTRODUCTION = """# Benchmark results

Written by `make bench`. Both sides of a line were measured in the same run, in turns; only the ratio is
meant to hold elsewhere. Nothing is traded for speed: `synchronous=FULL` and Postgres's own durability on both sides,
and our side always validates, computes its key, commits execution, artifact, row and event durably, and logs a line.
Where the time goes when a target is not reached: [PROFILE.md](PROFILE.md).
"""


def table(results: Sequence[Result]) -> str:
    """Return the results as aligned columns."""
    rows = [_HEADINGS, *map(_cells, results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    rule = tuple("─" * width for width in widths)
    return "\n".join(_line(row, widths) for row in (_HEADINGS, rule, *rows[1:]))


def markdown(results: Sequence[Result]) -> str:
    """Return RESULTS.md."""
    machine = ", ".join(f"{name} {value}" for name, value in describe_machine().items())
    rows = [_HEADINGS, ("---",) * len(_HEADINGS), *map(_cells, results)]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([_INTRODUCTION, f"Taken on: {machine}.", "", *lines, *_counted(results), ""])


def to_json(results: Sequence[Result], *, quick: bool) -> bytes:
    """Return everything that was measured, for programs."""
    document: dict[str, Any] = {
        "machine": describe_machine(),
        "quick": quick,
        "results": [result.to_dict() for result in results],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def _counted(results: Iterable[Result]) -> list[str]:
    lines = [
        f"- {result.measure}: {', '.join(f'{name} {_number(value)}' for name, value in result.facts.items())}"
        for result in results
        if result.facts
    ]
    return ["", "Counted on the way:", "", *lines] if lines else []


def _cells(result: Result) -> tuple[str, ...]:
    return (
        result.measure,
        _figure(result.ours, result.unit),
        result.against or "-",
        "-" if result.theirs is None else _figure(result.theirs, result.unit),
        "-" if result.ratio is None else f"{result.ratio:.2f}",
        _target(result),
        _WORDS[result.met],
    )


def _target(result: Result) -> str:
    if result.target is None:
        return "-"
    return f"{result.target} {result.unit}" if result.target.of == "ours" else str(result.target)


def _figure(value: float, unit: str) -> str:
    return f"{_number(value)} {unit}"


def _number(value: Any) -> str:
    if not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if isinstance(value, int) or abs(value) >= 100 else f"{value:.3g}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
