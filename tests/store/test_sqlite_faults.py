"""Faults of the disk, the file and its neighbours, and the way back from them."""

import asyncio
import os
import resource
import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest

from symphainy_platform.errors import DatabaseUnavailable, StoreRefusedError
from symphainy_platform.state.sqlite.store import SqliteStore
from symphainy_platform.state.store import ArtifactById, EventFilter, load_one
from symphainy_platform.testing.store_suite.commits import remains
from symphainy_platform.testing.store_suite.samples import TENANT, artifact, commit_all, everything, writing

NOBODY = 65534
BIG = "x" * 50_000


def big_commit(number):
    return writing(f"exec_big_{number}", artifact(f"big{number}", semantic_payload={"text": BIG}))


async def refusal_of(store, *commits):
    with pytest.raises(DatabaseUnavailable) as refusal:
        await store.commit(commits)
    return refusal.value


async def fill(store):
    """Commit until the store refuses; return how many were acknowledged, and the refusal."""
    for number in range(1000):
        try:
            await commit_all(store, big_commit(number))
        except DatabaseUnavailable as error:
            return number, error
    pytest.fail("the store never filled up")


async def assert_works(store):
    """The next commit succeeds, without a restart."""
    await commit_all(store, everything("exec_after", "after"))
    assert len(await remains(store, "exec_after", "after")) == 4


async def test_full_disk_is_unavailable_and_then_works_again(store, connections):
    await commit_all(store, everything())
    pages = (await store._writer.run(lambda connection: connection.execute("PRAGMA page_count").fetchone()))[0]
    connections.pragmas.append(f"max_page_count = {pages + 50}")
    await store._writer.run(lambda connection: connection.execute(f"PRAGMA max_page_count = {pages + 50}").fetchone())
    stored, error = await fill(store)
    assert error.details == {"reason": "full"}
    assert stored > 1
    assert await load_one(store, ArtifactById(TENANT, f"big{stored - 1}"))
    assert await load_one(store, ArtifactById(TENANT, f"big{stored}")) is None
    await refusal_of(store, everything("exec_2", "a2"), big_commit(stored))
    assert await remains(store, "exec_2", "a2") == []
    del connections.pragmas[-1]
    await commit_all(store, big_commit(stored))
    await assert_works(store)


async def test_failing_writes_are_unavailable_and_then_work_again(store, path):
    """The system refuses to let any file grow: an I/O error in the middle of a commit."""
    await commit_all(store, everything())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.with_name("platform.db-wal").stat().st_size + 9000, limits[1]))
    try:
        stored, error = await fill(store)
        again = await refusal_of(store, big_commit(stored))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {error.details["reason"], again.details["reason"]} <= {"io", "full"}
    assert await load_one(store, ArtifactById(TENANT, f"big{stored}")) is None
    await commit_all(store, big_commit(stored))
    await assert_works(store)


async def test_locked_by_another_process_is_unavailable_and_reads_go_on(store, outside):
    await commit_all(store, everything())
    outside.execute("BEGIN IMMEDIATE")
    assert (await refusal_of(store, everything("exec_2", "a2"))).details == {"reason": "locked"}
    assert len(await remains(store, "exec_1", "a1")) == 4
    assert (await store.health()).ready
    outside.execute("ROLLBACK")
    await assert_works(store)


async def test_lock_that_is_short_is_waited_for(store, outside, connections):
    connections.opened[-1].execute("PRAGMA busy_timeout = 5000")
    outside.execute("BEGIN IMMEDIATE")
    commit = asyncio.create_task(store.commit([everything()]))
    await asyncio.sleep(0)
    outside.execute("ROLLBACK")
    await commit
    assert len(await remains(store, "exec_1", "a1")) == 4


async def test_read_that_would_wait_for_a_lock_does_not_stop_the_loop(path, clock, store, connections):
    await commit_all(store, everything())
    await store.close()
    connections.pragmas = ["busy_timeout = 0"]
    second = SqliteStore(path, clock, prepare=connections)
    await second.open()
    holder = sqlite3.connect(path, isolation_level=None)
    await second._writer.close()
    for connection in connections.opened:
        connection.close()
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseUnavailable) as refusal:
        await load_one(second, ArtifactById(TENANT, "a1"))
    assert refusal.value.details == {"reason": "locked"}
    assert not (await second.health()).ready
    holder.close()
    assert await load_one(second, ArtifactById(TENANT, "a1"))
    await second.close()


async def test_file_that_became_read_only_is_unavailable_and_then_works_again(store, connections):
    connections.opened[-1].execute("PRAGMA query_only = ON")
    connections.pragmas.append("query_only = ON")
    assert (await refusal_of(store, everything())).details == {"reason": "read_only"}
    assert await remains(store, "exec_1", "a1") == []
    del connections.pragmas[-1]
    await assert_works(store)


async def test_refusal_says_neither_path_nor_sql(store, path, outside):
    outside.execute("BEGIN IMMEDIATE")
    text = str((await refusal_of(store, everything())).to_dict())
    assert str(path) not in text
    assert path.name not in text
    assert "INSERT" not in text


