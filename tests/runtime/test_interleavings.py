"""Laws under any interleaving: whoever is cancelled whenever, nobody else waits for ever and nothing is done twice."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass

import notebook_realm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runtime_callers import ANN, Caller, FakeClock

from symphainy_platform import Platform, Settings
from symphainy_platform.runtime.claim import Claims
from symphainy_platform.runtime.queues import ArtifactQueues
from symphainy_platform.state.records import Guard

STEPS = st.none() | st.integers(0, 25)
"""After how many steps of the event loop a caller goes away; None: it stays."""


@dataclass(frozen=True)
class Call:
    text: str
    key: str | None
    leaves: int | None
    by_name: bool


CALLS = st.lists(
    st.builds(
        Call, text=st.sampled_from("AB"), key=st.sampled_from([None, "k1", "k2"]), leaves=STEPS, by_name=st.booleans()
    ),
    min_size=2,
    max_size=12,
)


async def with_leavers(tasks, leaves):
    """Let all run, cancelling each after its number of steps; the results of those who stayed, by place."""
    for step in range(26):
        for task, when in zip(tasks, leaves, strict=True):
            if when == step:
                task.cancel()
        await asyncio.sleep(0)
    stayed = [place for place, when in enumerate(leaves) if when is None]
    async with asyncio.timeout(5):
        await asyncio.wait(tasks)
    return {place: tasks[place].exception() or tasks[place].result() for place in stayed}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A platform that stays open for all examples, in a loop of its own; each example has a tenant's own note."""
    with asyncio.Runner() as runner:
        home = tmp_path_factory.mktemp("interleavings")
        opened = Platform.open(Settings(home=home), clock=FakeClock(), plugins=[notebook_realm])
        platform = runner.run(opened.__aenter__())
        yield runner, platform
        runner.run(opened.__aexit__(None, None, None))


@settings(max_examples=60, deadline=None)
@given(calls=CALLS, example=st.uuids())
def test_calls_that_are_left_anywhere_strand_nobody_and_are_done_at_most_once(running, calls, example):
    runner, platform = running
    runner.run(example_of(platform, calls, str(example)))


async def example_of(platform, calls, example):
    ann = Caller(platform, ANN)
    note = (await ann("write_note", text="x")).events[0]["note_id"]
    tasks = [asyncio.create_task(submitted(ann, call, note, example)) for call in calls]
    results = await with_leavers(tasks, [call.leaves for call in calls])
    await platform.drain()
    check_quiet(platform)
    check_answers(calls, results)
    await check_versions(platform, note)


async def submitted(ann, call, note, example):
    key = call.key and f"{example}-{call.key}"
    if call.by_name:
        return await ann("keep_note", key, name=example, text=call.text)
    return await ann("edit_note", key, note_id=note, text=call.text)


def check_quiet(platform):
    parts = platform._parts
    assert not parts.claims._held
    assert not parts.queues._queues
    assert not parts.pending._by_artifact
    assert not parts.writer.busy


def check_answers(calls, results):
    """Everybody who stayed has an answer or the one refusal that is due; equal keys have equal executions."""
    executions = {}
    for place, result in results.items():
        call = calls[place]
        if isinstance(result, Exception):
            assert result.code == "IDEMPOTENCY_KEY_REUSED"
            continue
        if call.key:
            executions.setdefault(call.key, set()).add(result.execution_id)
        if call.by_name:
            executions.setdefault("name", set()).add(result.execution_id)
    assert all(len(found) == 1 for found in executions.values())


async def check_versions(platform, note):
    """Each version was produced by another execution, and each has its event."""
    found = (await platform.read.versions(note, identity=ANN, limit=200))["versions"]
    assert [entry["version"] for entry in found] == list(range(len(found), 0, -1))
    assert len({entry["produced_by"]["execution_id"] for entry in found}) == len(found)
    where = {"identity": ANN, "artifact_id": note, "after": "0"}
    events = platform.events(**where)
    async with asyncio.timeout(5):
        versions = [(await anext(events)).payload.get("version", 1) for _ in found]
    await events.aclose()
    assert versions == list(range(1, len(found) + 1))


# ------------------------------------------------------------------------------------ the parts alone


@asynccontextmanager
async def alone(inside, places):
    """Be inside of these places; nobody else may be."""
    assert not inside & places
    inside |= places
    try:
        yield
    finally:
        inside -= places


PLACES = st.frozensets(st.sampled_from("abcd"), min_size=1, max_size=3)
VISITS = st.lists(st.tuples(PLACES, st.integers(0, 3), STEPS), min_size=2, max_size=12)


@given(visits=VISITS)
@settings(max_examples=150, deadline=None)
def test_queues_let_one_in_at_a_time_and_strand_nobody(visits):
    async def visited():
        queues, inside, done = ArtifactQueues(), set(), []

        async def visit(number, places, stay):
            async with queues.turn(sorted(("t1", place) for place in places)), alone(inside, places):
                for _ in range(stay):
                    await asyncio.sleep(0)
                done.append(number)

        tasks = [asyncio.create_task(visit(n, places, stay)) for n, (places, stay, _) in enumerate(visits)]
        results = await with_leavers(tasks, [leaves for _, _, leaves in visits])
        assert set(results) <= set(done)
        assert not queues._queues
        assert not inside

    asyncio.run(visited())


@given(visits=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3), STEPS), min_size=2, max_size=12))
@settings(max_examples=150, deadline=None)
def test_claims_let_one_in_at_a_time_and_strand_nobody(visits):
    async def visited():
        claims, inside, done = Claims(), set(), []

        async def visit(number, key, stay):
            guard = Guard(digest=key.encode(), fingerprint=b"", lifetime=1)
            async with claims.hold(guard), alone(inside, {key}):
                for _ in range(stay):
                    await asyncio.sleep(0)
                done.append(number)

        tasks = [asyncio.create_task(visit(n, key, stay)) for n, (key, stay, _) in enumerate(visits)]
        results = await with_leavers(tasks, [leaves for _, _, leaves in visits])
        assert set(results) <= set(done)
        assert not claims._held

    asyncio.run(visited())
