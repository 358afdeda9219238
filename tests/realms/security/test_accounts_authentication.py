"""Signing in: one refusal for all who are refused, in words, in reads and in time."""

import asyncio
import statistics
import time

import pytest
from account_platform import EMAIL, OTHER_PASSWORD, OTHER_SERVICE, PASSWORD, SERVICE, opened

from symphainy_platform import IntentError
from symphainy_platform.realms.security import passwords

FREE = {"authenticate_limit_per_account": 10_000, "authenticate_limit_per_address": 100_000}


@pytest.fixture
async def accounts(tmp_path):
    async with opened(tmp_path) as found:
        yield found


@pytest.fixture
async def unlimited(tmp_path):
    async with opened(tmp_path, **FREE) as found:
        yield found


async def refusal(call):
    with pytest.raises(IntentError) as refused:
        await call
    return refused.value


async def disabled(accounts, email):
    made = await accounts.create(email)
    await accounts.submit("set_user_status", SERVICE, user_id=made["user_id"], status="DISABLED")


async def test_who_knows_the_password_gets_a_proof_for_a_minute(accounts):
    made = await accounts.create()
    answer = await accounts.authenticate("ANN@EXAMPLE.com")
    assert (answer["authenticated"], answer["user_id"]) == (True, made["user_id"])
    assert answer["expires_at"] == "2026-01-27T12:01:00.000000Z"
    assert set(answer) == {"authenticated", "user_id", "authentication_token", "expires_at"}


async def test_every_refusal_is_the_same(accounts):
    await accounts.create()
    await disabled(accounts, "dis@example.com")
    tries = [
        {"password": OTHER_PASSWORD},
        {"email": "nobody@example.com"},
        {"email": "dis@example.com"},
        {"email": "dis@example.com", "password": OTHER_PASSWORD},
        {"password": ""},
        {"password": PASSWORD + " "},
        {"password": "x" * 1024},
    ]
    results = [
        await accounts.submit("authenticate_user", **{"tenant": "acme", "email": EMAIL, "password": PASSWORD, **each})
        for each in tries[:5]
    ]
    accounts.clock.advance(61)
    results += [
        await accounts.submit("authenticate_user", **{"tenant": "acme", "email": EMAIL, "password": PASSWORD, **each})
        for each in tries[5:]
    ]
    answers = [(dict(result.artifacts), list(result.events)) for result in results]
    refused = {"authenticated": False, "reason": "The e-mail address or the password is wrong."}
    assert answers[0][0]["authentication_result"]["semantic_payload"] == refused
    assert answers[0][1] == [{"type": "authentication_failed", "method": "password"}]
    assert answers == answers[:1] * len(tries)


async def test_strangers_who_invent_tenants_leave_no_events_there(accounts):
    await accounts.create()
    invented = {"tenant": "umbrella", "email": EMAIL, "password": PASSWORD}
    result = await accounts.submit("authenticate_user", **invented)
    refused = {"authenticated": False, "reason": "The e-mail address or the password is wrong."}
    assert result.artifacts["authentication_result"]["semantic_payload"] == refused
    assert list(result.events) == []
    assert [event.tenant_id for event in await accounts.events() if event.tenant_id == "umbrella"] == []


async def test_events_say_how_and_whose_and_nothing_else(accounts):
    made = await accounts.create()
    await accounts.authenticate()
    await accounts.authenticate(password=OTHER_PASSWORD)
    await accounts.authenticate("nobody@example.com")
    found = await accounts.events("authentication_succeeded", "authentication_failed")
    assert [(event.type, event.user_id, dict(event.payload)) for event in found] == [
        ("authentication_succeeded", made["user_id"], {"method": "password"}),
        ("authentication_failed", made["user_id"], {"method": "password"}),
        ("authentication_failed", "unknown", {"method": "password"}),
    ]


async def test_a_person_has_an_account_in_each_tenant(accounts):
    one = await accounts.create()
    other = await accounts.create(password=OTHER_PASSWORD, by=OTHER_SERVICE)
    assert (await accounts.authenticate())["user_id"] == one["user_id"]
    assert (await accounts.authenticate(password=OTHER_PASSWORD, tenant="umbrella"))["user_id"] == other["user_id"]
    assert not (await accounts.authenticate(tenant="umbrella"))["authenticated"]


async def test_a_look_alike_is_somebody_else(accounts):
    await accounts.create()
    await accounts.create("\u0430nn@example.com", OTHER_PASSWORD)  # a Cyrillic letter
    assert not (await accounts.authenticate("\u0430nn@example.com"))["authenticated"]


KINDS = ("ann@example.com", "nobody@example.com", "dis@example.com")


async def test_known_unknown_and_disabled_cost_the_same_reads_and_one_hash(unlimited, monkeypatch):
    await unlimited.create()
    await disabled(unlimited, "dis@example.com")
    hashes, reads = [], []
    verified, load = passwords._verified, unlimited.platform.store.load

    def counted(encoded, password):
        hashes.append(encoded.rpartition("$")[0].rpartition("$")[0])
        return verified(encoded, password)

    async def watched(asked):
        reads.append([type(read).__name__ for read in asked])
        return await load(asked)

    monkeypatch.setattr(passwords, "_verified", counted)
    monkeypatch.setattr(unlimited.platform.store, "load", watched)
    costs = []
    for email in KINDS:
        hashes.clear()
        reads.clear()
        assert not (await unlimited.authenticate(email, OTHER_PASSWORD))["authenticated"]
        costs.append((list(hashes), list(reads)))
    assert len(costs[0][0]) == 1
    assert len(costs[0][1]) == 4
    assert costs == costs[:1] * 3


