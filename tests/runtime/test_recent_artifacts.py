"""Artifacts from memory: at most a second old, never older than a commit of this process, and few."""

import asyncio
from types import SimpleNamespace

import pytest
from runtime_callers import ANN, Caller, FakeClock

from symphainy_platform import Proven
from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.state import recent
from symphainy_platform.state.recent import RecentArtifacts


class SlowStore:
    """Answers with how often it was asked, when the test lets it."""

    def __init__(self):
        self.asked, self.fails = [], None
        self.open = asyncio.Event()
        self.open.set()

    async def load(self, reads):
        [read] = reads
        self.asked.append((read.tenant_id, read.artifact_id))
        number, fails = len(self.asked), self.fails
        await self.open.wait()
        if fails is not None:
            raise fails
        return [number]

    async def until_asked(self, times):
        async with asyncio.timeout(5):
            while len(self.asked) < times:  # noqa: ASYNC110 - a step of the loop, not a pause
                await asyncio.sleep(0)


@pytest.fixture
async def store():
    return SlowStore()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def artifacts(store, clock):
    return RecentArtifacts(store, clock)


def commit_of(artifact_id, tenant_id="t1"):
    write = SimpleNamespace(artifact=SimpleNamespace(artifact_id=artifact_id))
    return SimpleNamespace(execution=SimpleNamespace(tenant_id=tenant_id), artifacts=[write])


async def test_the_store_is_asked_once_a_second(artifacts, store, clock):
    assert await artifacts.get("t1", "a") == 1
    clock.advance(milliseconds=999, microseconds=999)
    assert await artifacts.get("t1", "a") == 1
    clock.advance(microseconds=1)
    assert await artifacts.get("t1", "a") == 2
    assert store.asked == [("t1", "a")] * 2


async def test_a_second_counts_from_the_question_not_from_the_answer(artifacts, store, clock):
    """What comes back late may have been looked up early."""
    store.open.clear()
    first = asyncio.create_task(artifacts.get("t1", "a"))
    await store.until_asked(1)
    clock.advance(milliseconds=900)
    store.open.set()
    assert await first == 1
    clock.advance(milliseconds=100)
    assert await artifacts.get("t1", "a") == 2


async def test_a_load_that_takes_longer_than_a_second_is_not_joined(artifacts, store, clock):
    store.open.clear()
    slow = asyncio.create_task(artifacts.get("t1", "a"))
    await store.until_asked(1)
    clock.advance(seconds=1)
    late = asyncio.create_task(artifacts.get("t1", "a"))
    await store.until_asked(2)
    store.open.set()
    assert (await slow, await late) == (1, 2)
    assert await artifacts.get("t1", "a") == 2


async def test_a_clock_that_is_set_back_makes_nothing_last(artifacts, clock):
    assert await artifacts.get("t1", "a") == 1
    clock.advance(hours=-1)
    assert await artifacts.get("t1", "a") == 2


async def test_each_tenant_has_its_own(artifacts):
    assert [await artifacts.get(*place) for place in (("t1", "a"), ("t2", "a"), ("t1", "b"), ("t1", "a"))] == [
        1,
        2,
        3,
        1,
    ]


async def test_that_there_is_none_is_remembered_too(artifacts, store, monkeypatch):
    async def nothing(_reads):
        store.asked.append(None)
        return [None]

    monkeypatch.setattr(store, "load", nothing)
    assert [await artifacts.get("t1", "a") for _ in range(3)] == [None] * 3
    assert len(store.asked) == 1


async def test_many_at_once_share_one_load(artifacts, store):
    assert await asyncio.gather(*(artifacts.get("t1", "a") for _ in range(50))) == [1] * 50
    assert len(store.asked) == 1


async def test_one_who_goes_away_does_not_take_the_others_load_along(artifacts, store):
    store.open.clear()
    first, second = (asyncio.create_task(artifacts.get("t1", "a")) for _ in range(2))
    await store.until_asked(1)
    first.cancel()
    await asyncio.wait([first])
    store.open.set()
    assert await second == 1
    assert first.cancelled()
    assert len(store.asked) == 1


async def test_a_load_that_fails_is_not_remembered(artifacts, store):
    store.fails = DatabaseUnavailable()
    failures = await asyncio.gather(*(artifacts.get("t1", "a") for _ in range(3)), return_exceptions=True)
    assert [type(failure) for failure in failures] == [DatabaseUnavailable] * 3
    assert len(store.asked) == 1
    store.fails = None
    assert await artifacts.get("t1", "a") == 2


