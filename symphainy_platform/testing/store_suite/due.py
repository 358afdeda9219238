"""Checks of due artifacts: when they are due, in which order they are found, and how they are purged."""
# ruff: noqa: S101, D102 - checks assert; their names say what they prove

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from symphainy_platform.context import isoformat
from symphainy_platform.errors import ContractViolation
from symphainy_platform.state.artifact import Artifact
from symphainy_platform.state.records import ArtifactWrite, Commit
from symphainy_platform.state.store import (
    ArtifactById,
    ArtifactListing,
    ArtifactVersions,
    DueArtifacts,
    EventFilter,
    ExecutionById,
    LogRange,
    Store,
    load_one,
)
from symphainy_platform.testing.store_suite.samples import (
    LOG,
    OTHER_TENANT,
    TENANT,
    ManualClock,
    StoreChecks,
    artifact,
    chat_row,
    commit_all,
    entry,
    event,
    execution,
    ids,
    writing,
)

TABLES = {"chat_session": ("chat_sessions",)}
ReadTable = Callable[[str], Awaitable[list[dict[str, Any]]]]


def due_in(clock: ManualClock, seconds: float) -> str:
    """The time so many seconds from now, as stores write it."""
    return isoformat(clock.now() + timedelta(seconds=seconds))


async def due(store: Store, clock: ManualClock, limit: int = 100) -> list[Artifact]:
    """What is due now."""
    return await load_one(store, DueArtifacts(clock.text, limit))


async def current(store: Store, artifact_id: str = "a1", tenant_id: str = TENANT) -> Artifact:
    """The current version of an artifact that must be there."""
    found = await load_one(store, ArtifactById(tenant_id, artifact_id))
    assert found is not None
    return found


async def remains_of(store: Store, artifact_id: str, tenant_id: str = TENANT) -> tuple[bool, int, int]:
    """Whether an artifact is there, how many versions and how many log entries it has."""
    log = LogRange(tenant_id=tenant_id, artifact_id=artifact_id, log=LOG, generation=1, first=1, last=9)
    found, versions, entries = await store.load(
        [ArtifactById(tenant_id, artifact_id), ArtifactVersions(tenant_id=tenant_id, artifact_id=artifact_id), log]
    )
    return found is not None, len(versions), len(entries)


def whole(artifact_id: str, execution_id: str, tenant_id: str = TENANT, **changes: Any) -> Commit:
    """A new artifact with a log entry, a domain row and an event."""
    return writing(
        execution_id,
        artifact(artifact_id, tenant_id=tenant_id, **changes),
        entries=(entry(1, artifact_id=artifact_id),),
        rows=(chat_row(artifact_id),),
        events=(event(artifact_id=artifact_id),),
    )


