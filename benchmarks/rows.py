"""Every row of `make bench`, in the order of the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from benchmarks import (
    agents_sdk,
    chat_bytes,
    chat_cpu,
    duplicates,
    hot_session,
    http_submit,
    imports,
    overhead,
    sqlite_throughput,
)
from benchmarks.pace import Pace
from benchmarks.result import Result


class Row(NamedTuple):
    """One benchmark: the name that `--only` takes, what it shows, and how it is measured."""

    name: str
    shows: str
    measure: Callable[[Pace], list[Result]]


ROWS = (
    Row("overhead", "runtime overhead", overhead.measure),
    Row("sqlite", "intents a second on SQLite, and p99", sqlite_throughput.measure),
    Row("http", "HTTP submits", http_submit.measure),
    Row("duplicates", "in-flight duplicates", duplicates.measure),
    Row("chat-bytes", "bytes of a chat turn", chat_bytes.measure),
    Row("chat-cpu", "CPU of a chat turn", chat_cpu.measure),
    Row("agents-sdk", "CPU of a chat turn against the Agents SDK", agents_sdk.measure),
    Row("hot-session", "fifty writers on one session", hot_session.measure),
    Row("imports", "import time", imports.measure),
)