async def test_a_load_that_fails_takes_nothing_newer_away(artifacts, store):
    store.open.clear()
    store.fails = DatabaseUnavailable()
    slow = asyncio.create_task(artifacts.get("t1", "a"))
    await store.until_asked(1)
    artifacts.forget("t1", "a")
    store.fails = None
    newer = asyncio.create_task(artifacts.get("t1", "a"))
    await store.until_asked(2)
    store.open.set()
    assert await newer == 2
    with pytest.raises(DatabaseUnavailable):
        await slow
    assert await artifacts.get("t1", "a") == 2
    assert len(store.asked) == 2


@pytest.mark.parametrize("forget", ["committed", "forget"])
async def test_after_a_commit_it_is_read_anew(artifacts, forget):
    assert await artifacts.get("t1", "a") == 1
    if forget == "committed":
        artifacts.committed([commit_of("b"), commit_of("a")])
    else:
        artifacts.forget("t1", "a")
    assert await artifacts.get("t1", "a") == 2


async def test_commits_of_others_change_nothing(artifacts):
    assert await artifacts.get("t1", "a") == 1
    artifacts.committed([commit_of("b"), commit_of("a", "t2")])
    artifacts.forget("t1", None)
    assert await artifacts.get("t1", "a") == 1


async def test_a_load_from_before_a_commit_is_neither_kept_nor_joined(artifacts, store):
    store.open.clear()
    before = asyncio.create_task(artifacts.get("t1", "a"))
    await store.until_asked(1)
    artifacts.committed([commit_of("a")])
    after = asyncio.create_task(artifacts.get("t1", "a"))
    await store.until_asked(2)
    store.open.set()
    assert (await before, await after) == (1, 2)
    assert await artifacts.get("t1", "a") == 2


async def test_a_load_from_before_a_commit_that_ends_last_is_not_kept(artifacts, store):
    store.open.clear()
    before = asyncio.create_task(artifacts.get("t1", "a"))
    await store.until_asked(1)
    artifacts.committed([commit_of("a")])
    store.open.set()
    assert await before == 1
    assert await artifacts.get("t1", "a") == 2


async def test_only_so_many_are_kept(artifacts, store, monkeypatch):
    monkeypatch.setattr(recent, "_CAPACITY", 3)
    for name in "abcd":
        await artifacts.get("t1", name)
    assert len(artifacts._seen) == 3
    assert artifacts._loading == {}
    for name in "bcd":
        await artifacts.get("t1", name)
    assert len(store.asked) == 4
    await artifacts.get("t1", "a")
    assert len(store.asked) == 5


async def test_the_one_that_was_read_longest_ago_goes_first(artifacts, clock, monkeypatch, store):
    monkeypatch.setattr(recent, "_CAPACITY", 2)
    await artifacts.get("t1", "a")
    await artifacts.get("t1", "b")
    clock.advance(seconds=1)
    await artifacts.get("t1", "a")
    await artifacts.get("t1", "c")
    asked = len(store.asked)
    await artifacts.get("t1", "a")
    assert len(store.asked) == asked


@pytest.fixture
def seen_by(proving):
    """Lets the notebook's proof look at a note through the platform's memory."""

    def look(platform, note, versions):
        async def prove(_):
            found = await platform._recent.get("t1", note)
            versions.append(found.version)
            return Proven(identity=ANN, facts={"pass_id": "p", "note_id": note})

        proving(prove)

    return look


async def test_on_the_platform_a_commit_is_seen_at_once(platform, ann, anybody, seen_by):
    note, versions = (await ann("write_note", text="0")).events[0]["note_id"], []
    seen_by(platform, note, versions)
    for number in range(1, 4):
        await anybody("greet_guest", words="x")
        await ann("edit_note", note_id=note, text=str(number))
    await anybody("greet_guest", words="x")
    assert versions == [1, 2, 3, 4]


async def test_on_the_platform_anothers_commit_is_seen_after_a_second(opened, clock, seen_by):
    async with opened() as one, opened() as other:
        ours, theirs = Caller(one, None), Caller(other, ANN)
        note, versions = (await theirs("write_note", text="x")).events[0]["note_id"], []
        seen_by(one, note, versions)
        await ours("greet_guest", words="x")
        await theirs("edit_note", note_id=note, text="y")
        clock.advance(milliseconds=999)
        await ours("greet_guest", words="x")
        clock.advance(milliseconds=1)
        await ours("greet_guest", words="x")
    assert versions == [1, 1, 2]
