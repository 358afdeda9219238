"""What is special about SQLite: its file, its URL, its schema, its plans and what a turn writes."""

import asyncio
import stat
from pathlib import Path

import orjson
import pytest

from symphainy_platform.context import SystemClock
from symphainy_platform.errors import SettingsError
from symphainy_platform.state.artifact import LogHead
from symphainy_platform.state.sql_files import parse_queries
from symphainy_platform.state.sqlite.hook import symphainy_store
from symphainy_platform.state.sqlite.queries import SQL
from symphainy_platform.state.sqlite.store import SqliteStore
from symphainy_platform.state.store import ArtifactById, Store, load_one
from symphainy_platform.testing.store_suite import StoreSuite
from symphainy_platform.testing.store_suite.commits import remains
from symphainy_platform.testing.store_suite.samples import LOG, TENANT, artifact, commit_all, entry, everything, writing

LISTINGS = [name for name in SQL if name.startswith("list_")]


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_no_check_of_the_suite_hides_another():
    checks = [name for part in StoreSuite.__bases__ for name in vars(part) if name.startswith("test_")]
    assert len(checks) == len(set(checks))


def test_store_keeps_to_the_port(path, clock):
    store: Store = SqliteStore(path, clock)
    assert (store.name, store.lanes) == ("sqlite", 1)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:////var/lib/platform.db", "/var/lib/platform.db"),
        ("sqlite:///data/platform.db", "data/platform.db"),
        ("sqlite:///my%20data/platform.db", "my data/platform.db"),
        ("postgresql://localhost/x", None),
        ("supabase", None),
    ],
)
def test_url(url, path):
    store = symphainy_store(url, SystemClock())
    assert (store and store._file.path) == (path and Path(path))


@pytest.mark.parametrize("url", ["sqlite:", "sqlite://", "sqlite:///", "sqlite://host/x.db", "sqlite:///a%00b"])
def test_url_without_a_usable_path_is_refused(url):
    with pytest.raises(SettingsError, match="sqlite:///relative"):
        symphainy_store(url, SystemClock())


def test_store_in_memory_is_refused():
    with pytest.raises(SettingsError, match="durable"):
        symphainy_store("sqlite:///:memory:", SystemClock())


async def test_only_the_owner_may_read_what_is_made(tmp_path, clock):
    path = tmp_path / "new" / "platform.db"
    store = SqliteStore(path, clock)
    await store.migrate()
    await store.open()
    await commit_all(store, everything())
    assert mode(path.parent) == 0o700
    assert {each.name: mode(each) for each in path.parent.iterdir()} == {
        "platform.db": 0o600,
        "platform.db-wal": 0o600,
        "platform.db-shm": 0o600,
    }
    await store.close()


async def test_migration_that_another_process_was_faster_with_is_not_repeated(path, clock):
    faster = SqliteStore(path, clock)

    def overtake(statement):
        if statement == "BEGIN EXCLUSIVE":
            asyncio.run(faster.migrate())

    slower = SqliteStore(path, clock, prepare=lambda connection: connection.set_trace_callback(overtake))
    assert await slower.migrate() == []
    await slower.open()
    await slower.close()
    await faster.close()


@pytest.mark.parametrize("name", ["with space.db", "ü%20?mode=ro#.db", "'; --.db"])
async def test_path_is_taken_literally(tmp_path, clock, name):
    store = SqliteStore(tmp_path / name, clock)
    await store.migrate()
    await store.open()
    await commit_all(store, everything())
    await store.close()
    assert [each.name for each in tmp_path.iterdir()] == [name]


async def test_every_commit_is_on_the_disk(store):
    pragmas = {}
    for pragma in ("journal_mode", "synchronous"):
        pragmas[pragma] = await store._writer.run(lambda db, name=pragma: db.execute(f"PRAGMA {name}").fetchone()[0])
    assert pragmas == {"journal_mode": "wal", "synchronous": 2}


async def test_what_was_handed_over_is_written_though_its_caller_is_cancelled(store):
    waiting = asyncio.create_task(store.commit([everything()]))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await store.secret("a later job of the writer")
    assert len(await remains(store, "exec_1", "a1")) == 4


