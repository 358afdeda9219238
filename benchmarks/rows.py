"""Every row of `make bench`, in the order of the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import NamedTuple

from benchmarks import (
    agents_sdk,
    chat_bytes,
    chat_cpu,
    dbos_steps,
    dbos_throughput,
    duplicates,
    hot_session,
    http_submit,
    imports,
    large_tables,
    many_processes,
    overhead,
    postgres_throughput,
    session_cost,
    sqlite_throughput,
)
from benchmarks.pace import Pace
from benchmarks.result import MissingDependencyError, Result


class Row(NamedTuple):
    """One benchmark: the name that `--only` takes, what it shows, how it is measured."""

    name: str
    shows: str
    measure: Callable[[Pace], list[Result]]
    needs: str | None = None
    """A module that only the extra `bench` brings."""


ROWS = (
    Row("overhead", "runtime overhead", overhead.measure),
    Row("sqlite", "intents a second on SQLite, and p99", sqlite_throughput.measure),
    Row("postgres", "intents a second on Postgres", postgres_throughput.measure),
    Row("dbos", "intents a second on Postgres against DBOS", dbos_throughput.measure, dbos_steps.LIBRARY),
    Row("http", "HTTP submits", http_submit.measure),
    Row("session-cost", "cost of looking at the session", session_cost.measure),
    Row("duplicates", "in-flight duplicates", duplicates.measure),
    Row("chat-bytes", "bytes of a chat turn", chat_bytes.measure),
    Row("chat-cpu", "CPU of a chat turn", chat_cpu.measure),
    Row("agents-sdk", "CPU of a chat turn against the Agents SDK", agents_sdk.measure, agents_sdk.SDK),
    Row("hot-session", "fifty writers on one session", hot_session.measure),
    Row("hot-session-postgres", "fifty writers on one session, on Postgres", hot_session.measure_postgres),
    Row("processes", "four processes on one Postgres", many_processes.measure),
    Row("large-tables", "submits, listings and sweeps on large tables", large_tables.measure),
    Row("imports", "import time", imports.measure),
)


def check_dependencies(rows: Sequence[Row]) -> None:
    """Raise MissingDependencyError when a row cannot be measured here: before anything else is."""
    for row in rows:
        if row.needs and find_spec(row.needs) is None:
            msg = f"{row.shows}: the module {row.needs} is not installed; run pip install -e '.[bench]'"
            raise MissingDependencyError(msg)
