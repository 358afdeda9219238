"""`symphainy copy`: a whole store into an empty one, between all sorts, killed at any moment, verified."""

import itertools
import json
import secrets
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import asyncpg
import orjson
import pytest
from lived_in import ANN, check_copy, live, opened, run, submit

from symphainy_platform.cli.copying import _opened
from symphainy_platform.errors import StoreRefusedError
from symphainy_platform.state.transfer import MOST_BYTES, CopyDiffersError, Copying, Progress
from symphainy_platform.testing.clock import ManualClock

SYMPHAINY = (sys.executable, "-m", "symphainy_platform.cli")
DYING = (sys.executable, Path(__file__).with_name("dying_copier.py"))
PAIRS = [("sqlite", "sqlite"), ("sqlite", "postgres"), ("postgres", "sqlite"), ("postgres", "postgres")]
SMALL = 7


@pytest.fixture
def urls(tmp_path, databases):
    """Where the store of a sort and a name is."""

    def url(sort, name):
        return f"sqlite:///{tmp_path / name}.db" if sort == "sqlite" else databases.url(name)

    return url


@pytest.fixture
async def copying():
    """A copy between two URLs in this process."""
    used = []

    async def copy(source, target, told=lambda *_: None):
        old, new = _opened(source), _opened(target)
        theirs, ours = old.transfer(), new.transfer()
        used.extend((theirs, ours, old, new))
        if await ours.unfinished() is None:
            await new.migrate()
        return await Copying(theirs, ours, told, page=SMALL).run()

    yield copy
    for each in used:
        await each.close()


@pytest.mark.parametrize(("source", "target"), PAIRS)
async def test_a_copy_goes_on_as_the_original_would(urls, tmp_path, source, target):
    before, after = urls(source, "before"), urls(target, "after")
    lived = await live(before, tmp_path)
    code, output, errors = await run(SYMPHAINY, "copy", "--from", before, "--to", after, "--json")
    assert (code, errors) == (0, "")
    copied = json.loads(output)
    rows = {table["table"]: table["rows"] for table in copied["tables"]}
    assert copied["rows"] == sum(rows.values()) > 50
    assert min(rows[name] for name in ("executions", "artifacts", "artifact_versions", "artifact_log", "audit")) > 0
    assert min(rows[name] for name in ("outbox", "sealed_keys", "chat_sessions", "sessions", "user_accounts")) > 0
    await check_copy(after, tmp_path, lived)


async def test_the_database_knows_at_once_how_much_it_holds(urls, tmp_path, copying):
    await live(urls("sqlite", "before"), tmp_path)
    await copying(urls("sqlite", "before"), urls("postgres", "after"))
    connection = await asyncpg.connect(urls("postgres", "after"))
    known = (
        "select count(*) from pg_class where relnamespace = 'symphainy'::regnamespace and relkind = 'r' and reltuples"
    )
    assert await connection.fetchval(f"{known} > 0") > len(("executions", "artifacts", "outbox"))
    assert await connection.fetchval(f"{known} < 0") == 0
    await connection.close()


@pytest.mark.parametrize(("source", "target"), PAIRS[:3])
async def test_a_copy_that_is_killed_after_a_page_goes_on_to_its_end(urls, tmp_path, source, target):
    before, after = urls(source, "before"), urls(target, "after")
    lived = await live(before, tmp_path)
    ends = [(await run(DYING, before, after, "pages", pages))[0] for pages in (1, 6, 11)]
    assert ends == [-signal.SIGKILL] * 3
    with pytest.raises(StoreRefusedError, match="unfinished copy"):
        async with opened(after, ManualClock(), tmp_path):
            pass
    code, _, errors = await run(SYMPHAINY, "copy", "--from", before, "--to", after)
    assert (code, errors) == (0, "")
    await check_copy(after, tmp_path, lived)


@pytest.mark.parametrize(("source", "target"), PAIRS[:2])
async def test_a_copy_that_is_killed_at_any_moment_goes_on_or_is_finished(urls, tmp_path, source, target):
    before, after = urls(source, "before"), urls(target, "after")
    lived = await live(before, tmp_path)
    ends = [await run(DYING, before, after, "milliseconds", after_ms) for after_ms in (1, 7, 23, 61)]
    finished = [errors for code, _, errors in ends if code != -signal.SIGKILL]
    assert all("holds data already" in errors for errors in finished)
    code, _, errors = await run(SYMPHAINY, "copy", "--from", before, "--to", after)
    assert code == 0 or "holds data already" in errors
    await check_copy(after, tmp_path, lived)


