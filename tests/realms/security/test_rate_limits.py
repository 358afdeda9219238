"""A sliding minute per key, by a time that is passed in; nothing is remembered for longer than it counts."""

from datetime import UTC, datetime, timedelta

import pytest

from symphainy_platform import RateLimited, Settings
from symphainy_platform.realms.security import rate_limits
from symphainy_platform.realms.security.rate_limits import RateLimits, subscriber, try_password

NOON = datetime(2026, 1, 27, 12, 0, tzinfo=UTC)


def at(seconds):
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def limits(tmp_path):
    return RateLimits(Settings(home=tmp_path, refresh_limit_per_session=3))


def admitted(limits, seconds, *key):
    try:
        limits.hit("refresh_session", *key, now=at(seconds))
    except RateLimited:
        return False
    return True


def test_as_many_as_the_setting_says_in_any_minute(limits):
    hits = [admitted(limits, second, "s") for second in (0, 20, 40, 59, 60, 61, 80, 81, 101)]
    assert hits == [True, True, True, False, False, True, False, True, True]


def test_a_refusal_says_when_to_come_back_and_then_there_is_room(limits):
    for second in (0, 1, 2):
        limits.hit("refresh_session", "s", now=at(second))
    with pytest.raises(RateLimited) as refused:
        limits.hit("refresh_session", "s", now=at(10))
    wait = refused.value.details["retry_after_seconds"]
    assert wait == 51
    assert (refused.value.http_status, refused.value.retryable) == (429, True)
    limits.hit("refresh_session", "s", now=at(10 + wait))


def test_what_is_refused_is_not_counted(limits):
    hits = [admitted(limits, second, "s") for second in (0, 0, 0, *range(1, 60), 61)]
    assert hits[:3] + hits[-1:] == [True] * 4
    assert not any(hits[3:-1])


def test_keys_do_not_share(limits):
    assert [admitted(limits, 0, key) for key in "aaab"] == [True, True, True, True]
    assert not admitted(limits, 0, "a")


def test_one_try_is_counted_once_however_often_it_is_run_again(limits):
    for _ in range(10):
        limits.hit("refresh_session", "s", now=NOON, once="exec_1")
    assert admitted(limits, 0, "s")


def test_what_is_over_a_minute_old_is_forgotten(limits):
    for number in range(100):
        limits.hit("refresh_session", str(number), now=NOON)
    limits.hit("refresh_session", "late", now=at(61))
    assert len(limits._buckets) == 1


def test_memory_is_bounded_within_a_minute_too(limits, monkeypatch):
    monkeypatch.setattr(rate_limits, "_CAPACITY", 10)
    for number in range(100):
        limits.hit("refresh_session", str(number), now=NOON)
    assert [key for _, key in limits._buckets] == [str(number) for number in range(90, 100)]


@pytest.fixture
def tries(tmp_path):
    limits = RateLimits(Settings(home=tmp_path, authenticate_limit_per_account=2, authenticate_limit_per_address=3))

    def admitted(account, address):
        try:
            try_password(limits, account, address, now=NOON, once="")
        except RateLimited:
            return False
        return True

    return admitted


def test_an_account_is_guessed_at_slowly_from_one_address_and_never_locked(tries):
    assert [tries("ann", "192.0.2.1") for _ in range(3)] == [True, True, False]
    assert tries("ann", "192.0.2.2")


def test_an_address_guesses_slowly_at_all_accounts_together(tries):
    assert [tries(name, "192.0.2.1") for name in ("a", "b", "c", "d")] == [True, True, True, False]


SUBSCRIBERS = [
    (None, None, True),
    ("192.0.2.1", "192.0.2.2", False),
    ("2001:db8::1", "2001:db8::ffff:2", True),
    ("2001:db8::1", "2001:db8:0:1::1", False),
    ("::ffff:192.0.2.1", "192.0.2.1", True),
    ("testclient", "other", False),
]


@pytest.mark.parametrize(("one", "other", "same"), SUBSCRIBERS)
def test_who_an_address_stands_for(one, other, same):
    assert (subscriber(one) == subscriber(other)) is same
