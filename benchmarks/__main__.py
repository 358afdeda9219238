"""`python -m benchmarks [--quick] [--only NAME …] [--artifacts N] [--json FILE]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from benchmarks.opened import logs_to_nowhere
from benchmarks.pace import FULL, QUICK, Pace
from benchmarks.report import RESULTS, markdown, table, to_json
from benchmarks.result import BrokenInvariantError, MissingDependencyError, Result
from benchmarks.rows import ROWS, Row, check_dependencies


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and write what was asked for; 1 when an invariant broke, 2 when a library is missing.

    A missed target does not fail the run: on a busy or a small machine it says little by itself.
    """
    asked = _parser().parse_args(arguments)
    rows = [row for row in ROWS if not asked.only or row.name in asked.only]
    try:
        check_dependencies(rows)
        with logs_to_nowhere():
            results = _measured(rows, _pace(asked))
    except MissingDependencyError as error:
        return _failed(str(error), 2)
    except BrokenInvariantError as error:
        return _failed(f"An invariant is broken: {error}", 1)
    print(table(results))
    if asked.json:
        asked.json.write_bytes(to_json(results, quick=asked.quick))
    if len(rows) == len(ROWS) and not asked.quick and not asked.artifacts:
        RESULTS.write_text(markdown(results), encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Ratios from one run.")
    parser.add_argument("--quick", action="store_true", help="a short run that proves no figure, only that all works")
    parser.add_argument("--only", action="append", choices=[row.name for row in ROWS], help="this row; may be repeated")
    parser.add_argument("--artifacts", type=_count, metavar="N", help="size of the large tables, with 16 N events")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results to FILE, too")
    return parser


def _count(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError
    return number


def _pace(asked: argparse.Namespace) -> Pace:
    pace = QUICK if asked.quick else FULL
    return replace(pace, artifacts=asked.artifacts) if asked.artifacts else pace


def _measured(rows: Sequence[Row], pace: Pace) -> list[Result]:
    results: list[Result] = []
    for number, row in enumerate(rows, start=1):
        print(f"[{number}/{len(rows)}] {row.shows} ...", end=" ", file=sys.stderr, flush=True)
        began = perf_counter()
        results += row.measure(pace)
        print(f"{perf_counter() - began:.1f} s", file=sys.stderr, flush=True)
    return results


def _failed(sentence: str, code: int) -> int:
    print(f"\n{sentence}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
