"""Checks of sweep(): what goes, what stays, and in which steps."""
# ruff: noqa: S101, D102, PLR2004 - checks assert; their names say what they prove

from __future__ import annotations

from symphainy_platform.state.records import Commit
from symphainy_platform.state.store import (
    ArtifactVersions,
    CompletedIntents,
    EventFilter,
    ExecutionByClientKey,
    ExecutionById,
    ExecutionByKey,
    LogRange,
    Retention,
    Store,
    SweepResult,
    load_one,
)
from symphainy_platform.testing.store_suite.samples import (
    LOG,
    OTHER_TENANT,
    TENANT,
    USER,
    ManualClock,
    StoreChecks,
    artifact,
    commit_all,
    digest,
    entry,
    event,
    execution,
    guard,
    writing,
)

DAY = 86400.0
KEEP = Retention(executions=1000 * DAY, outbox=1000 * DAY)
DROP = Retention(executions=DAY, outbox=DAY)


async def sweep_to_the_end(store: Store, clock: ManualClock, retention: Retention, limit: int = 1000) -> SweepResult:
    """Take steps until none has work; return the sums."""
    keys = executions = events = 0
    for _ in range(200):
        step = await store.sweep(clock.text, retention, limit)
        assert max(step.keys, step.executions, step.events) <= limit
        keys, executions, events = keys + step.keys, executions + step.executions, events + step.events
        if not step.more:
            return SweepResult(keys=keys, executions=executions, events=events)
    message = "the sweep does not come to an end"
    raise AssertionError(message)


async def stored(store: Store, *execution_ids: str, tenant_id: str = TENANT) -> list[str]:
    """Which of these executions are still stored."""
    records = await store.load([ExecutionById(tenant_id, each) for each in execution_ids])
    return [record.execution_id for record in records if record]


