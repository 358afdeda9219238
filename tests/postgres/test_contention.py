"""Locks that nobody gives back, races that are lost for ever, batches that are too large for one call."""

import asyncio
import time

import asyncpg
import orjson
import pytest

from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.state.postgres import batch as batches
from symphainy_platform.state.postgres import commit as commits
from symphainy_platform.state.postgres.batch import encode_some
from symphainy_platform.state.postgres.commit import Committer
from symphainy_platform.state.records import Committed, Failed
from symphainy_platform.state.store import ArtifactById
from symphainy_platform.testing.store_suite.samples import TENANT, artifact, commit_all, everything, writing

LOCK = "select pg_advisory_xact_lock(hashtextextended($2, hashtextextended($1, 0)))"
WRITTEN = {"committed_at": "2026-01-01T00:00:00+00:00", "position": None, "outcomes": None}


async def test_an_item_that_waits_for_a_lock_in_vain_fails_alone(store, connect):
    await commit_all(store, writing("exec_0", artifact("locked")))
    holder = await connect()
    begun = time.monotonic()
    async with holder.transaction():
        await holder.execute(LOCK, TENANT, "locked")
        outcomes = await store.commit(
            [
                everything("exec_a", "a"),
                writing("exec_l", artifact("locked", version=2)),
                writing("exec_m", artifact("locked", version=3)),
                everything("exec_b", "b"),
            ]
        )
    assert time.monotonic() - begun < 6
    assert [type(outcome) for outcome in outcomes] == [Committed, Failed, Failed, Committed]
    assert [outcome.error.details for outcome in outcomes[1:3]] == [{"reason": "contended"}] * 2
    found = await store.load([ArtifactById(TENANT, name) for name in ("a", "b", "locked")])
    assert [each.version for each in found] == [1, 1, 1]


async def test_several_locks_keep_nobody_else_from_being_written(store, connect):
    locked = ["locked 1", "locked 2", "locked 3"]
    await commit_all(store, *[writing(f"exec_0 {name}", artifact(name)) for name in locked])
    holder = await connect()
    begun = time.monotonic()
    async with holder.transaction():
        for name in locked:
            await holder.execute(LOCK, TENANT, name)
        theirs = [writing(f"exec_1 {name}", artifact(name, version=2)) for name in locked]
        outcomes = await store.commit([*theirs, *[everything(f"exec_{n}", f"a{n}") for n in range(20)]])
    assert time.monotonic() - begun < 6
    assert [outcome.error.details for outcome in outcomes[:3]] == [{"reason": "contended"}] * 3
    assert [type(outcome) for outcome in outcomes[3:]] == [Committed] * 20


class Lane:
    """Answers each call as `answers` says of the executions in it."""

    def __init__(self, answers):
        self.answers, self.sent = answers, []

    async def run(self, work):
        return await work(self)

    async def fetchval(self, _, text, __):
        names = [each["execution_id"] for each in orjson.loads(text)["executions"]]
        self.sent.append(names)
        await asyncio.sleep(0)
        return orjson.dumps(self.answers(names))


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(commits, "_RERUN_SECONDS", 0.2)
    monkeypatch.setattr(commits, "_PAUSE_SECONDS", 0.001)


def raced(*losers, error=asyncpg.SerializationError):
    def answers(names):
        if any(name in losers for name in names):
            raise error("x")
        return WRITTEN

    return answers


def batch_of(*names):
    return [writing(f"exec_{name}", artifact(name)) for name in names]


def says(outcome):
    return outcome.error.details["reason"] if isinstance(outcome, Failed) else "written"


@pytest.mark.usefixtures("quick")
async def test_one_that_loses_every_race_comes_after_the_others():
    lane = Lane(raced("exec_b"))
    outcomes = await Committer(lane).write(batch_of("a", "b", "c"), None)
    assert [says(outcome) for outcome in outcomes] == ["written", "contended", "written"]
    assert lane.sent[:4] == [["exec_a", "exec_b", "exec_c"], ["exec_a"], ["exec_b"], ["exec_c"]]
    assert set(map(tuple, lane.sent[4:])) == {("exec_b",)}


@pytest.mark.usefixtures("quick")
async def test_what_builds_on_a_loser_waits_for_it():
    lane = Lane(raced("exec_b"))
    batch = [*batch_of("a", "b"), writing("exec_b2", artifact("b", version=2)), *batch_of("c")]
    outcomes = await Committer(lane).write(batch, None)
    assert [says(outcome) for outcome in outcomes] == ["written", "contended", "contended", "written"]
    assert ["exec_b2"] not in lane.sent


