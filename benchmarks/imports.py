"""What `import symphainy_platform` costs, and that it brings no optional part along."""

from __future__ import annotations

import subprocess
import sys
from statistics import median

import orjson

from benchmarks.pace import Pace
from benchmarks.result import BrokenInvariantError, Result, at_most

OPTIONAL = frozenset({"supabase", "asyncpg", "starlette", "uvicorn", "typer"})

_PROGRAM = """
import sys, time
began = time.perf_counter()
{statement}
took = time.perf_counter() - began
import json
print(json.dumps({{"seconds": took, "modules": sorted({{name.partition(".")[0] for name in sys.modules}})}}))
"""


def measure(pace: Pace) -> list[Result]:
    """Import in fresh interpreters; the second line is what the first use of the platform adds."""
    package, names = "import symphainy_platform", "from symphainy_platform import Platform, Settings"
    return [
        Result(measure=f"`{package}`", ours=_milliseconds(package, pace.imports), unit="ms", target=at_most(300)),
        Result(measure=f"`{names}`", ours=_milliseconds(names, pace.imports), unit="ms"),
    ]


def _milliseconds(statement: str, times: int) -> float:
    return median(_import_once(statement) for _ in range(times)) * 1e3


def _import_once(statement: str) -> float:
    program = [sys.executable, "-c", _PROGRAM.format(statement=statement)]
    said = orjson.loads(subprocess.run(program, check=True, capture_output=True).stdout)  # noqa: S603 - our own
    if brought := OPTIONAL.intersection(said["modules"]):
        msg = f"`{statement}` imports {', '.join(sorted(brought))}, which only their users should pay for"
        raise BrokenInvariantError(msg)
    seconds: float = said["seconds"]
    return seconds
