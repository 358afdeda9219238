"""Checks of idempotency keys: who holds one, how long, and how it is given up."""
# ruff: noqa: S101, D102 - checks assert; their names say what they prove

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from symphainy_platform.state.artifact import ArtifactRef
from symphainy_platform.state.records import Commit, Committed, Conflict, Duplicate, ExecutionRecord
from symphainy_platform.state.store import ExecutionByClientKey, ExecutionById, ExecutionByKey, Store, load_one
from symphainy_platform.testing.store_suite.samples import (
    OTHER_TENANT,
    TENANT,
    ManualClock,
    StoreChecks,
    artifact,
    commit_all,
    commit_one,
    digest,
    event,
    execution,
    guard,
    writing,
)

BOTH_SORTS = pytest.mark.parametrize("by", ["key", "client_key"])


def claiming(execution_id: str, by: str, name: str = "k", **options: Any) -> Commit:
    """An execution that claims a key of one sort."""
    return Commit(execution=execution(execution_id, **{by: guard(name, **options)}), events=(event(),))


async def holder(store: Store, by: str, name: str = "k", tenant_id: str = TENANT) -> ExecutionRecord | None:
    """Who holds a key of one sort now."""
    read = ExecutionByKey if by == "key" else ExecutionByClientKey
    return await load_one(store, read(tenant_id, digest(name)))


async def holder_id(store: Store, by: str, name: str = "k") -> str | None:
    """The id of the execution that holds a key."""
    record = await holder(store, by, name)
    return record.execution_id if record else None


