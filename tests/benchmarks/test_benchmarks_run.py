"""`make bench` still works: every row is produced, and what no figure may cost holds. No timing is asserted."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(600)  # the first test waits for the whole quick run

ROOT = Path(__file__).parents[2]
ROWS = [
    "overhead",
    "sqlite",
    "postgres",
    "http",
    "session-cost",
    "duplicates",
    "chat-bytes",
    "chat-cpu",
    "hot-session",
    "hot-session-postgres",
    "processes",
    "large-tables",
    "imports",
]
WITH_EXTRA = [row for row, module in (("agents-sdk", "agents"), ("dbos", "dbos")) if find_spec(module)]

WITHOUT_SDK = """
import sys
sys.modules["agents"] = None
from benchmarks.__main__ import main
sys.exit(main(["--quick", "--only", "agents-sdk"]))
"""


def run(*arguments):
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    file = tmp_path_factory.mktemp("bench") / "results.json"
    only = [argument for row in [*ROWS, *WITH_EXTRA] for argument in ("--only", row)]
    ran = run("-m", "benchmarks", "--quick", "--json", str(file), *only)
    assert ran.returncode == 0, ran.stderr
    return {result["measure"]: result for result in json.loads(file.read_bytes())["results"]}


def of(results, start):
    found = [result for measure, result in results.items() if measure.startswith(start)]
    assert found, f"no row starts with {start}"
    return found


@pytest.mark.parametrize(
    ("start", "lines"),
    [
        ("runtime overhead", 1),
        ("SQLite, ", 4),
        ("Postgres, ", 8),
        *([("Postgres against DBOS, ", 3)] if "dbos" in WITH_EXTRA else []),
        ("HTTP on SQLite", 2),
        ("HTTP get_chat_session under a session's token", 1),
        ("CPU of an HTTP get_chat_session", 3),
        ("in-flight duplicate", 1),
        ("chat turn, bytes", 4),
        ("chat turn at N = 5,000", 5),
        ("hot session on SQLite", 2),
        ("hot session on Postgres", 2),
        ("4 processes on one Postgres", 1),
        ("submit with 5,000 artifacts and 80,000 events", 1),
        ("submit during a sweep", 1),
        ("full tables, first page", 1),
        ("`import symphainy_platform`", 1),
    ],
)
def test_every_row_is_produced(results, start, lines):
    assert len(of(results, start)) == lines


def test_every_figure_is_positive(results):
    assert all(result["ours"] > 0 for measure, result in results.items() if "blocked" not in measure)


def test_a_hot_session_loses_nothing(results):
    for line in of(results, "hot session"):
        assert line["facts"]["messages kept"] == line["facts"]["keys kept"] == 500


def test_a_long_conversation_writes_no_more_than_a_short_one(results):
    assert {line["measure"]: line["ratio"] for line in of(results, "chat turn, bytes") if line["ratio"] > 1.5} == {}


def test_duplicates_are_replays_of_one_execution(results):
    (line,) = of(results, "in-flight duplicate")
    assert line["facts"]["duplicates"] == 7 * line["facts"]["executions"]


def test_a_quick_run_leaves_the_results_file_alone():
    file = ROOT / "benchmarks" / "RESULTS.md"
    before = file.read_bytes() if file.exists() else None
    assert run("-m", "benchmarks", "--quick", "--only", "imports").returncode == 0
    assert (file.read_bytes() if file.exists() else None) == before


def test_a_missing_library_is_named_with_the_remedy():
    ran = run("-c", WITHOUT_SDK)
    assert ran.returncode == 2
    assert "Agents SDK" in ran.stderr
    assert "pip install -e '.[bench]'" in ran.stderr


def test_an_unknown_row_is_refused():
    assert run("-m", "benchmarks", "--only", "nothing").returncode == 2
