"""A database that answers nobody: those who come in turn share one short try, and it is over with the first answer."""

import asyncio

import asyncpg
import pytest

from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.state.postgres import silence
from symphainy_platform.state.postgres.silence import Impatient


class Way:
    """Does what each call says; counts the calls that were sent."""

    def __init__(self):
        self.sent = 0

    async def run(self, work):
        self.sent += 1
        return await work(None)


async def answer(_):
    return "an answer"


async def hang(_):
    await asyncio.Event().wait()


async def time_out(_):
    raise TimeoutError


async def not_connect_in_time(_):
    raise DatabaseUnavailable(reason="timeout")


async def refuse(_):
    raise asyncpg.UniqueViolationError("x")


async def drop(_):
    raise asyncpg.ConnectionDoesNotExistError("x")


@pytest.fixture
def time(monkeypatch):
    """The seconds that have passed, as the test says."""
    passed = [100.0]
    monkeypatch.setattr(silence, "monotonic", lambda: passed[0])
    return passed


@pytest.fixture
def way():
    return Way()


@pytest.fixture
def impatient(way):
    return Impatient(way)


def be_silent(time):
    """The work of a call that hangs until it is given up."""

    async def hang_for_long(_):
        time[0] += 5
        raise TimeoutError

    return hang_for_long


async def given_up(impatient, work=time_out):
    with pytest.raises((TimeoutError, DatabaseUnavailable)):
        await impatient.run(work)


async def try_in_vain(impatient):
    """The one try after a silence, which has but a moment."""
    async with asyncio.timeout(2):
        await given_up(impatient, hang)


@pytest.mark.parametrize("first", [time_out, not_connect_in_time])
async def test_who_comes_after_a_silence_has_but_a_moment(impatient, way, time, first):
    await given_up(impatient, first)
    await try_in_vain(impatient)
    time[0] += 0.6
    sent = way.sent
    for _ in range(50):
        await given_up(impatient, answer)
    assert way.sent == sent
    time[0] += 1
    assert await impatient.run(answer) == "an answer"


async def test_one_answer_ends_the_silence(impatient, time):
    await given_up(impatient)
    assert await impatient.run(answer) == "an answer"
    time[0] += 0.6
    assert await impatient.run(answer) == "an answer"


async def test_a_refusal_is_an_answer(impatient, time):
    await given_up(impatient)
    with pytest.raises(asyncpg.UniqueViolationError):
        await impatient.run(refuse)
    time[0] += 0.6
    assert await impatient.run(answer) == "an answer"


async def test_one_slow_call_among_others_is_no_silence(impatient, time):
    async def be_slow(_):
        time[0] += 1
        await impatient.run(answer)
        time[0] += 1
        raise TimeoutError

    await given_up(impatient, be_slow)
    time[0] += 0.6
    assert await impatient.run(answer) == "an answer"


async def test_a_call_that_began_before_the_last_answer_tells_of_the_silence_after_it(impatient, time):
    async def begin_before(_):
        await impatient.run(answer)
        time[0] += 5
        raise TimeoutError

    await given_up(impatient, begin_before)
    await try_in_vain(impatient)
    time[0] += 0.6
    await given_up(impatient, answer)


@pytest.mark.parametrize("heard", [True, False])
async def test_what_one_way_finds_out_another_that_heard_nothing_lately_knows(impatient, time, heard):
    another = Impatient(Way())
    another.learn_with(impatient)

    async def hang_while_the_other_goes_on(_):
        time[0] += 3
        if heard:
            await another.run(answer)
        time[0] += 2
        raise TimeoutError

    await given_up(impatient, hang_while_the_other_goes_on)
    if heard:
        assert await another.run(answer) == "an answer"
    else:
        await try_in_vain(another)
        time[0] += 0.6
        await given_up(another, answer)


@pytest.mark.parametrize("seconds", [0.1, 0.6, 1.4])
async def test_nobody_is_refused_before_somebody_has_tried(impatient, time, seconds):
    await given_up(impatient)
    time[0] += seconds
    assert await impatient.run(answer) == "an answer"


async def test_a_short_try_does_not_make_the_silence_longer(impatient, time):
    await given_up(impatient)
    await given_up(impatient, time_out)
    time[0] += 1.5
    assert await impatient.run(answer) == "an answer"


async def test_a_lost_connection_is_neither(impatient, time):
    with pytest.raises(asyncpg.ConnectionDoesNotExistError):
        await impatient.run(drop)
    assert await impatient.run(answer) == "an answer"
    await given_up(impatient, be_silent(time))
    with pytest.raises(asyncpg.ConnectionDoesNotExistError):
        await impatient.run(drop)
    time[0] += 0.6
    await given_up(impatient, answer)
