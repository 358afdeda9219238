"""Who meets whom: keys that are claimed at once, locks that are held, transactions that are run again."""

import asyncio

from sql_stores.races import Races, blocked, claiming

from symphainy_platform.state.artifact import ArtifactRef
from symphainy_platform.state.records import Commit, Committed, Conflict, Duplicate
from symphainy_platform.state.store import ArtifactById, ArtifactVersions, ExecutionByKey, load_one
from symphainy_platform.testing.store_suite.samples import (
    TENANT,
    artifact,
    chat_row,
    commit_all,
    commit_one,
    digest,
    entry,
    event,
    everything,
    execution,
    guard,
    writing,
)


class TestRaces(Races):
    """Those that Postgres shares with the API."""


async def test_when_the_first_gives_up_the_duplicate_is_the_first(store, writer):
    await writer.write(claiming("exec_1"))
    second = asyncio.create_task(commit_one(store, claiming("exec_2")))
    assert await blocked(second)
    await writer.give_up()
    assert isinstance(await second, Committed)


async def test_a_retry_waits_for_the_very_same_execution(store, writer):
    await writer.write(everything())
    retry = asyncio.create_task(commit_one(store, everything()))
    assert await blocked(retry)
    await writer.commit()
    assert isinstance(await retry, Committed)
    assert len(await load_one(store, ArtifactVersions(tenant_id=TENANT, artifact_id="a1"))) == 1


async def test_a_key_that_was_taken_meanwhile_gives_back_what_was_superseded(store, writer):
    await commit_all(store, Commit(execution=execution("exec_old", key=guard("old"))))
    await writer.write(claiming("exec_1", lifetime=10**9))
    taking = Commit(execution=execution("exec_2", key=guard("k")), supersedes=("exec_old",))
    second = asyncio.create_task(commit_one(store, taking))
    assert await blocked(second)
    await writer.commit()
    assert isinstance(await second, Duplicate)
    assert (await load_one(store, ExecutionByKey(TENANT, digest("old")))).execution_id == "exec_old"


async def test_neighbours_of_who_waits_too_long_are_written(store, writer):
    await commit_all(store, writing("exec_0", artifact()))
    await writer.write(writing("exec_1", artifact(version=2)))
    waiting = asyncio.create_task(store.commit([everything("exec_2", "a2"), writing("exec_3", artifact(version=2))]))
    while await load_one(store, ArtifactById(TENANT, "a2")) is None:
        await asyncio.wait([waiting], timeout=0.05)
    await writer.commit()
    written, stale = await waiting
    assert (isinstance(written, Committed), stale) == (True, Conflict("a1", 2))


async def test_batches_with_the_same_keys_in_other_orders_do_not_fail(open_store):
    stores = [await open_store() for _ in range(3)]

    def batch(turn, n):
        keys = list(range(8)) if n % 2 else list(range(7, -1, -1))
        return [
            Commit(
                execution=execution(
                    f"exec_{turn}_{n}_{key}", key=guard(f"{turn} {key}"), client_key=guard(f"{turn} {7 - key}")
                )
            )
            for key in keys
        ]

    for turn in range(5):
        results = await asyncio.gather(*(store.commit(batch(turn, n)) for n, store in enumerate(stores)))
        kinds = [type(outcome) for outcomes in results for outcome in outcomes]
        assert kinds.count(Committed) + kinds.count(Duplicate) == 24
        assert kinds.count(Committed) == 8


def hot(version, **parts):
    made = artifact(version=version, semantic_payload={"n": version})
    values = {"entries": (entry(version, version=version),), "rows": (chat_row(active_agent=f"v{version}"),)}
    return writing(f"exec_{version}", made, **(values | {"events": (event("v", "a1", n=version),)} | parts))


async def test_many_updates_of_one_artifact_in_one_batch(store, connect):
    await commit_all(store, *(hot(version) for version in range(1, 51)))
    versions = await load_one(store, ArtifactVersions(tenant_id=TENANT, artifact_id="a1", limit=99))
    assert [found.semantic_payload["n"] for found in versions] == list(range(50, 0, -1))
    row = await (await connect()).fetchrow("select active_agent from symphainy.chat_sessions")
    assert row["active_agent"] == "v50"


async def test_a_chain_on_what_failed_is_refused_to_its_end(store):
    await commit_all(store, hot(1), hot(2))
    stale = [writing(f"exec_x{version}", artifact(version=version)) for version in (2, 4)]
    outcomes = await store.commit([*stale, everything("exec_b", "b1")])
    assert outcomes[:2] == [Conflict("a1", 2)] * 2
    assert isinstance(outcomes[2], Committed)


async def test_a_later_item_may_expect_what_an_earlier_one_writes(store):
    reading = Commit(execution=execution("exec_r"), expects=(ArtifactRef("a1", 2, "exec_2"),))
    stale = Commit(execution=execution("exec_s"), expects=(ArtifactRef("a1", 1),))
    outcomes = await store.commit([hot(1), hot(2), reading, stale])
    assert outcomes[3] == Conflict("a1", 2)
    assert all(isinstance(outcome, Committed) for outcome in outcomes[:3])
