"""Checks of commit(): all or nothing, outcomes, versions, retries."""
# ruff: noqa: S101, D102, PLR2004 - checks assert; their names say what they prove

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from symphainy_platform.state.artifact import ArtifactRef
from symphainy_platform.state.records import (
    ArtifactWrite,
    Commit,
    Committed,
    Conflict,
    ExecutionStatus,
    Failed,
    Outcome,
    RowWrite,
)
from symphainy_platform.state.store import (
    ArtifactById,
    ArtifactVersions,
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
    USER,
    ManualClock,
    StoreChecks,
    artifact,
    chat_row,
    commit_all,
    commit_one,
    entry,
    event,
    everything,
    execution,
    guard,
    writing,
)

_SURROGATE = "\ud800"
POISONS: dict[str, dict[str, Any]] = {
    "unknown table": {"rows": (RowWrite("no_such_table", {"id": "1"}, {"x": 1}),)},
    "table of the store itself": {"rows": (RowWrite("executions", {"execution_id": "1"}, {"user_id": "x"}),)},
    "unknown column": {"rows": (chat_row("p", no_such_column=1),)},
    "quoted column": {"rows": (RowWrite("chat_sessions", {"chat_session_id": "p"}, {'version" = 1 --': 1}),)},
    "another tenant's row": {"rows": (chat_row("p", tenant_id=OTHER_TENANT),)},
    "row without its key": {"rows": (RowWrite("chat_sessions", {"user_id": USER}, {"active_agent": "guide"}),)},
    "missing column": {"rows": (RowWrite("chat_sessions", {"chat_session_id": "p"}, {"active_agent": "guide"}),)},
    "integer beyond 64 bits": {"rows": (chat_row("p", version=2**70),)},
    "unstorable value": {"rows": (chat_row("p", version=object()),)},
    "unstorable payload": {"events": (event("second", thing=object()),)},
    "lone surrogate": {"events": (event("second", text=_SURROGATE),)},
    "seq taken": {"entries": (entry(1, artifact_id="p"), entry(1, artifact_id="p", key="other"))},
    "entry key taken": {"entries": (entry(1, artifact_id="p"), entry(2, artifact_id="p", key="k1"))},
    "another tenant's artifact": {
        "artifacts": (ArtifactWrite(artifact("p"), 0), ArtifactWrite(artifact("q", tenant_id=OTHER_TENANT), 0)),
    },
}


async def remains(store: Store, execution_id: str, artifact_id: str) -> list[Any]:
    """What the store has of an execution, its artifact, its log and its events."""
    found = await store.load(
        [
            ExecutionById(TENANT, execution_id),
            ArtifactById(TENANT, artifact_id),
            LogRange(tenant_id=TENANT, artifact_id=artifact_id, log=LOG, generation=1, first=1, last=9),
        ],
    )
    page = await store.events_after("0", EventFilter(artifact_id=artifact_id))
    return [thing for thing in (*found, page.events) if thing]


