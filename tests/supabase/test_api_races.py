"""Who meets whom, through the API: SQLSTATEs of races and of bad items mean what they mean on Postgres itself."""

import sys
from pathlib import Path

import pytest
import pytest_asyncio
from sql_stores.races import Races

sys.path.append(str(Path(__file__).parents[1] / "postgres"))
from postgres_writers import Writer

from symphainy_platform.state.records import Commit, Committed, Failed
from symphainy_platform.state.store import ArtifactById, EventFilter, load_one
from symphainy_platform.state.supabase.faults import with_state
from symphainy_platform.testing.store_suite.samples import (
    TENANT,
    artifact,
    commit_all,
    commit_one,
    entry,
    event,
    everything,
    execution,
    writing,
)


@pytest.fixture
def projects(migrated_projects):
    return migrated_projects


@pytest_asyncio.fixture
async def writer(store, connect):
    """Somebody at the database itself whose transaction stays open until it is told to commit."""
    return Writer(await connect(), store._committer.tables)


class TestRaces(Races):
    """Those that go as on Postgres itself."""


async def test_what_the_schema_refuses_fails_its_item_alone(store):
    bad = writing("exec_bad", artifact("bad"), entries=(entry(0, artifact_id="bad"),))  # entries count from 1
    outcomes = await store.commit([everything("exec_1", "a1"), bad, everything("exec_2", "a2")])
    assert [type(outcome) for outcome in outcomes] == [Committed, Failed, Committed]
    assert await load_one(store, ArtifactById(TENANT, "bad")) is None


async def test_what_commits_late_is_not_skipped(store, writer):
    def emitting(kind):
        return Commit(execution=execution(f"exec_{kind}"), events=(event(kind, None),))

    await commit_all(store, emitting("first"))
    await writer.write(emitting("slow"))
    await commit_all(store, emitting("fast"))
    page = await store.events_after("0", EventFilter())
    assert [found.type for found in page.events] == ["first"]
    await writer.commit()
    assert await store.changed_elsewhere()
    later = await store.events_after(page.cursor, EventFilter())
    assert [found.type for found in later.events] == ["slow", "fast"]


@pytest.mark.parametrize("state", ["40001", "40P01", "55P03"])
async def test_lost_races_are_run_again(store, state):
    call, lost = store._calls.run, [2]

    async def racing(work):
        lost[0] -= 1
        if lost[0] >= 0:
            raise with_state(state, "lost")
        return await call(work)

    store._calls.run = racing
    assert isinstance(await commit_one(store, everything()), Committed)
