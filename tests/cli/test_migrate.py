"""`symphainy migrate`: what is applied, up to where, and what is told of it."""

import re
from pathlib import Path

import pytest
from commands import good

from symphainy_platform.errors import StoreRefusedError
from symphainy_platform.state.postgres import migrate as postgres
from symphainy_platform.state.sqlite.migrate import known_steps
from symphainy_platform.state.steps import find_step

STEPS = list(known_steps())
FILE = Path(".symphainy") / "platform.db"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
DATED = ["20261120090000_tables", "20261120090100_commit", "20261120090200_upkeep"]


def status(symphainy):
    steps = good(symphainy("migrate", "--status", "--json"))["steps"]
    assert [step["name"] for step in steps] == STEPS
    assert all((step["applied_at"] is not None) == step["applied"] for step in steps)
    return [step["name"] for step in steps if step["applied"]]


def test_the_schema_grows_up_to_a_step(symphainy, tmp_path):
    assert status(symphainy) == []
    assert good(symphainy("migrate", "--to", "2", "--dry-run", "--json")) == {"steps": STEPS[:2], "applied": False}
    assert not (tmp_path / FILE).exists()
    assert good(symphainy("migrate", "--to", "0002_ep", "--json")) == {"steps": STEPS[:2], "applied": True}
    assert status(symphainy) == STEPS[:2]
    assert symphainy("migrate", "--to", "2").stdout == "Nothing to apply: the schema is at that step.\n"
    assert symphainy("migrate").stdout.split() == [word for step in STEPS[2:] for word in ("applied:", step)]
    assert status(symphainy) == STEPS


def test_a_schema_of_postgres_grows_up_to_a_step(symphainy, databases):
    there = ("--json", "--store", databases.url())
    first, *others = postgres.known_steps()
    assert good(symphainy("migrate", "--to", first.partition("_")[0], *there))["steps"] == [first]
    told = {step["name"]: step for step in good(symphainy("migrate", "--status", *there))["steps"]}
    assert [name for name, step in told.items() if not step["applied"]] == others
    assert re.fullmatch(TIME, told[first]["applied_at"])
    assert good(symphainy("migrate", "--dry-run", *there))["steps"] == others
    assert good(symphainy("migrate", *there))["steps"] == others
    assert f"never goes back to {first}" in refused(symphainy, "--to", first, *there)


def test_the_table_tells_times_where_there_are_some(symphainy):
    symphainy("migrate", "--to", STEPS[0])
    table = [line.replace("│", " ").split() for line in symphainy("migrate", "--status").stdout.splitlines()]
    assert [STEPS[1], "to", "apply"] in table
    (first,) = [row for row in table if row[:1] == STEPS[:1]]
    assert first[1] == "applied"
    assert re.fullmatch(TIME, first[2])


def refused(symphainy, *words):
    done = symphainy("migrate", *words)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.replace("│", " ").split())


def test_what_cannot_be_is_refused_with_a_sentence(symphainy, tmp_path):
    unknown = refused(symphainy, "--to", "0099_later")
    assert "'0099_later' is no step of the schema. The steps are: " + ", ".join(STEPS) in unknown
    assert not (tmp_path / FILE).exists()
    symphainy("migrate", "--to", "3")
    assert f"at {STEPS[2]} already, and never goes back to {STEPS[0]}" in refused(symphainy, "--to", "1")
    assert status(symphainy) == STEPS[:3]


@pytest.mark.parametrize("words", [("--to", "1"), ("--dry-run",)])
def test_a_status_applies_nothing(symphainy, words):
    assert "--status applies nothing" in refused(symphainy, "--status", *words)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (DATED[1], DATED[1]),
        ("20261120090100", DATED[1]),
        ("202611200902", DATED[2]),
        ("20261120090000_t", DATED[0]),
    ],
)
def test_a_step_is_meant_by_its_name_its_number_or_its_start(wanted, found):
    assert find_step(DATED, wanted) == found


@pytest.mark.parametrize(
    ("wanted", "fault"),
    [
        ("2026", "several steps"),
        ("", "several steps"),
        ("tables", "no step"),
        ("0", "no step"),
        ("9" * 5000, "no step"),
    ],
)
def test_words_that_mean_no_one_step_are_refused(wanted, fault):
    with pytest.raises(StoreRefusedError, match=fault):
        find_step(DATED, wanted)