async def test_error_of_a_job_reaches_its_caller_and_ends_nothing(store):
    with pytest.raises(ZeroDivisionError):
        await store._writer.run(lambda _: 1 // 0)
    await commit_all(store, everything())


def test_queries_are_split_by_name_and_parts_filled_in():
    text = "-- part: columns\na,\nb\n\n-- name: one\n-- why\nSELECT {columns}\nFROM t\n\n-- ---\n\n-- name: two\nX"
    assert parse_queries(text) == {"one": "SELECT a, b FROM t", "two": "X"}


@pytest.mark.parametrize("name", SQL)
async def test_statement_fits_the_schema(outside, name):
    """With plain marks only: Python 3.12 takes numbered ones for names, and warns of each statement."""
    outside.execute(f"EXPLAIN {SQL[name]}", (None,) * SQL[name].count("?"))
    assert "?1" not in SQL[name]


@pytest.mark.parametrize("name", [*LISTINGS, "newest_artifact", "events", "events_of_user", "log_range_as_of"])
async def test_read_follows_its_index_in_order(outside, name):
    count = SQL[name].count("?")
    plan = [row[3] for row in outside.execute(f"EXPLAIN QUERY PLAN {SQL[name]}", ("1",) * count)]
    assert len(plan) == 1
    assert plan[0].startswith("SEARCH")


async def test_index_view_shows_the_current_versions(store, outside):
    await commit_all(store, writing("exec_1", artifact()), writing("exec_2", artifact(version=2)))
    cursor = outside.execute("SELECT * FROM artifact_index")
    columns = [column for column, *_ in cursor.description]
    (row,) = cursor.fetchall()
    found = dict(zip(columns, row, strict=True))
    assert {"artifact_id", "artifact_type", "tenant_id", "owner", "lifecycle_state", "version"} <= found.keys()
    assert found["version"] == 2
    assert orjson.loads(found["produced_by"]) == {"intent": "update_chat_context", "execution_id": "exec_2"}


async def test_turn_writes_as_much_into_a_long_log_as_into_a_short_one(store, path):
    """30-chat-context, "Shape": medians of two sessions that take turns, 10 and 5,000 messages."""
    await store._writer.run(lambda db: db.execute("PRAGMA wal_autocheckpoint = 0").fetchone())
    heads = {"short": 10, "long": 5000}
    for name, count in heads.items():
        entries = [entry(n, "x" * 400, artifact_id=name) for n in range(1, count + 1)]
        await commit_all(store, writing(f"exec_{name}", artifact(name), entries=tuple(entries)))
    written = {name: [] for name in heads}
    for turn in range(2, 32):
        for name, count in heads.items():
            written[name].append(await bytes_of_turn(store, path, name, count + turn - 1, turn))
    short, long = (sorted(written[name])[len(written[name]) // 2] for name in ("short", "long"))
    assert long <= 1.5 * short


async def bytes_of_turn(store, path, name, seq, version):
    before = path.with_name(f"{path.name}-wal").stat().st_size
    grown = artifact(name, version=version, logs={LOG: LogHead(1, seq)})
    added = entry(seq, "x" * 400, artifact_id=name, version=version)
    await commit_all(store, writing(f"exec_{name}_{version}", grown, entries=(added,)))
    return path.with_name(f"{path.name}-wal").stat().st_size - before


async def test_update_writes_no_index_of_a_listing(store, outside):
    """An ordinary update sets no column of any index of the artifacts."""
    indexed = {
        column
        for (index,) in outside.execute("SELECT name FROM pragma_index_list('artifacts')").fetchall()
        for (column,) in outside.execute("SELECT name FROM pragma_index_info(?)", (index,)).fetchall()
    }
    setting = SQL["update_payload"].split("WHERE")[0]
    assert not [column for column in indexed if f"{column} = ?" in setting]
    await commit_all(store, everything())
    assert await load_one(store, ArtifactById(TENANT, "a1"))