async def timed(accounts, rounds):
    """Seconds of refused tries by address, in turns, so that whatever else the machine does hits all alike."""
    seconds = {email: [] for email in KINDS}
    for _ in range(rounds):
        for email in KINDS:
            begun = time.perf_counter()
            await accounts.authenticate(email, OTHER_PASSWORD)
            seconds[email].append(time.perf_counter() - begun)
    return seconds


def chance_to_be_slower(one, other):
    """How often a value of one sample is above a value of the other (Mann and Whitney): a half when nothing tells."""
    return sum((a > b) + (a == b) / 2 for a in one for b in other) / (len(one) * len(other))


async def test_time_does_not_tell_a_known_address_from_an_unknown_one(unlimited):
    """With 40 values each, a chance outside a fifth to four fifths is no accident (4.6 deviations)."""
    await unlimited.create()
    await disabled(unlimited, "dis@example.com")
    known, *others = (await timed(unlimited, 40)).values()
    for other in others:
        assert 0.2 < chance_to_be_slower(known, other) < 0.8


async def test_what_is_left_without_the_hash_drowns_in_it(unlimited, monkeypatch):
    await unlimited.create()
    await disabled(unlimited, "dis@example.com")
    monkeypatch.setattr(passwords, "_verified", lambda *_: False)
    medians = [statistics.median(taken) for taken in (await timed(unlimited, 60)).values()]
    begun = time.perf_counter()
    await passwords.hashed(PASSWORD, 65536)
    one_hash = time.perf_counter() - begun
    assert max(medians) - min(medians) < one_hash / 20


async def test_nothing_secret_is_at_rest_or_in_events(tmp_path, accounts):
    await accounts.create()
    token = await accounts.proof()
    await accounts.authenticate(password=OTHER_PASSWORD)
    await accounts.platform.drain()
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in (PASSWORD, OTHER_PASSWORD, token, token.rpartition(".")[2], "argon2id"):
        assert secret.encode() not in kept


async def test_the_status_of_the_execution_shows_no_token(accounts):
    made = await accounts.create()
    parameters = {"tenant": "acme", "email": EMAIL, "password": PASSWORD}
    result = await accounts.submit("authenticate_user", **parameters)
    shown = await accounts.platform.read.execution(result.execution_id, identity=SERVICE)
    payload = shown["artifacts"]["authentication_result"]["semantic_payload"]
    assert (payload["user_id"], "authentication_token" in payload) == (made["user_id"], False)


async def tries(accounts, count, **parameters):
    outcomes = []
    for _ in range(count):
        try:
            outcomes.append((await accounts.authenticate(**parameters))["authenticated"])
        except IntentError as error:
            outcomes.append(error.code)
    return outcomes


async def test_five_tries_a_minute_for_an_account_and_the_right_password_waits_too(accounts, monkeypatch):
    await accounts.create()
    guessed = await tries(accounts, 5, password=OTHER_PASSWORD, address="192.0.2.1")
    monkeypatch.setattr(passwords, "_verified", lambda *_: pytest.fail("a refused try is hashed"))
    error = await refusal(accounts.authenticate(address="192.0.2.1"))
    assert guessed == [False] * 5
    assert (error.code, error.http_status, error.details["retry_after_seconds"]) == ("RATE_LIMITED", 429, 61)


async def test_nobody_is_locked_out_by_somebody_elses_tries(accounts):
    await accounts.create()
    await tries(accounts, 20, password=OTHER_PASSWORD, address="192.0.2.1")
    assert await tries(accounts, 1, address="192.0.2.2") == [True]
    accounts.clock.advance(61)
    assert await tries(accounts, 1, address="192.0.2.1") == [True]


async def test_an_unknown_account_is_limited_like_a_known_one(accounts):
    await accounts.create()
    for email in (EMAIL, "nobody@example.com"):
        assert (await tries(accounts, 6, email=email, password=OTHER_PASSWORD))[-2:] == [False, "RATE_LIMITED"]


async def test_the_address_of_spraying_is_limited_over_all_accounts(tmp_path):
    async with opened(tmp_path, authenticate_limit_per_address=3) as accounts:
        outcomes = [(await tries(accounts, 1, email=f"{n}@example.com", address="192.0.2.1"))[0] for n in range(4)]
        assert outcomes == [False, False, False, "RATE_LIMITED"]


async def test_refused_tries_write_nothing(accounts):
    await accounts.create()
    await tries(accounts, 10, password=OTHER_PASSWORD)
    assert len(await accounts.events("authentication_failed")) == 5


async def test_many_at_once_are_each_answered(unlimited):
    await unlimited.create()
    answers = await asyncio.gather(*(unlimited.authenticate() for _ in range(20)))
    assert len({answer["authentication_token"] for answer in answers}) == 20
