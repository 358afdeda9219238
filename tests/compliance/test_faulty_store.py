import pytest

from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.testing.faulty_store import FaultyStore, StoreStep


class Kept:
    name = "kept"

    def __init__(self):
        self.commits = []

    async def commit(self, batch):
        self.commits += batch
        return ["committed"]

    async def load(self, reads):
        return list(reads)


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def store(kept):
    return FaultyStore(kept)


async def test_it_forwards_and_counts(store):
    assert store.name == "kept"
    assert await store.load([1]) == [1]
    await store.commit(["a"])
    await store.load([2])
    assert [str(step) for step in store.steps] == ["load 1", "commit 1", "load 2"]


@pytest.mark.parametrize(("moment", "written"), [("before", []), ("after", ["a"])])
async def test_a_commit_fails_once_before_or_after_it_is_durable(store, kept, moment, written):
    store.fail_at(StoreStep("commit", 1), moment)
    with pytest.raises(DatabaseUnavailable):
        await store.commit(["a"])
    assert kept.commits == written
    assert store.failed
    assert await store.commit(["b"]) == ["committed"]


async def test_only_the_planned_call_fails(store):
    store.fail_at(StoreStep("load", 2))
    await store.load([])
    assert not store.failed
    with pytest.raises(DatabaseUnavailable):
        await store.load([])
