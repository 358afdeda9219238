"""A few point reads are one statement; its answers are those of the reads one by one."""

import itertools

import pytest

from symphainy_platform.state.postgres.points import points_of
from symphainy_platform.state.store import (
    ArtifactById,
    ArtifactVersions,
    ExecutionByClientKey,
    ExecutionById,
    ExecutionByKey,
    load_one,
)
from symphainy_platform.testing.store_suite.samples import (
    OTHER_TENANT,
    TENANT,
    artifact,
    commit_all,
    digest,
    execution,
    guard,
    writing,
)

READS = [
    ArtifactById(TENANT, "a1"),
    ArtifactById(TENANT, "a1", 1),
    ArtifactById(OTHER_TENANT, "a1"),
    ExecutionById(TENANT, "exec_1"),
    ExecutionByKey(TENANT, digest("k")),
    ExecutionByClientKey(TENANT, digest("c")),
    ExecutionByClientKey(TENANT, digest("none")),
]


@pytest.fixture
async def stored(store):
    record = execution("exec_1", key=guard("k"), client_key=guard("c"))
    await commit_all(store, writing("exec_1", artifact(), execution=record), writing("exec_2", artifact(version=2)))
    return store


async def test_all_pairs_are_answered_as_one_by_one(stored):
    alone = [await load_one(stored, read) for read in READS]
    for first, second in itertools.product(range(len(READS)), repeat=2):
        assert await stored.load([READS[first], READS[second]]) == [alone[first], alone[second]]


@pytest.mark.parametrize("count", [3, 4, 5, 7])
async def test_any_number_is_answered_as_one_by_one(stored, count):
    alone = [await load_one(stored, read) for read in READS[:count]]
    assert await stored.load(READS[:count]) == alone


def test_what_is_no_point_goes_another_way():
    assert points_of([ArtifactById(TENANT, "a1"), ArtifactVersions(tenant_id=TENANT, artifact_id="a1")]) is None
    assert points_of(READS[:5]) is None