class DueChecks(StoreChecks):
    """What DueArtifacts and purge() promise."""

    async def test_an_artifact_without_a_due_time_is_never_due(self, store: Store, clock: ManualClock) -> None:
        await commit_all(store, writing("exec_1", artifact()))
        clock.advance(10**9)
        assert await due(store, clock) == []

    async def test_an_artifact_is_due_from_its_time_on(self, store: Store, clock: ManualClock) -> None:
        await commit_all(store, writing("exec_1", artifact(due_at=due_in(clock, 60))))
        clock.advance(59.999999)
        assert await due(store, clock) == []
        clock.advance(0.000001)
        assert ids(await due(store, clock)) == ["a1"]
        clock.advance(10**6)
        assert ids(await due(store, clock)) == ["a1"]

    async def test_what_is_found_is_the_whole_current_version(self, store: Store, clock: ManualClock) -> None:
        await commit_all(store, writing("exec_1", artifact(due_at=clock.text)))
        await commit_all(store, writing("exec_2", artifact(version=2, due_at=clock.text, lifecycle_state="CLOSED")))
        [found] = await due(store, clock)
        assert found == await current(store)
        assert (found.version, found.lifecycle_state, found.due_at) == (2, "CLOSED", clock.text)

    async def test_each_version_keeps_its_own_due_time(self, store: Store, clock: ManualClock) -> None:
        await commit_all(store, writing("exec_1", artifact(due_at=due_in(clock, 60))))
        await commit_all(store, writing("exec_2", artifact(version=2, due_at=due_in(clock, 90))))
        await commit_all(store, writing("exec_3", artifact(version=3)))
        versions = [await load_one(store, ArtifactById(TENANT, "a1", version)) for version in (1, 2, 3)]
        wanted = [due_in(clock, 60), due_in(clock, 90), None]
        assert [found.due_at for found in versions if found] == wanted
        listed = await load_one(store, ArtifactVersions(tenant_id=TENANT, artifact_id="a1"))
        assert [found.due_at for found in listed] == wanted[::-1]

    async def test_a_later_time_puts_it_off(self, store: Store, clock: ManualClock) -> None:
        await commit_all(store, writing("exec_1", artifact(due_at=due_in(clock, 60))))
        await commit_all(store, writing("exec_2", artifact(version=2, due_at=due_in(clock, 120))))
        clock.advance(60)
        assert await due(store, clock) == []
        clock.advance(60)
        assert ids(await due(store, clock)) == ["a1"]

    async def test_an_earlier_time_brings_it_forward(self, store: Store, clock: ManualClock) -> None:
        await commit_all(store, writing("exec_1", artifact(due_at=due_in(clock, 120))))
        await commit_all(store, writing("exec_2", artifact(version=2, due_at=due_in(clock, 60))))
        clock.advance(60)
        assert ids(await due(store, clock)) == ["a1"]

    async def test_one_that_had_none_gets_one(self, store: Store, clock: ManualClock) -> None:
        await commit_all(store, writing("exec_1", artifact()))
        await commit_all(store, writing("exec_2", artifact(version=2, due_at=clock.text)))
        assert ids(await due(store, clock)) == ["a1"]

    async def test_a_time_that_is_cleared_is_gone(self, store: Store, clock: ManualClock) -> None:
        await commit_all(store, writing("exec_1", artifact(due_at=clock.text)))
        await commit_all(store, writing("exec_2", artifact(version=2)))
        assert await due(store, clock) == []
        assert (await current(store)).due_at is None

    async def test_a_change_of_state_keeps_the_time(self, store: Store, clock: ManualClock) -> None:
        await commit_all(store, writing("exec_1", artifact(due_at=clock.text)))
        await commit_all(store, writing("exec_2", artifact(version=2, due_at=clock.text, lifecycle_state="CLOSED")))
        assert [found.lifecycle_state for found in await due(store, clock)] == ["CLOSED"]

    async def test_several_versions_in_one_batch(self, store: Store, clock: ManualClock) -> None:
        await commit_all(
            store,
            writing("exec_1", artifact(due_at=clock.text)),
            writing("exec_2", artifact(version=2)),
            writing("exec_3", artifact("b1")),
            writing("exec_4", artifact("b1", version=2, due_at=clock.text)),
        )
        assert ids(await due(store, clock)) == ["b1"]

    async def test_a_refused_write_changes_no_due_time(self, store: Store, clock: ManualClock) -> None:
        await commit_all(store, writing("exec_1", artifact(due_at=clock.text)))
        late = ArtifactWrite(artifact(version=1), 0)
        await store.commit([Commit(execution=execution("exec_2"), artifacts=(late,))])
        assert ids(await due(store, clock)) == ["a1"]

    async def test_the_longest_due_come_first(self, store: Store, clock: ManualClock) -> None:
        for number, seconds in enumerate((30, 10, 40, 20)):
            await commit_all(store, writing(f"exec_{number}", artifact(f"a{seconds}", due_at=due_in(clock, seconds))))
        clock.advance(35)
        assert ids(await due(store, clock)) == ["a10", "a20", "a30"]
        assert ids(await due(store, clock, limit=2)) == ["a10", "a20"]

    async def test_those_of_all_tenants_are_found(self, store: Store, clock: ManualClock) -> None:
        await commit_all(store, writing("exec_1", artifact(due_at=due_in(clock, 2))))
        await commit_all(store, writing("exec_2", artifact(tenant_id=OTHER_TENANT, due_at=due_in(clock, 1))))
        clock.advance(2)
        assert [found.tenant_id for found in await due(store, clock)] == [OTHER_TENANT, TENANT]

    async def test_a_purged_artifact_is_gone_with_all_that_is_its_own(
        self, store: Store, clock: ManualClock, read_table: ReadTable
    ) -> None:
        await commit_all(store, whole("a1", "exec_1"))
        await commit_all(
            store, writing("exec_2", artifact(version=2, due_at=clock.text), entries=(entry(2, version=2),))
        )
        assert await store.purge(await due(store, clock), TABLES) == 1
        assert await remains_of(store, "a1") == (False, 0, 0)
        assert await read_table("chat_sessions") == []
        assert await due(store, clock) == []
        listed = await load_one(store, ArtifactListing(tenant_id=TENANT))
        assert listed.artifacts == ()

    async def test_what_happened_stays_told(self, store: Store, clock: ManualClock) -> None:
        """Executions and events are retention's, not the purge's."""
        await commit_all(store, whole("a1", "exec_1", due_at=clock.text))
        await store.purge(await due(store, clock), TABLES)
        assert await load_one(store, ExecutionById(TENANT, "exec_1")) is not None
        assert len((await store.events_after("0", EventFilter())).events) == 1

    async def test_others_are_left_alone(self, store: Store, clock: ManualClock, read_table: ReadTable) -> None:
        """Also the artifact of the same id of another tenant."""
        await commit_all(store, whole("a1", "exec_1", due_at=clock.text), whole("b1", "exec_2"))
        await commit_all(store, whole("a1", "exec_1", OTHER_TENANT))
        await store.purge(await due(store, clock), TABLES)
        assert await remains_of(store, "a1") == (False, 0, 0)
        assert await remains_of(store, "b1") == (True, 1, 1)
        assert await remains_of(store, "a1", OTHER_TENANT) == (True, 1, 1)
        rows = {(row["tenant_id"], row["chat_session_id"]) for row in await read_table("chat_sessions")}
        assert rows == {(TENANT, "b1"), (OTHER_TENANT, "a1")}

    async def test_one_that_was_written_since_stays_whole(
        self, store: Store, clock: ManualClock, read_table: ReadTable
    ) -> None:
        await commit_all(store, whole("a1", "exec_1", due_at=clock.text), whole("b1", "exec_2", due_at=clock.text))
        found = await due(store, clock)
        await commit_all(store, writing("exec_3", artifact(version=2, due_at=clock.text)))
        assert await store.purge(found, TABLES) == 1
        assert await remains_of(store, "a1") == (True, 2, 1)
        assert await remains_of(store, "b1") == (False, 0, 0)
        assert [row["chat_session_id"] for row in await read_table("chat_sessions")] == ["a1"]

    async def test_one_is_purged_once(self, store: Store, clock: ManualClock) -> None:
        await commit_all(store, whole("a1", "exec_1", due_at=clock.text))
        found = await due(store, clock)
        assert await store.purge([*found, *found], TABLES) == 1
        assert await store.purge(found, TABLES) == 0
        assert await store.purge([], TABLES) == 0

    async def test_an_artifact_that_never_was_is_no_error(self, store: Store) -> None:
        assert await store.purge([artifact("nobody")], TABLES) == 0

    async def test_a_type_without_tables_has_no_rows_to_lose(
        self, store: Store, clock: ManualClock, read_table: ReadTable
    ) -> None:
        await commit_all(store, whole("a1", "exec_1", due_at=clock.text, artifact_type="other"))
        assert await store.purge(await due(store, clock), TABLES) == 1
        assert [row["chat_session_id"] for row in await read_table("chat_sessions")] == ["a1"]

    async def test_a_type_whose_row_was_never_written_is_purged_all_the_same(
        self, store: Store, clock: ManualClock
    ) -> None:
        await commit_all(store, writing("exec_1", artifact(due_at=clock.text)))
        assert await store.purge(await due(store, clock), TABLES) == 1

    async def test_the_stores_own_tables_and_unknown_ones_are_refused(self, store: Store, clock: ManualClock) -> None:
        """A type file that names such a table must lose nobody's rows: nothing is purged at all."""
        await commit_all(store, whole("a1", "exec_1", due_at=clock.text), whole("b1", "exec_2", due_at=clock.text))
        found = await due(store, clock)
        for table in ("no_such_table", "executions", "artifacts", "outbox", "chat_sessions; --", "CHAT_SESSIONS "):
            assert await _refuses(store, found, {"chat_session": ("chat_sessions", table)}), table
        assert await remains_of(store, "a1") == (True, 1, 1)
        assert await remains_of(store, "b1") == (True, 1, 1)

    async def test_an_id_that_was_purged_may_be_used_again(self, store: Store, clock: ManualClock) -> None:
        await commit_all(store, whole("a1", "exec_1", due_at=clock.text))
        await store.purge(await due(store, clock), TABLES)
        await commit_all(store, whole("a1", "exec_2"))
        assert await remains_of(store, "a1") == (True, 1, 1)
        assert (await current(store)).produced_by.execution_id == "exec_2"


async def _refuses(store: Store, artifacts: list[Artifact], tables: dict[str, tuple[str, ...]]) -> bool:
    try:
        await store.purge(artifacts, tables)
    except ContractViolation:
        return True
    return False
