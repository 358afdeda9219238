"""How long a refused sign-in takes tells nothing: known, unknown and disabled addresses have one distribution."""

import gc
import itertools
import math
import random
from time import perf_counter

import pytest
import structlog
from account_platform import EMAIL, MEMORY, OTHER_PASSWORD, PASSWORD, SERVICE
from signed_in import signed_in

from symphainy_platform.realms.security import accounts as accounts_of_the_realm
from symphainy_platform.realms.security import passwords
from symphainy_platform.realms.security.intent_services import authenticate_user_service

DISABLED = "bob@example.com"
TRIES = {
    "known, wrong password": (EMAIL, OTHER_PASSWORD),
    "unknown": ("nobody@example.com", PASSWORD),
    "disabled, wrong password": (DISABLED, OTHER_PASSWORD),
    "disabled, its password": (DISABLED, PASSWORD),
}
ROUNDS = 40
SAME = 4.0
"""Standard deviations of the rank sum that chance reaches once in 16,000 comparisons."""


@pytest.fixture
async def accounts(tmp_path):
    limits = {"authenticate_limit_per_account": 10**6, "authenticate_limit_per_address": 10**6}
    async with signed_in(tmp_path, **limits) as found:
        await found.create()
        disabled = await found.create(DISABLED)
        await found.answer("set_user_status", SERVICE, user_id=disabled["user_id"], status="DISABLED")
        with structlog.testing.capture_logs():
            yield found


async def samples(accounts, tries, rounds=ROUNDS):
    """Seconds of each try, in rounds of a random order, so that whatever else the machine does meets them all."""
    taken = {name: [] for name in tries}
    order = random.Random(1)  # noqa: S311 - an order, no secret
    gc.disable()
    try:
        for number in range(rounds + 1):
            for name in order.sample(list(tries), len(tries)):
                email, password = tries[name]
                began = perf_counter()
                answer = await accounts.authenticate(email, password)
                seconds = perf_counter() - began
                assert not answer["authenticated"]
                if number:  # the first round only warms up
                    taken[name].append(seconds)
    finally:
        gc.enable()
    return taken


def rank_test(one, other):
    """How far the rank sum of `one` is from what chance gives, in standard deviations (Mann and Whitney, 1947)."""
    smaller = sum((a > b) + (a == b) / 2 for a in one for b in other)
    pairs = len(one) * len(other)
    return (smaller - pairs / 2) / math.sqrt(pairs * (len(one) + len(other) + 1) / 12)


def differing(taken):
    """The pairs whose distributions differ."""
    scores = {
        (one, other): rank_test(taken[one], taken[other]) for one, other in itertools.combinations(sorted(taken), 2)
    }
    return {pair: score for pair, score in scores.items() if abs(score) >= SAME}


async def test_no_address_is_told_from_another_by_time(accounts):
    """A difference that is there is there each time; one that only this machine's noise has made is not."""
    found = {}
    for _ in range(3):
        found = differing(await samples(accounts, TRIES))
        if not found:
            return
    pytest.fail(f"time tells apart: {found}")


async def test_the_words_are_the_same_too(accounts):
    answers = [await accounts.authenticate(email, password) for email, password in TRIES.values()]
    assert all(answer == answers[0] for answer in answers)
    assert set(answers[0]) == {"authenticated", "reason"}
    events = await accounts.events("authentication_failed")
    assert {str(event.payload) for event in events} == {"{'method': 'password'}"}


async def returns_early(encoded, password):
    """The seeded bug: nothing is hashed for somebody who is not there."""
    return False if password == PASSWORD else await passwords.is_password_of(encoded, password)


async def hashes_cheaply(keys, memory_kib):
    """The seeded bug: the hash of nobody was made with parameters of yesterday."""
    return (await passwords.hash_of_nobody(keys, memory_kib)).replace("t=3", "t=1")


BUGS = {
    "an early return": (authenticate_user_service, "is_password_of", returns_early),
    "a cheaper hash": (accounts_of_the_realm, "hash_of_nobody", hashes_cheaply),
}


@pytest.mark.parametrize(("place", "name", "bug"), BUGS.values(), ids=BUGS)
async def test_a_shortcut_is_found_by_far(accounts, monkeypatch, place, name, bug):
    monkeypatch.setattr(place, name, bug)
    two = {name: TRIES[name] for name in ("known, wrong password", "unknown")}
    assert differing(await samples(accounts, two, rounds=30))


async def test_the_hash_is_a_real_one(accounts):
    assert accounts.platform.settings.password_memory_kib == MEMORY
    assert "m=19456,t=3" in await passwords.hash_of_nobody(accounts.platform.keys, MEMORY)


def test_the_rank_test_knows_chance_from_a_shift():
    noise = random.Random(7)  # noqa: S311 - samples, no secret
    one, other = ([noise.lognormvariate(0, 1) for _ in range(ROUNDS)] for _ in range(2))
    assert abs(rank_test(one, other)) < 2
    assert rank_test([value + 10 for value in one], other) > SAME
    assert rank_test(one, [value + 10 for value in other]) < -SAME