async def test_a_copy_of_a_copy_holds_the_same(urls, tmp_path, copying):
    """There and back: digests do not depend on the sort of the store."""
    lived = await live(urls("sqlite", "one"), tmp_path)
    there = await copying(urls("sqlite", "one"), urls("postgres", "two"))
    assert await copying(urls("postgres", "two"), urls("sqlite", "three")) == there
    assert await copying(urls("sqlite", "three"), urls("postgres", "four")) == there
    await check_copy(urls("postgres", "four"), tmp_path, lived)


@pytest.mark.parametrize("sort", ["sqlite", "postgres"])
async def test_a_store_that_holds_anything_is_no_target(urls, tmp_path, copying, sort):
    await live(urls("sqlite", "before"), tmp_path)
    async with opened(urls(sort, "after"), ManualClock(), tmp_path) as platform:
        kept = await submit(platform, ANN, "initialize_chat_session", "k")
    with pytest.raises(StoreRefusedError, match="holds data already"):
        await copying(urls("sqlite", "before"), urls(sort, "after"))
    async with opened(urls(sort, "after"), ManualClock(), tmp_path) as platform:
        again = await submit(platform, ANN, "initialize_chat_session", "k")
    assert again.execution_id == kept.execution_id


class Interrupted(Exception):
    pass


def interrupt(*_):
    raise Interrupted


@pytest.mark.parametrize("sort", ["sqlite", "postgres"])
async def test_an_unfinished_copy_takes_no_other_source(urls, tmp_path, copying, sort):
    await live(urls("sqlite", "one"), tmp_path)
    await live(urls("sqlite", "other"), tmp_path)
    with pytest.raises(Interrupted):
        await copying(urls("sqlite", "one"), urls(sort, "after"), interrupt)
    with pytest.raises(StoreRefusedError, match="unfinished copy of another store"):
        await copying(urls("sqlite", "other"), urls(sort, "after"))


@pytest.mark.parametrize("sort", ["sqlite", "postgres"])
async def test_two_copies_at_once_do_not_mix(urls, tmp_path, sort):
    """The one that comes second finds that the mark has moved on, and writes nothing."""
    await live(urls("sqlite", "one"), tmp_path)
    store = _opened(urls(sort, "after"))
    await store.migrate()
    ours = store.transfer()
    await ours.begin(Progress("x"))
    await ours.tables()
    with pytest.raises(StoreRefusedError, match="another copy"):
        await ours.import_rows("meta", [{"name": "secret:s", "value": b"1"}], Progress("y"), Progress("z"))
    assert await ours.count("meta") == 0
    await ours.close()
    await store.close()


async def test_large_rows_travel_in_small_pages(urls, tmp_path, copying):
    await live(urls("sqlite", "before"), tmp_path)
    large = [("acme", "0", "large", 1, number, 0, f"k{number}", f'"{"x" * MOST_BYTES}"', 1) for number in range(1, 4)]
    with closing(sqlite3.connect(tmp_path / "before.db")) as connection:
        connection.executemany("INSERT INTO artifact_log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", large)
        connection.commit()
    told = [0]
    await copying(urls("sqlite", "before"), urls("postgres", "after"), lambda _, rows, __: told.append(rows))
    steps = [after - before for before, after in itertools.pairwise(told)]
    assert steps[:3] == [1, 1, 1]


NUMBERS = [
    *(-0.0, 1.0, 0.1, 1e308, 1.7976931348623157e308, -1e22, 1e22, 1e21, 5e-324, 2.2250738585072014e-308),
    *(2.0**53, 2**53 + 1, 2**53 - 1, 2.0**63, 2**63 - 1, -(2.0**63), -(2**63), 2.0**64, 2**64 - 1),
    *(1.2345678901234567e19, 123456789012345678.0, -9.9e18, 1.8446744073709550e19),
]