class SweepChecks(StoreChecks):
    """What sweep() promises."""

    async def test_nothing_to_sweep(self, store: Store, clock: ManualClock) -> None:
        assert await store.sweep(clock.text, DROP) == SweepResult()

    async def test_expired_keys_are_cleared_and_others_kept(self, store: Store, clock: ManualClock) -> None:
        both = execution("exec_1", key=guard("k", 60), client_key=guard("c", 61))
        await commit_all(store, Commit(execution=both))
        clock.advance(60)
        assert await sweep_to_the_end(store, clock, KEEP) == SweepResult(keys=1)
        by_key, by_client_key, record = await store.load(
            [
                ExecutionByKey(TENANT, digest("k")),
                ExecutionByClientKey(TENANT, digest("c")),
                ExecutionById(TENANT, "exec_1"),
            ],
        )
        assert by_key is None
        assert by_client_key == record
        assert (record.key, record.client_key) == (None, guard("c", 61))

    async def test_old_executions_go_and_young_ones_stay(self, store: Store, clock: ManualClock) -> None:
        await commit_all(store, Commit(execution=execution("exec_old")))
        clock.advance(1)
        await commit_all(store, Commit(execution=execution("exec_young", intent_type="young")))
        clock.advance(DAY - 1)
        assert await sweep_to_the_end(store, clock, DROP) == SweepResult(executions=1)
        assert await stored(store, "exec_old", "exec_young") == ["exec_young"]
        read = CompletedIntents(TENANT, USER, ("update_chat_context", "young"))
        assert await load_one(store, read) == {"young"}

    async def test_execution_behind_a_current_version_stays(self, store: Store, clock: ManualClock) -> None:
        await commit_all(store, writing("exec_1", artifact()), writing("exec_2", artifact(version=2)))
        await commit_all(store, writing("exec_1", artifact(tenant_id=OTHER_TENANT)))
        await commit_all(store, writing("exec_3", artifact("b1"), artifact("b2")))
        await commit_all(store, writing("exec_4", artifact("b1", version=2)))
        clock.advance(2 * DAY)
        assert (await sweep_to_the_end(store, clock, DROP)).executions == 1
        assert await stored(store, "exec_1", "exec_2", "exec_3", "exec_4") == ["exec_2", "exec_3", "exec_4"]
        assert await stored(store, "exec_1", tenant_id=OTHER_TENANT) == ["exec_1"]

    async def test_execution_that_was_kept_goes_when_its_version_is_replaced(
        self, store: Store, clock: ManualClock
    ) -> None:
        await commit_all(store, writing("exec_1", artifact()))
        clock.advance(2 * DAY)
        await sweep_to_the_end(store, clock, DROP)
        await commit_all(store, writing("exec_2", artifact(version=2)))
        await sweep_to_the_end(store, clock, DROP)
        assert await stored(store, "exec_1", "exec_2") == ["exec_2"]

    async def test_execution_that_holds_a_key_stays(self, store: Store, clock: ManualClock) -> None:
        records = [
            execution("exec_key", key=guard("k", 3 * DAY)),
            execution("exec_client", client_key=guard("c", 3 * DAY)),
            execution("exec_expired", key=guard("l", DAY)),
        ]
        await commit_all(store, *(Commit(execution=record) for record in records))
        clock.advance(2 * DAY)
        await sweep_to_the_end(store, clock, DROP)
        assert await stored(store, "exec_key", "exec_client", "exec_expired") == ["exec_key", "exec_client"]
        clock.advance(DAY)
        await sweep_to_the_end(store, clock, DROP)
        assert await stored(store, "exec_key", "exec_client") == []

    async def test_old_events_go_and_young_ones_stay(self, store: Store, clock: ManualClock) -> None:
        await commit_all(store, Commit(execution=execution("exec_1"), events=(event("old"), event("old"))))
        clock.advance(DAY)
        await commit_all(store, Commit(execution=execution("exec_2"), events=(event("young"),)))
        assert (await sweep_to_the_end(store, clock, DROP)).events == 2
        page = await store.events_after("0", EventFilter())
        assert [found.type for found in page.events] == ["young"]

    async def test_steps_are_bounded_and_say_that_there_is_more(self, store: Store, clock: ManualClock) -> None:
        commits = [
            Commit(execution=execution(f"exec_{n}", key=guard(f"k{n}"), client_key=guard(f"c{n}")), events=(event(),))
            for n in range(25)
        ]
        await commit_all(store, *commits)
        clock.advance(2 * DAY)
        first = await store.sweep(clock.text, DROP, limit=10)
        assert first.more
        assert 0 < first.executions <= 10
        assert first.events == 10
        await sweep_to_the_end(store, clock, DROP, limit=10)
        assert await stored(store, *(f"exec_{n}" for n in range(25))) == []
        assert (await store.events_after("0", EventFilter())).events == ()

    async def test_kept_executions_do_not_hold_up_those_behind_them(self, store: Store, clock: ManualClock) -> None:
        await commit_all(store, *(writing(f"exec_kept{n}", artifact(f"a{n}")) for n in range(15)))
        await commit_all(store, *(Commit(execution=execution(f"exec_{n}")) for n in range(5)))
        clock.advance(2 * DAY)
        assert (await sweep_to_the_end(store, clock, DROP, limit=4)).executions == 5

    async def test_artifacts_versions_and_logs_are_not_swept(self, store: Store, clock: ManualClock) -> None:
        await commit_all(store, writing("exec_1", artifact(), entries=(entry(1),)))
        await commit_all(store, writing("exec_2", artifact(version=2)))
        clock.advance(99 * DAY)
        await sweep_to_the_end(store, clock, DROP)
        log = LogRange(tenant_id=TENANT, artifact_id="a1", log=LOG, generation=1, first=1, last=1)
        versions, entries = await store.load([ArtifactVersions(tenant_id=TENANT, artifact_id="a1"), log])
        assert (len(versions), len(entries)) == (2, 1)

    async def test_what_a_clock_dated_ahead_stops_no_purge(self, store: Store, clock: ManualClock) -> None:
        """A clock that ran ahead for a moment must not keep everything behind it for ever."""
        clock.advance(365 * DAY)
        await commit_all(store, writing("exec_ahead", artifact("ahead"), events=(event(),)))
        clock.advance(-365 * DAY)
        await commit_all(store, writing("exec_old", artifact(), events=(event(),)))
        await commit_all(store, writing("exec_head", artifact(version=2)))
        clock.advance(2 * DAY)
        swept = await sweep_to_the_end(store, clock, DROP, limit=10)
        assert await stored(store, "exec_old", "exec_ahead") == ["exec_ahead"]
        assert swept.events == 2
