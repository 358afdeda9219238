"""Checks of load(): missing things, tenants, round trips, snapshots."""
# ruff: noqa: S101, D102 - checks assert; their names say what they prove

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from symphainy_platform.state.artifact import Artifact, ArtifactRef, LogHead, ProducedBy
from symphainy_platform.state.records import Commit, ExecutionStatus, StoredAnswer
from symphainy_platform.state.store import (
    ArtifactById,
    ArtifactListing,
    ArtifactPage,
    ArtifactVersions,
    CompletedIntents,
    ExecutionByClientKey,
    ExecutionById,
    ExecutionByKey,
    LogKeys,
    LogRange,
    NewestArtifact,
    Read,
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
    commit_all,
    digest,
    entry,
    execution,
    guard,
    writing,
)


def every_read(tenant_id: str) -> list[tuple[Read[Any], Any]]:
    """One read of each sort, with what it answers when there is nothing."""
    log: dict[str, Any] = {"tenant_id": tenant_id, "artifact_id": "a1", "log": LOG, "generation": 1}
    return [
        (ArtifactById(tenant_id, "a1"), None),
        (ArtifactById(tenant_id, "a1", 1), None),
        (NewestArtifact(tenant_id, USER, "chat_session", ("ACTIVE",)), None),
        (ArtifactListing(tenant_id=tenant_id), ArtifactPage((), None)),
        (ArtifactListing(tenant_id=tenant_id, user_id=USER), ArtifactPage((), None)),
        (ArtifactVersions(tenant_id=tenant_id, artifact_id="a1"), ()),
        (LogRange(**log, first=1, last=9), []),
        (LogRange(**log, first=1, last=9, version=1), []),
        (LogRange(**log, first=1, last=9999), []),
        (LogKeys(**log, keys=("k1",)), []),
        (ExecutionById(tenant_id, "exec_1"), None),
        (ExecutionByKey(tenant_id, digest("k")), None),
        (ExecutionByClientKey(tenant_id, digest("c")), None),
        (CompletedIntents(tenant_id, USER, ("update_chat_context",)), frozenset()),
    ]


READS = [(type(read).__name__, number) for number, (read, _) in enumerate(every_read(TENANT))]
EACH_READ = pytest.mark.parametrize("number", [number for _, number in READS], ids=[name for name, _ in READS])
TEXTS = {
    "plain": "plain",
    "empty": "",
    "accents": "Ünïcödé ß",
    "emoji": "👩‍👩‍👧 🏳️‍🌈",
    "decomposed": "e\u0301",
    "quotes": """'; DROP TABLE artifacts; -- " \\ ` ?1 :a {b} %s""",
    "controls": "line\nbreak\ttab\u2028\u007f\u0001",
    "null text": "null",
    "long": "x" * 300_000,
}