class KeyChecks(StoreChecks):
    """What commit() promises of keys."""

    @BOTH_SORTS
    async def test_second_claim_gets_the_record_of_the_first(self, store: Store, by: str) -> None:
        await commit_all(store, claiming("exec_1", by))
        first = await load_one(store, ExecutionById(TENANT, "exec_1"))
        assert first is not None
        assert await commit_one(store, claiming("exec_2", by)) == Duplicate(first, by)
        assert await load_one(store, ExecutionById(TENANT, "exec_2")) is None

    @BOTH_SORTS
    async def test_duplicate_within_a_batch(self, store: Store, by: str) -> None:
        outcomes = await store.commit([claiming("exec_1", by), claiming("exec_2", by), claiming("exec_3", by, "l")])
        assert [type(outcome) for outcome in outcomes] == [Committed, Duplicate, Committed]

    @BOTH_SORTS
    async def test_of_simultaneous_claims_one_wins(self, store: Store, by: str) -> None:
        outcomes = await asyncio.gather(*(commit_one(store, claiming(f"exec_{n}", by)) for n in range(8)))
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Committed"] + ["Duplicate"] * 7

    @BOTH_SORTS
    async def test_guard_comes_back_as_it_went_in(self, store: Store, by: str) -> None:
        await commit_all(store, claiming("exec_1", by, lifetime=0.25, head=ArtifactRef("a1", 7)))
        record = await holder(store, by)
        assert record is not None
        assert getattr(record, by) == guard("k", 0.25, ArtifactRef("a1", 7))
        assert getattr(record, f"{by}_expires_at") == "2026-01-31T23:59:59.750000Z"

    @BOTH_SORTS
    async def test_key_holds_until_its_very_end_and_replays_do_not_extend_it(
        self, store: Store, clock: ManualClock, by: str
    ) -> None:
        await commit_all(store, claiming("exec_1", by, lifetime=60))
        clock.advance(59.999999)
        assert isinstance(await commit_one(store, claiming("exec_2", by)), Duplicate)
        clock.advance(0.000001)
        assert await holder_id(store, by) == "exec_1"
        assert isinstance(await commit_one(store, claiming("exec_3", by)), Committed)
        assert await holder_id(store, by) == "exec_3"

    @BOTH_SORTS
    async def test_execution_that_lost_its_key_stays(self, store: Store, clock: ManualClock, by: str) -> None:
        await commit_all(store, claiming("exec_1", by, lifetime=60))
        clock.advance(60)
        await commit_all(store, claiming("exec_2", by))
        record = await load_one(store, ExecutionById(TENANT, "exec_1"))
        assert record is not None
        assert (getattr(record, by), getattr(record, f"{by}_expires_at")) == (None, None)

    @BOTH_SORTS
    async def test_key_with_a_head_holds_until_the_next_write(self, store: Store, by: str) -> None:
        """A, B, A: the third call is no replay of the first."""
        first = Commit(
            execution=execution("exec_1", **{by: guard("x", head=ArtifactRef("a1", 1))}),
            artifacts=writing("exec_1", artifact()).artifacts,
        )
        again = Commit(execution=execution("exec_3", **{by: guard("x", head=ArtifactRef("a1", 2))}))
        await commit_all(store, first)
        assert isinstance(await commit_one(store, again), Duplicate)
        await commit_all(store, writing("exec_2", artifact(version=2)))
        assert isinstance(await commit_one(store, again), Committed)
        assert await holder_id(store, by, "x") == "exec_3"

    @BOTH_SORTS
    async def test_key_whose_head_does_not_exist_holds_nothing(self, store: Store, by: str) -> None:
        await commit_all(store, claiming("exec_1", by, head=ArtifactRef("gone", 1)))
        assert isinstance(await commit_one(store, claiming("exec_2", by)), Committed)

    @BOTH_SORTS
    async def test_keys_belong_to_their_tenant(self, store: Store, by: str) -> None:
        foreign = Commit(execution=execution("exec_1", tenant_id=OTHER_TENANT, **{by: guard("k")}))
        await commit_all(store, claiming("exec_1", by), foreign)
        assert await holder(store, by, tenant_id=OTHER_TENANT) != await holder(store, by)

    async def test_sorts_of_keys_do_not_meet(self, store: Store) -> None:
        await commit_all(store, claiming("exec_1", "key"), claiming("exec_2", "client_key"))
        assert await holder_id(store, "key") == "exec_1"
        assert await holder_id(store, "client_key") == "exec_2"

    async def test_contract_key_is_looked_at_first(self, store: Store) -> None:
        await commit_all(store, claiming("exec_1", "key"), claiming("exec_2", "client_key"))
        both = Commit(execution=execution("exec_3", key=guard("k"), client_key=guard("k")))
        outcome = await commit_one(store, both)
        assert isinstance(outcome, Duplicate)
        assert (outcome.by, outcome.record.execution_id) == ("key", "exec_1")

    async def test_free_key_is_not_claimed_beside_a_taken_one(self, store: Store) -> None:
        await commit_all(store, claiming("exec_1", "client_key"))
        half = Commit(execution=execution("exec_2", key=guard("free"), client_key=guard("k")))
        assert isinstance(await commit_one(store, half), Duplicate)
        assert await holder(store, "key", "free") is None

    async def test_keys_are_looked_at_before_versions(self, store: Store) -> None:
        await commit_all(store, claiming("exec_1", "key"), writing("exec_2", artifact()))
        stale = writing("exec_3", artifact(), execution=execution("exec_3", key=guard("k")))
        assert isinstance(await commit_one(store, stale), Duplicate)

    async def test_superseded_execution_gives_up_both_keys(self, store: Store) -> None:
        held = Commit(execution=execution("exec_1", key=guard("k"), client_key=guard("c")))
        await commit_all(store, held)
        taking = execution("exec_2", key=guard("k"), client_key=guard("c"))
        await commit_all(store, Commit(execution=taking, supersedes=("exec_1", "exec_unknown")))
        assert await holder_id(store, "key") == "exec_2"
        assert await holder_id(store, "client_key", "c") == "exec_2"

    async def test_supersedes_reaches_no_other_tenant(self, store: Store) -> None:
        foreign = Commit(execution=execution("exec_2", tenant_id=OTHER_TENANT), supersedes=("exec_1",))
        await commit_all(store, claiming("exec_1", "key"), foreign)
        assert await holder_id(store, "key") == "exec_1"

    @pytest.mark.parametrize("alone", [True, False], ids=["alone", "among others"])
    async def test_failed_commit_supersedes_nothing(self, store: Store, *, alone: bool) -> None:
        await commit_all(store, claiming("exec_1", "key"), writing("exec_2", artifact()))
        stale = writing("exec_3", artifact(), supersedes=("exec_1",))
        others = [] if alone else [writing("exec_4")]
        outcomes = await store.commit([stale, *others])
        assert outcomes[0] == Conflict("a1", 1)
        assert await holder_id(store, "key") == "exec_1"
