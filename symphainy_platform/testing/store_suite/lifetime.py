"""Checks of opening, closing, restarts, migrations, secrets and other processes."""
# ruff: noqa: S101, D102, PLR2004 - checks assert; their names say what they prove

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import chain

import pytest

from symphainy_platform.errors import DatabaseUnavailable, StoreRefusedError
from symphainy_platform.state.records import Duplicate
from symphainy_platform.state.store import ArtifactById, EventFilter, Retention, Store, load_one
from symphainy_platform.testing.store_suite.commits import remains
from symphainy_platform.testing.store_suite.samples import (
    TENANT,
    ManualClock,
    StoreChecks,
    StoreFactory,
    artifact,
    commit_all,
    commit_one,
    everything,
    execution,
    guard,
    opened,
    writing,
)

VERBS: dict[str, Callable[[Store], Awaitable[object]]] = {
    "commit": lambda store: store.commit([writing("exec_1")]),
    "load": lambda store: store.load([ArtifactById(TENANT, "a1")]),
    "event_cursor": lambda store: store.event_cursor(),
    "events_after": lambda store: store.events_after("0", EventFilter()),
    "changed_elsewhere": lambda store: store.changed_elsewhere(),
    "sweep": lambda store: store.sweep("2026-01-01T00:00:00.000000Z", Retention(executions=1, outbox=1)),
    "secret": lambda store: store.secret("x"),
}


class LifetimeChecks(StoreChecks):
    """What open(), close(), migrate(), health(), secret() and changed_elsewhere() promise."""

    async def test_store_says_what_it_is(self, store: Store) -> None:
        assert store.name
        assert store.lanes >= 1

    async def test_migrate_names_its_steps_once(self, store_factory: StoreFactory, clock: ManualClock) -> None:
        store = store_factory(clock)
        planned = await store.migrate(dry_run=True)
        assert planned
        assert list(await store.migrate(dry_run=True)) == list(planned)
        assert list(await store.migrate()) == list(planned)
        assert list(await store.migrate()) == []
        assert list(await store.migrate(dry_run=True)) == []
        await store.close()

    async def test_migrate_stops_at_a_step_and_goes_on(self, store_factory: StoreFactory, clock: ManualClock) -> None:
        store = store_factory(clock)
        planned = list(await store.migrate(dry_run=True))
        first, *others = planned
        assert list(await store.migrate(to=first, dry_run=True)) == [first]
        assert list(await store.migrate(to=first)) == [first]
        assert list(await store.migrate(to=first)) == []
        assert [(step.name, step.applied) for step in await store.steps()] == [
            (name, name == first) for name in planned
        ]
        for name in others:
            assert list(await store.migrate(to=name)) == [name]
        assert all(step.applied for step in await store.steps())
        with pytest.raises(StoreRefusedError, match=f"never goes back to {first}"):
            await store.migrate(to=first)
        await store.open()
        await store.close()

    async def test_migrate_knows_its_steps(self, store_factory: StoreFactory, clock: ManualClock) -> None:
        store = store_factory(clock)
        planned = list(await store.migrate(dry_run=True))
        for dry_run in (True, False):
            with pytest.raises(StoreRefusedError, match=f"is no step of the schema. The steps are: {planned[0]}"):
                await store.migrate(to="later", dry_run=dry_run)
        assert list(await store.migrate(dry_run=True)) == planned
        assert not any(step.applied or step.applied_at for step in await store.steps())
        await store.close()

    async def test_store_without_its_schema_is_refused(self, store_factory: StoreFactory, clock: ManualClock) -> None:
        store = store_factory(clock)
        with pytest.raises(StoreRefusedError, match="migrate"):
            await store.open()
        assert not (await store.health()).ready
        await store.close()

    async def test_migrations_at_the_same_time_apply_each_step_once(
        self, store_factory: StoreFactory, clock: ManualClock
    ) -> None:
        stores = [store_factory(clock) for _ in range(4)]
        planned = await stores[0].migrate(dry_run=True)
        applied = await asyncio.gather(*(store.migrate() for store in stores))
        assert list(chain.from_iterable(applied)) == list(planned)
        for store in stores:
            await store.open()
            await store.close()

    async def test_health_of_an_open_store(self, store: Store) -> None:
        health = await store.health()
        assert health.ready
        assert health.schema_version == health.expected_version != ""

    async def test_restart_finds_everything(self, store_factory: StoreFactory, clock: ManualClock) -> None:
        first = await opened(store_factory, clock)
        await commit_all(first, everything(), writing("exec_k", execution=execution("exec_k", key=guard("k"))))
        cursor, secret = await first.event_cursor(), await first.secret("idempotency")
        await first.close()
        second = await opened(store_factory, clock)
        assert len(await remains(second, "exec_1", "a1")) == 4
        assert await second.secret("idempotency") == secret
        assert await second.event_cursor() == cursor
        claim = writing("exec_l", execution=execution("exec_l", key=guard("k")))
        assert isinstance(await commit_one(second, claim), Duplicate)
        await second.close()

    async def test_close_twice(self, store: Store) -> None:
        await store.close()
        await store.close()

    async def test_close_without_open(self, store_factory: StoreFactory, clock: ManualClock) -> None:
        await store_factory(clock).close()

    @pytest.mark.parametrize("verb", VERBS)
    async def test_closed_store_is_unavailable(self, store: Store, verb: str) -> None:
        await store.close()
        with pytest.raises(DatabaseUnavailable):
            await VERBS[verb](store)
        assert not (await store.health()).ready

    async def test_close_finishes_what_was_handed_over(self, store_factory: StoreFactory, clock: ManualClock) -> None:
        store = await opened(store_factory, clock)
        commits = [asyncio.create_task(commit_one(store, everything(f"exec_{n}", f"a{n}"))) for n in range(20)]
        await asyncio.sleep(0)
        await store.close()
        await asyncio.gather(*commits)
        again = await opened(store_factory, clock)
        assert len((await again.events_after("0", EventFilter())).events) == 20
        await again.close()

    async def test_secret_is_made_once_per_name(self, store: Store) -> None:
        first, second, other = await asyncio.gather(store.secret("a"), store.secret("a"), store.secret("b"))
        assert len(first) == 32
        assert first == second != other

    async def test_secret_differs_between_stores(
        self, store: Store, store_factory: StoreFactory, clock: ManualClock
    ) -> None:
        other = await opened(store_factory, clock, "other")
        assert await other.secret("a") != await store.secret("a")
        await other.close()

    async def test_own_commits_are_not_changes_elsewhere(self, store: Store) -> None:
        await store.changed_elsewhere()
        await commit_all(store, everything())
        assert not await store.changed_elsewhere()

    async def test_commit_of_another_process_is_noticed_once_and_visible(
        self, store: Store, store_factory: StoreFactory, clock: ManualClock
    ) -> None:
        other = await opened(store_factory, clock)
        await store.changed_elsewhere()
        await commit_all(other, everything())
        assert await store.changed_elsewhere()
        assert not await store.changed_elsewhere()
        assert len(await remains(store, "exec_1", "a1")) == 4
        await other.close()

    async def test_two_processes_check_each_other_s_versions(
        self, store: Store, store_factory: StoreFactory, clock: ManualClock
    ) -> None:
        other = await opened(store_factory, clock)
        for version in range(1, 11):
            writer = (store, other)[version % 2]
            await commit_all(writer, writing(f"exec_{version}", artifact(version=version)))
        await other.close()
        found = await load_one(store, ArtifactById(TENANT, "a1"))
        assert found is not None
        assert found.version == 10