class ReadChecks(StoreChecks):
    """What load() promises of each read."""

    @EACH_READ
    async def test_missing_thing(self, store: Store, number: int) -> None:
        read, missing = every_read(TENANT)[number]
        assert await load_one(store, read) == missing

    @EACH_READ
    async def test_read_is_bound_to_its_tenant(self, store: Store, number: int) -> None:
        record = execution(key=guard("k"), client_key=guard("c"))
        await commit_all(store, writing("exec_1", artifact(), execution=record, entries=(entry(1),)))
        own, _ = every_read(TENANT)[number]
        foreign, missing = every_read(OTHER_TENANT)[number]
        found, not_found = await store.load([own, foreign])
        assert found != missing
        assert not_found == missing

    async def test_answers_stand_in_the_order_of_the_reads(self, store: Store) -> None:
        await commit_all(store, writing("exec_1", artifact("a1")), writing("exec_2", artifact("a2")))
        reads: list[Read[Any]] = [ArtifactById(TENANT, name) for name in ("a2", "none", "a1", "a2")]
        found = await store.load(reads)
        assert [each and each.artifact_id for each in found] == ["a2", None, "a1", "a2"]
        assert await store.load([]) == []

    async def test_artifact_comes_back_as_it_went_in(self, store: Store) -> None:
        whole = Artifact(
            artifact_id="a1",
            artifact_type="mission",
            tenant_id=TENANT,
            user_id="supabase:ü",
            version=1,
            lifecycle_state="PENDING",
            semantic_payload={"n": None, "f": 1.5, "i": -(2**53) + 1, "l": [{}, []], "t": True},
            semantic_descriptor={"schema": "v1"},
            produced_by=ProducedBy("update_chat_context", "exec_1"),
            parent_artifacts=("p1", "p2"),
            materializations=({"uri": "x"},),
            logs={LOG: LogHead(3, 120, 4096, revised=True), "history_digests": LogHead()},
            created_at="2026-01-01T00:00:00.000001Z",
            updated_at="2026-01-02T00:00:00.000002Z",
        )
        await commit_all(store, writing("exec_1", whole))
        assert await store.load([ArtifactById(TENANT, "a1"), ArtifactById(TENANT, "a1", 1)]) == [whole, whole]

    async def test_every_version_stays_readable_as_it_was(self, store: Store) -> None:
        versions = [
            artifact(version=1, semantic_payload={"n": 1}),
            artifact(version=2, lifecycle_state="EXPIRED", updated_at="2026-01-02T00:00:00.000000Z"),
            artifact(version=3, lifecycle_state="EXPIRED", semantic_descriptor={"d": 1}, parent_artifacts=("p",)),
        ]
        commits = [writing(f"exec_{made.version}", made) for made in versions]
        await commit_all(store, *commits)
        written = [commit.artifacts[0].artifact for commit in commits]
        reads: list[Read[Any]] = [ArtifactById(TENANT, "a1", version) for version in (1, 2, 3, 4, 0)]
        assert await store.load(reads) == [*written, None, None]

    async def test_execution_comes_back_as_it_went_in(self, store: Store, clock: ManualClock) -> None:
        answer = StoredAnswer(
            artifacts={"chat_session": {"ref": ["a1", 1], "extra": {"exists": True}}, "note": {"inline": {"n": [1]}}},
            events=[{"type": "chat_context_updated", "version": 1}],
            answered_by="exec_0",
            view={"history_limit": 2},
        )
        record = execution(session_ref="ref", answer=answer, key=guard("k", head=ArtifactRef("a1", 1)))
        await commit_all(store, Commit(execution=record))
        expected = replace(record, committed_at=clock.text, key_expires_at="2026-02-01T00:00:59.500000Z")
        reads: list[Read[Any]] = [ExecutionById(TENANT, "exec_1"), ExecutionByKey(TENANT, digest("k"))]
        assert await store.load(reads) == [expected, expected]

    @pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
    async def test_text_comes_back_as_it_went_in(self, store: Store, text: str) -> None:
        made = artifact(f"id {text[:99]}", user_id=f"u {text[:99]}", semantic_payload={text[:99]: text})
        await commit_all(store, writing("exec_1", made))
        found = await load_one(store, ArtifactById(TENANT, made.artifact_id))
        assert found is not None
        assert (found.user_id, found.semantic_payload) == (made.user_id, made.semantic_payload)

    async def test_completed_intents_count_success_of_this_user_only(self, store: Store) -> None:
        failed = execution("exec_2", intent_type="failed", status=ExecutionStatus.FAILED)
        foreign = execution("exec_3", intent_type="foreign", user_id="user-2")
        done = [execution(f"exec_d{n}", intent_type=name) for n, name in enumerate(("done", "done", "unasked"))]
        await commit_all(store, *(Commit(execution=record) for record in (failed, foreign, *done)))
        read = CompletedIntents(TENANT, USER, ("done", "failed", "foreign", "never"))
        assert await load_one(store, read) == frozenset({"done"})

    async def test_reads_of_one_call_see_one_state(self, store: Store) -> None:
        """A writer grows a log and its head together; every call must see both alike."""
        await commit_all(store, writing("exec_0", artifact(logs={LOG: LogHead(1, 0)})))
        growing = asyncio.create_task(self._grow(store, 40))
        seen = {await self._head_and_log(store) for _ in range(60)}
        await growing
        assert {head - entries for head, entries in seen} == {0}

    async def _grow(self, store: Store, turns: int) -> None:
        for turn in range(1, turns + 1):
            grown = artifact(version=turn + 1, logs={LOG: LogHead(1, turn)})
            await commit_all(store, writing(f"exec_{turn}", grown, entries=(entry(turn, version=turn + 1),)))

    async def _head_and_log(self, store: Store) -> tuple[int, int]:
        await asyncio.sleep(0)
        log = LogRange(tenant_id=TENANT, artifact_id="a1", log=LOG, generation=1, first=1, last=100)
        between = [ExecutionById(TENANT, "exec_0")] * 99  # time for the writer
        head, *_, entries = await store.load([ArtifactById(TENANT, "a1"), *between, log])
        return head.log_head(LOG).count, len(entries)