async def test_every_number_travels_there_and_back(urls, tmp_path, copying):
    deep = 1
    for _ in range(200):
        deep = {"d": deep}
    async with opened(urls("sqlite", "one"), ManualClock(), tmp_path) as platform:
        await submit(platform, ANN, "initialize_chat_session", "k")
    texts = [orjson.dumps({"numbers": NUMBERS}).decode(), orjson.dumps(deep).decode()]
    with closing(sqlite3.connect(tmp_path / "one.db")) as connection:
        connection.execute("UPDATE artifacts SET semantic_payload = ?, materializations = ?", texts)
        connection.execute("UPDATE chat_sessions SET context = ?", texts[:1])
        connection.commit()
    there = await copying(urls("sqlite", "one"), urls("postgres", "two"))
    assert await copying(urls("postgres", "two"), urls("sqlite", "three")) == there
    with closing(sqlite3.connect(tmp_path / "three.db")) as connection:
        assert list(connection.execute("SELECT semantic_payload, materializations FROM artifacts").fetchone()) == texts
        (kept,) = connection.execute("SELECT context FROM chat_sessions").fetchone()
    found = zip(orjson.loads(kept)["numbers"], NUMBERS, strict=True)
    assert [(theirs, ours) for theirs, ours in found if type(ours)(theirs) != ours] == []


@pytest.mark.parametrize(("target", "why"), [("postgres", "index row"), ("sqlite", "CHECK constraint")])
async def test_a_row_that_cannot_be_copied_is_named(urls, tmp_path, target, why):
    async with opened(urls("sqlite", "before"), ManualClock(), tmp_path) as platform:
        await submit(platform, ANN, "initialize_chat_session", "k")
    unfit = ("u", secrets.token_hex(9000), 0) if target == "postgres" else ("u", "a", -1)
    with closing(sqlite3.connect(tmp_path / "before.db")) as connection:
        connection.execute("PRAGMA ignore_check_constraints = on")
        for tenant, artifact, revision in (("acme", "fine", 0), unfit):
            row = (tenant, artifact, "large", 1, 1, revision, "k", "{}", 1)
            connection.execute("INSERT INTO artifact_log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        connection.commit()
    code, output, errors = await run(SYMPHAINY, "copy", "--from", urls("sqlite", "before"), "--to", urls(target, "to"))
    assert (code, output) == (2, "")
    assert errors.count("\n") == 1
    assert f"cannot hold the row of artifact_log with tenant_id 'u', artifact_id '{unfit[1][:50]}" in errors
    assert why in errors


def alter_file(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE chat_sessions SET active_agent = 'somebody' WHERE tenant_id = 'acme'")
        connection.commit()


async def alter_database(url):
    connection = await asyncpg.connect(url)
    await connection.execute("update symphainy.chat_sessions set active_agent = 'somebody' where tenant_id = 'acme'")
    await connection.close()


async def test_what_was_written_meanwhile_is_noticed(urls, tmp_path, copying, databases):
    before, after = urls("sqlite", "before"), urls("postgres", "after")
    await live(before, tmp_path)
    with pytest.raises(Interrupted):
        await copying(before, after, lambda phase, *_: interrupt() if phase == "verified" else None)
    await alter_database(databases.url("after", user="postgres"))
    with pytest.raises(CopyDiffersError, match=r"chat_sessions differs: 2 rows in .*before\.db, 2 in"):
        await copying(before, after)
    code, output, errors = await run(SYMPHAINY, "copy", "--from", before, "--to", after)
    assert (code, output) == (1, "")
    assert "Stop whatever writes" in errors
    alter_file(tmp_path / "before.db")
    await copying(before, after)


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("sqlite:///nowhere.db", "sqlite:///after.db", "There is no store at nowhere.db"),
        ("sqlite:///nowhere.db", "mysql://x", "mysql"),
        ("supabase", "sqlite:///after.db", "SUPABASE_URL"),
        ("postgresql://127.0.0.1:1/none", "sqlite:///after.db", ""),
        ("postgresql://ann:hem[lig@127.0.0.1:1/none", "sqlite:///after.db", "percent-encoded"),
        ("sqlite:///nowhere.db", "postgresql://ann:hem[lig@127.0.0.1:1/none", "percent-encoded"),
        ("postgresql://ann:hem/lig@127.0.0.1:1/none", "sqlite:///after.db", "percent-encoded"),
    ],
)
async def test_what_cannot_be_copied_is_said(tmp_path, monkeypatch, source, target, said):
    monkeypatch.chdir(tmp_path)
    code, output, errors = await run(SYMPHAINY, "copy", "--from", source, "--to", target)
    assert code in {1, 2}
    assert output == ""
    assert said in errors
    assert "Traceback" not in errors
    assert "lig" not in errors
