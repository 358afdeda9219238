"""Two tabs refresh, requests overlap and answers get lost: nobody honest is signed out, and a thief is found."""

import asyncio
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import pytest
import structlog
from browser import Action, Browser, Copy, Flight, Tab
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from signed_in import payload, signed_in
from virtual_time import VirtualTime

ON_ONE_STAGE = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}

seconds = st.floats(0, 5, allow_nan=False).map(lambda value: round(value, 2))
flights = st.builds(Flight, seconds, seconds, st.sampled_from([None, None, "request", "answer"]))
slow_flights = st.builds(Flight, st.just(10.0), st.just(0.0), st.sampled_from([None, "request", "answer"]))
pauses = seconds | st.sampled_from([0, 9, 10, 11, 12, 30, 59, 61, 3600])
actions = st.builds(Action, pauses, st.sampled_from(["use", "refresh", "refresh", "reload"]))
lives = st.lists(actions, min_size=1, max_size=6)
networks = st.lists(flights | slow_flights, max_size=12)


@pytest.fixture
def stage():
    """Runs `play(sessions)`, again and again, on one platform: only the clock goes on.

    In memory, where the system has such a folder: thousands of commits wait for no disk.
    """
    memory = Path("/dev/shm")  # noqa: S108 - the folder in it has a name of its own
    with (
        TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder,
        asyncio.Runner() as runner,
        structlog.testing.capture_logs(),
    ):
        context = signed_in(Path(folder))
        sessions = runner.run(context.__aenter__())
        yield lambda play: runner.run(play(sessions))
        runner.run(context.__aexit__(None, None, None))


@pytest.mark.timeout(600)
@settings(max_examples=1000, **ON_ONE_STAGE)
@given(one=lives, other=lives, network=networks)
def test_two_tabs_of_an_honest_user_are_never_signed_out(stage, one, other, network):
    async def play(sessions):
        time = VirtualTime(sessions.clock)
        held = await sessions.open()
        browser = Browser(sessions, time, held, network)
        for life in (one, other):
            time.begin(Tab(browser, life).live())
        await time.run()
        time.begin(Tab(browser, [Action(61, "use"), Action(1, "refresh"), Action(11, "use")]).live())
        await time.run()
        session, happened = await sessions.session(held), await sessions.happened(held)
        assert session.state == "ACTIVE"
        assert happened == ["session_created"] + ["session_refreshed"] * (session.gen - 1)

    stage(play)


@settings(max_examples=300, **ON_ONE_STAGE)
@given(moves=st.lists(st.tuples(pauses, st.booleans(), st.sampled_from(["use", "refresh"])), max_size=10),
       thief_first=st.booleans())  # fmt: skip
def test_a_thief_is_found_at_latest_when_both_have_used_their_copies(stage, moves, thief_first):
    async def play(sessions):
        held = await sessions.open()
        owner, thief = Copy(sessions, held, {}), Copy(sessions, held, {})
        for pause, is_thief, does in moves:
            sessions.advance(pause)
            await getattr(thief if is_thief else owner, does)()
        for gen in owner.presented.keys() & thief.presented.keys():
            assert abs(owner.presented[gen] - thief.presented[gen]) <= timedelta(seconds=60)
        for each in (thief, owner) if thief_first else (owner, thief):
            sessions.advance(61)
            await each.refresh()
        assert await sessions.state(held) == "REVOKED"
        assert (await sessions.happened(held)).count("session_revoked") == 1
        for each in (owner, thief):
            assert await each.use() in {"UNAUTHENTICATED", "SESSION_TERMINATED"}
            assert await each.refresh() == "SESSION_TERMINATED"

    stage(play)


@pytest.fixture
async def platforms(tmp_path):
    async with signed_in(tmp_path) as one, signed_in(tmp_path, one.clock) as other:
        yield one, other


@pytest.mark.parametrize("count", [1, 2], ids=["on one platform", "on two platforms over one file"])
async def test_twenty_refreshes_at_once_make_one_rotation_and_twenty_equal_answers(platforms, count):
    for _ in range(5):
        held = await platforms[0].open()
        for gen in range(2, 5):
            calls = [platforms[number % count].refresh(held, extend_hours=number + 1) for number in range(20)]
            results = await asyncio.gather(*calls)
            answers = {orjson.dumps(payload(result)) for result in results}
            assert len(answers) == 1
            assert sorted(result.idempotent_replay for result in results) == [False] + [True] * 19
            assert len({result.execution_id for result in results}) == 1
            held = held.after(results[0])
            assert (await platforms[0].session(held)).gen == gen == held.claims["gen"]
        assert (await platforms[0].happened(held)).count("session_refreshed") == 3