class CommitChecks(StoreChecks):
    """What commit() promises."""

    async def test_commit_writes_every_part(
        self, store: Store, clock: ManualClock, read_table: Callable[[str], Awaitable[list[dict[str, Any]]]]
    ) -> None:
        assert await commit_one(store, everything()) == Committed(clock.text)
        assert len(await remains(store, "exec_1", "a1")) == 4
        assert [row["chat_session_id"] for row in await read_table("chat_sessions")] == ["a1"]

    async def test_commit_of_nothing_is_nothing(self, store: Store) -> None:
        assert list(await store.commit([])) == []

    async def test_execution_without_effects_is_committed(self, store: Store) -> None:
        await commit_all(store, Commit(execution=execution()))
        assert await load_one(store, ExecutionById(TENANT, "exec_1"))

    async def test_committed_at_is_the_time_of_the_commit(self, store: Store, clock: ManualClock) -> None:
        clock.advance(90)
        assert await commit_one(store, writing("exec_1")) == Committed(clock.text)
        record = await load_one(store, ExecutionById(TENANT, "exec_1"))
        assert record is not None
        assert record.committed_at == clock.text

    async def test_outcomes_stand_in_the_order_of_the_items(self, store: Store) -> None:
        await commit_all(store, writing("exec_0", artifact("a1")))
        outcomes = await store.commit(
            [
                writing("exec_1", artifact("b1")),
                writing("exec_2", artifact("a1")),
                writing("exec_3", rows=(chat_row(no_such_column=1),)),
                writing("exec_4", artifact("b2")),
            ],
        )
        assert [type(outcome) for outcome in outcomes] == [Committed, Conflict, Failed, Committed]

    async def test_later_item_sees_what_earlier_ones_wrote(self, store: Store) -> None:
        chain = [writing(f"exec_{version}", artifact(version=version)) for version in range(1, 9)]
        await commit_all(store, *chain)
        versions = await load_one(store, ArtifactVersions(tenant_id=TENANT, artifact_id="a1"))
        assert [found.version for found in versions] == [8, 7, 6, 5, 4, 3, 2, 1]

    async def test_sixty_four_items_in_one_batch(self, store: Store) -> None:
        await commit_all(store, *(everything(f"exec_{n}", f"a{n}") for n in range(64)))
        page = await store.events_after("0", EventFilter())
        assert [found.artifact_id for found in page.events] == [f"a{n}" for n in range(64)]

    @pytest.mark.parametrize("poison", POISONS)
    @pytest.mark.parametrize("alone", [True, False], ids=["alone", "among others"])
    async def test_bad_item_leaves_no_trace_and_harms_no_neighbour(
        self, store: Store, poison: str, *, alone: bool
    ) -> None:
        bad = replace(writing("exec_bad", artifact("p"), events=(event("first", "p"),)), **POISONS[poison])
        neighbours = [] if alone else [everything("exec_1", "a1"), everything("exec_2", "a2")]
        first, rest = neighbours[:1], neighbours[1:]
        outcomes = list(await store.commit([*first, bad, *rest]))
        failed = outcomes.pop(len(first))
        assert isinstance(failed, Failed)
        assert failed.error.to_dict()["error_code"]
        assert all(isinstance(outcome, Committed) for outcome in outcomes)
        assert await remains(store, "exec_bad", "p") == []
        assert [len(await remains(store, f"exec_{n}", f"a{n}")) for n in range(1, 1 + len(neighbours))] == [4] * len(
            neighbours
        )

    @pytest.mark.parametrize("poison", POISONS)
    async def test_after_a_bad_item_the_same_execution_may_be_stored(self, store: Store, poison: str) -> None:
        bad = replace(writing("exec_1", artifact("p")), **POISONS[poison])
        assert isinstance(await commit_one(store, bad), Failed)
        assert isinstance(await commit_one(store, everything("exec_1", "p")), Committed)

    async def test_stored_execution_answers_committed_again_and_writes_nothing(
        self, store: Store, clock: ManualClock
    ) -> None:
        stored = replace(everything(), execution=execution(key=guard("k"), client_key=guard("c")))
        first = await commit_one(store, stored)
        await commit_all(store, writing("exec_2", artifact(version=2)))
        clock.advance(30)
        assert await commit_one(store, stored) == first
        assert len((await store.events_after("0", EventFilter())).events) == 1
        found = await load_one(store, ArtifactById(TENANT, "a1"))
        assert found is not None
        assert found.version == 2

    async def test_retry_does_not_give_up_keys(self, store: Store) -> None:
        await commit_all(store, Commit(execution=execution("exec_1", key=guard("k"))))
        retry = Commit(execution=execution("exec_2", key=guard("l")), supersedes=("exec_1",))
        await commit_all(store, retry)
        await commit_all(store, Commit(execution=execution("exec_3", key=guard("k"))))
        await commit_all(store, replace(retry, supersedes=("exec_3",)))
        record = await load_one(store, ExecutionById(TENANT, "exec_3"))
        assert record is not None
        assert record.key == guard("k")

    async def test_execution_twice_in_a_batch_is_stored_once(self, store: Store, clock: ManualClock) -> None:
        assert list(await store.commit([everything(), everything()])) == [Committed(clock.text)] * 2
        assert len((await store.events_after("0", EventFilter())).events) == 1

    async def test_execution_ids_belong_to_their_tenant(self, store: Store) -> None:
        await commit_all(store, writing("exec_1"), writing("exec_1", artifact(tenant_id=OTHER_TENANT)))
        assert await load_one(store, ArtifactById(OTHER_TENANT, "a1"))

    @pytest.mark.parametrize(
        ("stale", "conflict"),
        [
            (writing("exec_x", artifact(version=1)), Conflict("a1", 2)),
            (writing("exec_x", artifact(version=2)), Conflict("a1", 2)),
            (writing("exec_x", artifact(version=4)), Conflict("a1", 2)),
            (writing("exec_x", artifact("new", version=2)), Conflict("new", 0)),
            (writing("exec_x", artifact("new"), expects=(ArtifactRef("a1", 1),)), Conflict("a1", 2)),
            (writing("exec_x", artifact("new"), expects=(ArtifactRef("gone", 1),)), Conflict("gone", 0)),
            (writing("exec_x", artifact("new"), artifact(version=2)), Conflict("a1", 2)),
        ],
        ids=["create over", "stale", "ahead", "update of nothing", "expects stale", "expects missing", "second write"],
    )
    @pytest.mark.parametrize("alone", [True, False], ids=["alone", "among others"])
    async def test_conflict_names_the_current_version_and_writes_nothing(
        self, store: Store, stale: Commit, conflict: Conflict, *, alone: bool
    ) -> None:
        await commit_all(store, writing("exec_1", artifact()), writing("exec_2", artifact(version=2)))
        others = [] if alone else [everything("exec_3", "a3")]
        outcomes: list[Outcome] = list(await store.commit([stale, *others]))
        assert outcomes[0] == conflict
        assert all(isinstance(outcome, Committed) for outcome in outcomes[1:])
        assert await remains(store, "exec_x", "new") == []

    async def test_expected_version_that_is_current_is_no_conflict(self, store: Store) -> None:
        await commit_all(store, writing("exec_1", artifact()))
        await commit_all(store, writing("exec_2", artifact("a2"), expects=(ArtifactRef("a1", 1),)))

    async def test_same_number_by_another_execution_is_a_conflict(self, store: Store) -> None:
        """A writer that chained on a commit which then failed must not overwrite what it never saw."""
        await commit_all(store, writing("exec_1", artifact()), writing("exec_2", artifact(version=2)))
        written = ArtifactWrite(artifact(version=3), 2, "exec_lost")
        chained = replace(writing("exec_3"), artifacts=(written,))
        expecting = writing("exec_3", artifact("new"), expects=(ArtifactRef("a1", 2, "exec_lost"),))
        assert await commit_one(store, chained) == Conflict("a1", 2)
        assert await commit_one(store, expecting) == Conflict("a1", 2)
        seen = replace(chained, artifacts=(replace(written, base_execution_id="exec_2"),))
        assert isinstance(await commit_one(store, seen), Committed)

    async def test_of_simultaneous_updates_one_wins(self, store: Store) -> None:
        await commit_all(store, writing("exec_1", artifact()))
        rivals = [commit_one(store, writing(f"exec_{n}", artifact(version=2))) for n in range(2, 10)]
        outcomes = await asyncio.gather(*rivals)
        assert [type(outcome) for outcome in outcomes].count(Committed) == 1
        assert outcomes.count(Conflict("a1", 2)) == 7

    async def test_row_is_inserted_and_then_only_its_named_values_change(
        self, store: Store, read_table: Callable[[str], Awaitable[list[dict[str, Any]]]]
    ) -> None:
        await commit_all(store, writing("exec_1", rows=(chat_row(context={"a": [1, "ü"]}),)))
        change = RowWrite("chat_sessions", {"chat_session_id": "a1"}, {"active_agent": "liaison_content"})
        await commit_all(store, writing("exec_2", rows=(chat_row("a2"), change)))
        rows = {row["chat_session_id"]: row for row in await read_table("chat_sessions")}
        assert rows["a1"]["active_agent"] == "liaison_content"
        assert rows["a1"]["context"] == {"a": [1, "ü"]}
        assert rows["a1"]["tenant_id"] == TENANT
        assert rows["a2"]["active_agent"] == "guide"

    async def test_rows_of_tenants_do_not_meet(
        self, store: Store, read_table: Callable[[str], Awaitable[list[dict[str, Any]]]]
    ) -> None:
        foreign = Commit(execution=execution(tenant_id=OTHER_TENANT), rows=(chat_row(active_agent="liaison_x"),))
        await commit_all(store, writing("exec_1", rows=(chat_row(),)), foreign)
        agents = {row["tenant_id"]: row["active_agent"] for row in await read_table("chat_sessions")}
        assert agents == {TENANT: "guide", OTHER_TENANT: "liaison_x"}

    async def test_failure_is_stored_with_its_error(self, store: Store) -> None:
        error = {"error_code": "SESSION_NOT_FOUND", "details": {"parameter": "x"}}
        record = execution(status=ExecutionStatus.FAILED, error=error, answer=None)
        await commit_all(store, Commit(execution=record))
        found = await load_one(store, ExecutionById(TENANT, "exec_1"))
        assert found is not None
        assert (found.status, found.error, found.answer) == (ExecutionStatus.FAILED, error, None)
