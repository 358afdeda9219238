"""Several processes on one file, and processes that die."""

import asyncio
import signal

import pytest

from symphainy_platform.state.records import Conflict
from symphainy_platform.state.sqlite.store import SqliteStore
from symphainy_platform.state.store import ArtifactById, ArtifactVersions, EventFilter, load_one
from symphainy_platform.testing.store_suite.commits import remains
from symphainy_platform.testing.store_suite.samples import TENANT, artifact, commit_all, everything, writing


async def line_of(process):
    return (await asyncio.to_thread(process.stdout.readline)).split()


async def all_events(store):
    page, events = await store.events_after("0", EventFilter()), []
    while page.more:
        events += page.events
        page = await store.events_after(page.cursor, EventFilter())
    return [*events, *page.events]


@pytest.mark.parametrize("acknowledged", [1, 7, 30])
async def test_kill_under_load_loses_nothing_acknowledged_and_leaves_nothing_half(path, clock, child, acknowledged):
    known = []
    for life in range(2):
        process = child("commit_for_ever", life)
        await line_of(process)
        known += [name for _ in range(acknowledged) for name in await line_of(process)]
        process.send_signal(signal.SIGKILL)
        known += [name for line in process.communicate()[0].splitlines() for name in line.split()]
    store = SqliteStore(path, clock)
    await store.open()
    found = [event.artifact_id for event in await all_events(store)]
    assert set(known) <= set(found)
    assert len(found) == len(set(found))
    assert {len(await remains(store, f"exec_{name}", name)) for name in found} == {4}
    await store.close()


async def test_kill_between_the_writes_and_the_commit_leaves_nothing(store, child):
    process = child("die_before_commit", "")
    assert await asyncio.to_thread(process.wait) == -signal.SIGKILL
    assert await remains(store, "exec_dying", "dying") == []
    await commit_all(store, everything("exec_dying", "dying"))


async def test_two_processes_that_write_one_artifact_lose_no_version(store, child):
    await commit_all(store, writing("exec_0", artifact("shared")))
    process = child("count_up", "child", 30)
    done = 0
    while done < 30:
        head = await load_one(store, ArtifactById(TENANT, "shared"))
        change = writing(f"exec_here_{done}_{head.version}", artifact("shared", version=head.version + 1))
        done += not isinstance((await store.commit([change]))[0], Conflict)
    assert await asyncio.to_thread(process.wait) == 0
    versions = await load_one(store, ArtifactVersions(tenant_id=TENANT, artifact_id="shared", limit=100))
    assert [found.version for found in versions] == list(range(61, 0, -1))


async def test_processes_that_migrate_at_once_apply_each_step_once(path, clock, child):
    processes = [child("migrate", "") for _ in range(4)]
    outputs = await asyncio.gather(*(asyncio.to_thread(process.communicate) for process in processes))
    assert [process.returncode for process in processes] == [0] * 4
    applied = [name for output, _ in outputs for name in output.split()]
    store = SqliteStore(path.with_name("new.db"), clock)
    assert sorted(applied) == sorted(await store.migrate(dry_run=True))
    await store.close()
