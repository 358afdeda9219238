"""`symphainy audit`: what an operator sees of whole chains, and of others."""

import asyncio
import json
import sqlite3
from contextlib import closing

import pytest

from symphainy_platform.runtime.audit import Audit
from symphainy_platform.state.records import Commit
from symphainy_platform.state.sqlite.store import SqliteStore
from symphainy_platform.testing.store_suite import ManualClock
from symphainy_platform.testing.store_suite.samples import event, execution

TYPES = frozenset({"signed_in"})


@pytest.fixture
def database(tmp_path):
    """Six entries of acme, two of other, one event that waits; returns what runs a statement on the file."""
    (tmp_path / ".symphainy").mkdir()
    path = tmp_path / ".symphainy" / "platform.db"

    async def fill():
        store = SqliteStore(path, ManualClock())
        await store.migrate()
        await store.open()
        commits = [
            Commit(execution=execution(f"exec_{n}", tenant_id=tenant), events=(event("signed_in", n=n),))
            for n, tenant in enumerate(["acme"] * 6 + ["other"] * 2)
        ]
        await store.commit(commits)
        await Audit(store, TYPES).append()
        await store.commit([Commit(execution=execution("exec_9", tenant_id="acme"), events=(event("signed_in"),))])
        await store.close()

    def run(statement, *values):
        with closing(sqlite3.connect(path)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    asyncio.run(fill())
    return run


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.usefixtures("database")
def test_whole_chains_are_told_so(symphainy):
    done = symphainy("audit", "verify")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "acme: whole, 6 entries",
        "other: whole, 2 entries",
        "Not taken yet: 1 events; `serve`, `sweep` and `audit export` do that.",
    ]


def test_programs_get_json(symphainy, database):
    done = symphainy("audit", "verify", "--tenant", "other", "--json")
    found = json.loads(done.stdout)
    digest = database("SELECT hex(digest) FROM audit WHERE tenant_id = 'other' AND seq = 2")[0][0].lower()
    assert found == {
        "whole": True,
        "chains": [{"tenant_id": "other", "entries": 2, "digest": digest, "problems": []}],
        "waiting": 0,
    }


def test_without_audited_events_there_are_no_chains(symphainy):
    done = symphainy("audit", "verify")
    assert (done.returncode, done.stdout) == (0, "There are no audit chains yet.\n")
    assert lines_of(symphainy("audit", "export").stdout) == [{"heads": {}}]


def test_a_chain_that_was_tampered_with_is_exit_1_and_a_sentence_of_its_tenant(symphainy, database):
    database("DELETE FROM audit WHERE tenant_id = 'acme' AND seq = 3")
    done = symphainy("audit", "verify")
    assert done.returncode == 1
    broken, whole, _ = done.stdout.splitlines()
    assert broken.startswith("acme: NOT WHOLE: entry 3 is missing")
    assert whole == "other: whole, 2 entries"
    assert json.loads(symphainy("audit", "verify", "--json").stdout)["whole"] is False


def test_what_stands_in_a_chain_plays_no_tricks_on_the_terminal(symphainy, database):
    database("UPDATE audit SET tenant_id = char(27) || '[2J' || char(10) || 'x: whole' WHERE tenant_id = 'acme'")
    lines = symphainy("audit", "verify").stdout.splitlines()
    assert lines[0].startswith("\ufffd[2J\ufffdx: whole: NOT WHOLE")
    assert len(lines) == 4


@pytest.mark.usefixtures("database")
def test_an_export_is_the_entries_and_then_the_heads(symphainy):
    done = symphainy("audit", "export")
    assert done.returncode == 0, done.stderr
    *entries, last = lines_of(done.stdout)
    assert [(entry["tenant_id"], entry["seq"]) for entry in entries] == [
        *(("acme", seq) for seq in range(1, 8)),
        ("other", 1),
        ("other", 2),
    ]
    assert last == {
        "heads": {
            "acme": {"seq": 7, "digest": entries[6]["digest"]},
            "other": {"seq": 2, "digest": entries[8]["digest"]},
        }
    }
    assert entries[0]["event"]["type"] == "signed_in"


def test_a_later_verification_compares_with_an_export(symphainy, database, tmp_path):
    assert symphainy("audit", "export", "--out", "heads.jsonl").returncode == 0
    assert (tmp_path / "heads.jsonl").stat().st_mode & 0o777 == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"heads.jsonl", ".symphainy"}
    assert symphainy("audit", "verify", "--head", "heads.jsonl").returncode == 0
    database("DELETE FROM outbox")
    database("DELETE FROM audit WHERE tenant_id = 'acme' AND seq > 4")
    assert symphainy("audit", "verify").returncode == 0
    done = symphainy("audit", "verify", "--head", "heads.jsonl")
    assert done.returncode == 1
    assert "acme: NOT WHOLE: its end was cut off: it ends at entry 4, the exported head is entry 7" in done.stdout
    assert symphainy("audit", "verify", "--head", "heads.jsonl", "--tenant", "other").returncode == 0


@pytest.mark.usefixtures("database")
def test_an_export_of_one_tenant(symphainy):
    *entries, last = lines_of(symphainy("audit", "export", "--tenant", "other").stdout)
    assert [entry["tenant_id"] for entry in entries] == ["other"] * 2
    assert list(last["heads"]) == ["other"]


def test_a_broken_chain_is_exported_without_heads(symphainy, database):
    database("UPDATE audit SET body = 'no JSON' || char(10) WHERE tenant_id = 'acme' AND seq = 3")
    done = symphainy("audit", "export")
    assert done.returncode == 1
    assert "acme: entry 3 was changed" in done.stderr
    entries = lines_of(done.stdout)
    assert len(entries) == 9
    assert "event" in entries[1]
    assert entries[2]["body"] == "no JSON\n"


@pytest.mark.parametrize(
    "text", ["", "{}\n", '{"heads": 7}\n', '{"heads": {"a": {"seq": "1", "digest": "x"}}}', "\xff"]
)
def test_a_file_without_heads_is_a_wrong_word(symphainy, tmp_path, text):
    (tmp_path / "heads").write_text(text, "latin-1")
    done = symphainy("audit", "verify", "--head", "heads")
    assert done.returncode == 2
    assert "does not end with heads" in " ".join(done.stderr.split())


def test_a_place_that_cannot_be_written_is_a_sentence(symphainy):
    done = symphainy("audit", "export", "--out", "nowhere/export.jsonl")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
