"""Point reads that come at once share statements; each caller gets its own answer, or its own error."""

import asyncio
import random

import pytest

from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.state.artifact import LogHead
from symphainy_platform.state.store import (
    ArtifactById,
    ArtifactListing,
    ArtifactPage,
    ExecutionByClientKey,
    ExecutionById,
    ExecutionByKey,
    LogKeys,
    load_one,
)
from symphainy_platform.testing.store_suite.samples import (
    LOG,
    OTHER_TENANT,
    TENANT,
    USER,
    artifact,
    commit_all,
    digest,
    entry,
    execution,
    guard,
    writing,
)

NUL, HALF = "a\0b", "\ud800"


def reads_of(tenant, n):
    return [
        ArtifactById(tenant, f"a{n}"),
        ExecutionById(tenant, f"exec_{n}"),
        ExecutionByKey(tenant, digest(f"k{n}")),
        ExecutionByClientKey(tenant, digest(f"c{n}")),
    ]


@pytest.fixture
async def stored(store):
    commits = [
        writing(
            f"exec_{n}",
            artifact(f"a{n}", semantic_payload={"n": n}),
            execution=execution(f"exec_{n}", key=guard(f"k{n}"), client_key=guard(f"c{n}")),
        )
        for n in range(20)
    ]
    await commit_all(store, *commits)
    return store


async def test_everybody_gets_what_was_asked_for(stored):
    single = [read for tenant in (TENANT, OTHER_TENANT) for n in range(25) for read in reads_of(tenant, n)]
    expected = {read: await stored._alone([read]) for read in single}
    chosen = random.Random(7)  # noqa: S311 - the same choice in every run
    loads = [chosen.sample(single, chosen.randint(1, 6)) for _ in range(300)]
    answers = await asyncio.gather(*(stored.load(reads) for reads in loads))
    assert answers == [[expected[read][0] for read in reads] for reads in loads]


async def test_those_who_leave_harm_nobody(stored):
    loads = [asyncio.create_task(load_one(stored, ArtifactById(TENANT, f"a{n % 20}"))) for n in range(200)]
    await asyncio.sleep(0)
    for load in loads[::3]:
        load.cancel()
    done = await asyncio.gather(*loads, return_exceptions=True)
    assert [found.artifact_id for n, found in enumerate(done) if n % 3] == [f"a{n % 20}" for n in range(200) if n % 3]
    assert await load_one(stored, ArtifactById(TENANT, "a1"))


async def test_everybody_is_told_when_the_store_is_closed(stored):
    loads = [asyncio.create_task(load_one(stored, ArtifactById(TENANT, "a1"))) for _ in range(20)]
    await asyncio.sleep(0)
    await stored.close()
    done = await asyncio.gather(*loads, return_exceptions=True)
    assert all(isinstance(each, DatabaseUnavailable) or each.artifact_id == "a1" for each in done)
    errors = [each for each in done if isinstance(each, DatabaseUnavailable)]
    assert len({id(each) for each in errors}) == len(errors)


async def test_head_and_key_of_one_load_are_of_one_moment(store):
    """A writer moves an artifact and its key on together; every load must see both alike."""

    async def move_on():
        for version in range(1, 60):
            record = execution(f"exec_{version}", key=guard("k", 10**9))
            made = artifact(version=version, logs={LOG: LogHead(1, version)})
            supersedes = (f"exec_{version - 1}",)
            await commit_all(store, writing(f"exec_{version}", made, execution=record, supersedes=supersedes))

    async def look():
        while not writer.done():
            head, holder = await store.load([ArtifactById(TENANT, "a1"), ExecutionByKey(TENANT, digest("k"))])
            seen.append((head and f"exec_{head.version}", holder and holder.execution_id))

    seen = []
    writer = asyncio.create_task(move_on())
    await asyncio.gather(*(look() for _ in range(8)), writer)
    assert seen
    assert [pair for pair in seen if pair[0] != pair[1]] == []


@pytest.mark.parametrize("text", [NUL, HALF], ids=["NUL", "half a character"])
async def test_what_no_table_can_hold_is_missing(stored, text):
    assert await load_one(stored, ArtifactById(TENANT, text)) is None
    assert await load_one(stored, ArtifactListing(tenant_id=text, user_id=USER)) == ArtifactPage((), None)
    found = await stored.load([ArtifactById(text, "a1"), ArtifactById(TENANT, "a1"), ExecutionById(TENANT, text)])
    assert [each and each.artifact_id for each in found] == [None, "a1", None]
    await commit_all(stored, writing("exec_l", artifact("l"), entries=(entry(1, artifact_id="l"),)))
    log = LogKeys(tenant_id=TENANT, artifact_id="l", log=LOG, generation=1, keys=("k1", text))
    assert [found.key for found in await load_one(stored, log)] == ["k1"]


async def test_a_text_that_no_table_can_hold_harms_no_neighbour(stored):
    reads = [ArtifactById(TENANT, NUL if n % 5 == 0 else f"a{n % 20}") for n in range(60)]
    found = await asyncio.gather(*(load_one(stored, read) for read in reads))
    assert [each and each.artifact_id for each in found] == [None if n % 5 == 0 else f"a{n % 20}" for n in range(60)]