async def test_damage_that_is_met_later_is_unavailable(store, path, clock):
    await commit_all(store, *(big_commit(number) for number in range(20)))
    await store.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(os.urandom(size // 2))
    damaged = SqliteStore(path, clock)
    with pytest.raises((DatabaseUnavailable, StoreRefusedError)) as refusal:
        await open_and_read_all(damaged)
    assert "damaged" in str(refusal.value) or refusal.value.details == {"reason": "damaged"}
    await damaged.close()


async def open_and_read_all(store):
    await store.open()
    await store.load([ArtifactById(TENANT, f"big{number}") for number in range(20)])
    await store.events_after("0", EventFilter())


@pytest.mark.parametrize("replaced", [False, True], ids=["moved away", "replaced"])
async def test_file_that_is_no_longer_in_its_place_takes_no_commits_until_it_is(store, path, replaced):
    await commit_all(store, everything())
    aside = path.with_name("aside.db")
    path.rename(aside)
    if replaced:
        shutil.copy(aside, path)
    assert (await refusal_of(store, writing("exec_lost", artifact("lost")))).details["reason"] == "moved"
    assert (await store.health()).detail == "moved"
    aside.replace(path)
    assert (await store.health()).ready
    await assert_works(store)


def garbage(path):
    path.write_bytes(os.urandom(9000))


def text(path):
    path.write_text("this is my diary\n" * 500)


def truncated(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])


def folder(path):
    path.unlink()
    path.mkdir()


def foreign(path):
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE diary (day TEXT)")
    connection.close()


def newer(path):
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO schema_migrations VALUES ('9999_later', '')")
    connection.close()


WRONG_FILES = {
    garbage: "not a SQLite database, or it is damaged",
    text: "not a SQLite database, or it is damaged",
    truncated: "damaged",
    folder: "cannot be opened",
    foreign: "migrate|another program",
    newer: "newer than this program .*upgrade",
}


@pytest.mark.parametrize("verb", ["open", "migrate", "steps"])
@pytest.mark.parametrize("wrong", WRONG_FILES, ids=lambda wrong: wrong.__name__)
async def test_wrong_file_is_refused_with_a_sentence_and_left_alone(store, path, clock, wrong, verb):
    await commit_all(store, *(big_commit(number) for number in range(5)))
    await store.close()
    wrong(path)
    before = path.is_file() and path.read_bytes()
    refused = SqliteStore(path, clock)
    with pytest.raises(StoreRefusedError, match=WRONG_FILES[wrong]) as refusal:
        await getattr(refused, verb)()
    assert str(path) in str(refusal.value)
    assert before == (path.is_file() and path.read_bytes())
    assert not (await refused.health()).ready or wrong is truncated
    await refused.close()


async def test_file_that_somebody_locks_is_unavailable_at_the_start(store, path, clock, connections, outside):
    outside.execute("BEGIN IMMEDIATE")
    second = SqliteStore(path, clock, prepare=connections)
    with pytest.raises(DatabaseUnavailable):
        await second.open()
    outside.execute("ROLLBACK")
    await second.open()
    await second.close()
    await assert_works(store)


async def test_missing_file_is_refused_and_not_made(path, clock):
    store = SqliteStore(path, clock)
    with pytest.raises(StoreRefusedError, match="run `symphainy migrate`"):
        await store.open()
    assert not path.exists()
    await store.close()


@pytest.fixture
def unprivileged():
    """A folder of a user without privileges, and a switch to that user (root may write anything)."""
    folder = Path(tempfile.mkdtemp())
    user = os.geteuid() or NOBODY
    os.chown(folder, user, -1)

    def become():
        os.seteuid(user)

    yield folder, become
    os.seteuid(os.getuid())
    folder.chmod(0o700)
    shutil.rmtree(folder)


@pytest.mark.parametrize("what", ["file", "folder"])
async def test_read_only_place_is_refused_with_a_sentence(unprivileged, clock, what):
    folder, become = unprivileged
    become()
    store = SqliteStore(folder / "platform.db", clock)
    await store.migrate()
    (folder / "platform.db").chmod(0o400 if what == "file" else 0o600)
    folder.chmod(0o500 if what == "folder" else 0o700)
    with pytest.raises(StoreRefusedError, match="writable for this user"):
        await store.open()
    await store.close()


async def test_folder_that_takes_no_file_is_refused(unprivileged, clock):
    folder, become = unprivileged
    folder.chmod(0o500)
    become()
    store = SqliteStore(folder / "platform.db", clock)
    with pytest.raises(StoreRefusedError):
        await store.migrate()
    await store.close()


async def test_a_schema_that_stops_at_a_step_is_not_opened(path, clock):
    store = SqliteStore(path, clock)
    await store.migrate(to="2")
    with pytest.raises(StoreRefusedError, match="no current schema: run `symphainy migrate`"):
        await store.open()
    await store.close()
