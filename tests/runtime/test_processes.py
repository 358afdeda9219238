"""Several processes on one file: no update is lost, and no caller has to try again."""

import subprocess
import sys
from pathlib import Path

import pytest

WRITERS = Path(__file__).with_name("writers.py")


@pytest.mark.parametrize("processes", [2, 4])
def test_writers_of_several_processes_lose_nothing(tmp_path, database, processes):
    turns, writers = 5, 40 // processes
    running = [started(tmp_path, f"p{number}", writers, turns) for number in range(processes)]
    for process in running:
        assert process.stdout.readline() == "ready\n"
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        _, problems = process.communicate(timeout=60)
        assert (process.returncode, problems) == (0, "")
    assert database("SELECT version FROM artifacts") == [(201,)]
    log = "SELECT count(DISTINCT entry_key), max(seq) FROM artifact_log WHERE log = 'conversation_history'"
    assert database(log) == [(200, 200)]
    assert database("SELECT status, count(*) FROM executions GROUP BY 1") == [("completed", 201)]
    events = database("SELECT json_extract(payload, '$.version') FROM outbox ORDER BY id")
    assert events == [(n,) for n in range(1, 202)]


def started(home, name, writers, turns):
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, WRITERS, home, name, str(writers), str(turns)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