async def test_nothing_is_tried_any_more_once_locks_have_cost_too_much(monkeypatch):
    monkeypatch.setattr(commits, "_LAST_SECONDS", -1)
    monkeypatch.setattr(commits, "_RERUN_SECONDS", -1)
    lane = Lane(raced("exec_a", error=asyncpg.LockNotAvailableError))
    with pytest.raises(DatabaseUnavailable) as raised:
        await Committer(lane).write(batch_of("a", "b"), None)
    assert raised.value.details == {"reason": "timeout"}
    assert lane.sent == [["exec_a", "exec_b"]]


async def test_the_pause_between_two_races_is_bounded(monkeypatch):
    paused = []

    async def pause(seconds):
        paused.append(seconds)
        if len(paused) > 30:
            monkeypatch.setattr(commits, "_RERUN_SECONDS", -1)

    monkeypatch.setattr(commits.random, "uniform", lambda _, most: most)
    monkeypatch.setattr(commits, "asyncio", type("A", (), {"sleep": staticmethod(pause), "timeout": asyncio.timeout}))
    with pytest.raises(DatabaseUnavailable):
        await Committer(Lane(raced("exec_a"))).write(batch_of("a"), None)
    assert max(paused) == pytest.approx(0.2)


@pytest.mark.usefixtures("quick")
async def test_what_got_no_answer_alone_takes_no_neighbour_with_it():
    def answers(names):
        if names == ["exec_b"]:
            raise TimeoutError
        return raced()(names) if len(names) == 1 else raced(*names)(names)

    outcomes = await Committer(Lane(answers)).write(batch_of("a", "b"), None)
    assert [says(outcome) for outcome in outcomes] == ["written", "timeout"]


@pytest.mark.parametrize(
    "answer",
    [
        {"committed_at": 5, "position": "x", "outcomes": [1]},
        {"committed_at": "yesterday", "position": None, "outcomes": []},
        {**WRITTEN, "position": "x"},
        {**WRITTEN, "outcomes": []},
        {**WRITTEN, "outcomes": [1]},
        {**WRITTEN, "outcomes": [{"record": {}, "by": "key"}]},
        {**WRITTEN, "outcomes": [{"conflict": None}]},
        {},
        [],
        None,
    ],
    ids=str,
)
@pytest.mark.parametrize("names", ["a", "ab"])
async def test_an_answer_of_another_shape_is_none(answer, names):
    with pytest.raises(DatabaseUnavailable) as raised:
        await Committer(Lane(lambda _: answer)).write(batch_of(*names), None)
    assert raised.value.details == {"reason": "unintelligible"}


async def test_a_missing_function_is_no_fault_of_the_item():
    committer = Committer(Lane(raced("exec_a", "exec_b", error=asyncpg.UndefinedFunctionError)))
    for names in ("a", "ab"):
        with pytest.raises(DatabaseUnavailable) as raised:
            await committer.write(batch_of(*names), None)
        assert raised.value.details == {"reason": "schema"}


def large(name, version=1):
    payload = {"k": "x" * 3_000_000}
    return writing(f"exec_{name}_{version}", artifact(name, version=version, semantic_payload=payload))


def test_a_call_bears_a_bounded_number_of_characters(store):
    items = [large(f"a{n}") for n in range(5)]
    count, text = encode_some(items, store.tables)
    assert count == 2
    assert len(text) < 2 * batches.MOST_TEXT
    assert encode_some(items[:1], store.tables)[0] == 1
    assert encode_some([everything(f"exec_{n}", f"a{n}") for n in range(64)], store.tables)[0] == 64


async def test_a_large_batch_is_written_in_order_by_several_calls(store):
    batch = [large("a", version) for version in (1, 2, 3)] + [large(f"b{n}") for n in range(3)]
    await commit_all(store, *batch)
    assert (await store.load([ArtifactById(TENANT, "a")]))[0].version == 3


async def test_the_first_calls_of_a_large_batch_stand_when_a_later_one_gets_no_answer(store):
    def answers(names):
        if "exec_a2_1" in names:
            raise TimeoutError
        return WRITTEN

    committer = Committer(Lane(answers))
    committer.tables = store.tables
    outcomes = await committer.write([large(f"a{n}") for n in range(6)], None)
    assert [says(outcome) for outcome in outcomes] == ["written"] * 2 + ["timeout"] * 4
