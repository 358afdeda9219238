"""Rules 4 to 8 of `refresh_session` at every edge (40-auth-sessions); rules 1 to 3 are in test_refresh_callers."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from account_platform import SERVICE
from signed_in import ANN, DAY, GRACE, HOUR, INSTANT, LONGEST, code_of, payload, rows_of, signed_in

from symphainy_platform import IntentError, isoformat
from symphainy_platform.realms.security.intent_services import list_sessions_service
from symphainy_platform.state.recent import MAX_AGE_SECONDS
from symphainy_platform.testing.clock import START


@pytest.fixture
async def sessions(tmp_path):
    async with signed_in(tmp_path) as found:
        yield found


@pytest.fixture
async def held(sessions):
    return await sessions.open()


@pytest.fixture
def digest(tmp_path):
    return lambda: rows_of(tmp_path)


def at(seconds):
    return isoformat(START + timedelta(seconds=seconds))


# Rule 4

ENDS = {
    "the last moment before expiry": (24, DAY - INSTANT, None),
    "expired": (24, DAY, None),
    "the last moment of the grace": (24, DAY + GRACE - INSTANT, None),
    "the grace is over": (24, DAY + GRACE, "SESSION_EXPIRED"),
    "long after": (24, 400 * DAY, "SESSION_EXPIRED"),
    "a short one": (1, HOUR + GRACE, "SESSION_EXPIRED"),
    "the last moment of the longest life": (168, LONGEST - INSTANT, None),
    "the longest life is over, whatever the grace": (168, LONGEST, "SESSION_EXPIRED"),
    "the grace would outlive the longest life": (167.5, LONGEST, "SESSION_EXPIRED"),
}


@pytest.mark.parametrize(("hours", "passed", "code"), ENDS.values(), ids=ENDS)
async def test_rule_4_time_ends_a_session(sessions, hours, passed, code):
    held = await sessions.open(extend_hours=hours)
    sessions.advance(passed)
    assert await code_of(sessions.refresh(held)) == code
    assert await sessions.state(held) == ("EXPIRED" if code else "ACTIVE")
    assert (await sessions.happened(held)).count("session_expired") == (1 if code else 0)


async def test_rule_4_an_expired_session_is_active_and_shown_as_expired_until_the_grace_ends(sessions, held):
    sessions.advance(DAY)
    shown = (await sessions.answer("list_sessions", ANN))["sessions"]
    assert [(entry["session_ref"], entry["expired"]) for entry in shown] == [(held.ref, True)]
    assert await sessions.state(held) == "ACTIVE"
    sessions.advance(GRACE)
    assert (await sessions.answer("list_sessions", ANN))["sessions"] == []


async def test_rule_4_sessions_that_have_ended_and_were_not_swept_hide_no_living_one(sessions, monkeypatch):
    monkeypatch.setattr(list_sessions_service, "LONGEST_LIST", 2)
    living = [await sessions.open(extend_hours=100) for _ in range(3)]
    sessions.advance(1)
    for _ in range(3):
        await sessions.open(extend_hours=1)
    sessions.advance(HOUR + GRACE)
    shown = (await sessions.answer("list_sessions", ANN))["sessions"]
    assert len(shown) == 2
    assert {entry["session_ref"] for entry in shown} < {held.ref for held in living}


async def test_rule_4_expires_once_and_for_good(sessions, held):
    sessions.advance(DAY + GRACE)
    with pytest.raises(IntentError) as refused:
        await sessions.refresh(held)
    assert refused.value.to_dict()["legacy_code"] == "E-SESSION-001"
    for hours in (24, 168, 0.1):
        assert await code_of(sessions.refresh(held, extend_hours=hours)) == "SESSION_EXPIRED"
    await sessions.platform.sweep()
    assert await sessions.happened(held) == ["session_created", "session_expired"]


@pytest.mark.parametrize("end", ["terminate", "revoke"])
async def test_rule_4_an_ended_session_is_never_refreshed(sessions, held, end):
    second = await sessions.rotate(held)
    await getattr(sessions, end)(second)
    happened = await sessions.happened(held)
    for token in (held, second):
        assert await code_of(sessions.refresh(token)) == "SESSION_TERMINATED"
    sessions.advance(400 * DAY)
    assert await code_of(sessions.refresh(second)) == "SESSION_TERMINATED"
    assert await sessions.happened(held) == happened


async def test_rule_4_a_session_ends_with_its_account(sessions):
    account = await sessions.create()
    held = sessions.held(await sessions.sign_in())
    second = await sessions.rotate(held)
    await sessions.answer("set_user_status", SERVICE, user_id=account["user_id"], status="DISABLED")
    for token in (held, second):
        assert await code_of(sessions.refresh(token)) == "SESSION_TERMINATED"
    await sessions.answer("set_user_status", SERVICE, user_id=account["user_id"], status="ACTIVE")
    assert await code_of(sessions.refresh(second)) == "SESSION_TERMINATED"


BEHIND_ITS_BACK = {
    "another epoch": "SET semantic_payload = json_set(semantic_payload, '$.epoch', 2)",
    "disabled": "SET lifecycle_state = 'DISABLED'",
    "gone": "SET artifact_id = 'usr_of_somebody_else'",
}


@pytest.mark.parametrize("change", BEHIND_ITS_BACK.values(), ids=BEHIND_ITS_BACK)
async def test_rule_4_a_session_that_its_account_no_longer_stands_behind(sessions, tmp_path, change):
    """Whatever ends an account's sessions ends them in one commit; should one be left, it holds no more."""
    account = await sessions.create()
    held = sessions.held(await sessions.sign_in())
    with closing(sqlite3.connect(tmp_path / "platform.db")) as database, database:
        database.execute(f"UPDATE artifacts {change} WHERE artifact_id = ?", [account["user_id"]])
    sessions.advance(MAX_AGE_SECONDS)
    assert await code_of(sessions.identify(held)) == "SESSION_TERMINATED"
    assert await code_of(sessions.refresh(held)) == "SESSION_TERMINATED"
    assert await sessions.state(held) == "ACTIVE"
    assert (await sessions.answer("list_sessions", held.owner))["sessions"] == []


# Rule 5

EXTENDED = {
    "from now on, not from the old end": (24, HOUR, 24, DAY + HOUR, False),
    "at once it changes nothing": (24, 0, 24, DAY, False),
    "never shorter": (100, HOUR, 1, 100 * HOUR, False),
    "a second longer": (24, 1, 24, DAY + 1, False),
    "up to the longest life": (24, DAY, 144, LONGEST, False),
    "not beyond it": (24, DAY, 144.5, LONGEST, True),
    "the most, at once": (24, 0, 168, LONGEST, False),
    "the most, later": (24, 1, 168, LONGEST, True),
    "in the grace": (24, DAY + GRACE - 1, 24, 2 * DAY + GRACE - 1, False),
}


@pytest.mark.parametrize("row", EXTENDED.values(), ids=EXTENDED)
async def test_rule_5_extends_and_caps(sessions, row):
    first, passed, hours, until, capped = row
    held = await sessions.open(extend_hours=first)
    sessions.advance(passed)
    result = await sessions.refresh(held, extend_hours=hours)
    answer = payload(result)
    assert (answer["expires_at"], answer["capped"]) == (at(until), capped)
    assert (answer["session_id"], answer["session_ref"]) == (held.session_id, held.ref)
    claims = held.after(result).claims
    assert (claims["gen"], claims["exp"]) == (2, int(START.timestamp() + until))
    assert claims["jti"] != held.claims["jti"]


async def test_rule_5_never_stacks(sessions, held):
    for gen in range(2, 7):
        held = await sessions.rotate(held, extend_hours=24)
        assert held.claims["gen"] == gen
    assert (await sessions.session(held)).expires_at == START.timestamp() + DAY


async def test_rule_5_a_life_of_refreshes_ends_after_seven_days(sessions, held):
    while sessions.clock.now() < START + timedelta(seconds=LONGEST - HOUR):
        sessions.advance(HOUR)
        held = await sessions.rotate(held)
    sessions.advance(HOUR)
    assert await code_of(sessions.refresh(held)) == "SESSION_EXPIRED"


# Rule 6

OVERLAPS = {
    "at once": (0, False, True),
    "the last moment of the overlap, used": (10, True, True),
    "the first moment after it, used": (10 + INSTANT, True, False),
    "the first moment after it, unused": (10 + INSTANT, False, True),
    "the last moment of a lost answer": (60, False, True),
    "the first moment after it": (60 + INSTANT, False, False),
    "used, a minute later": (60, True, False),
}


@pytest.mark.parametrize("row", OVERLAPS.values(), ids=OVERLAPS)
async def test_rules_6_and_7_the_token_before_gives_the_same_successor_or_ends_the_session(sessions, held, digest, row):
    passed, used, stands = row
    first = await sessions.refresh(held, extend_hours=30)
    if used:
        await sessions.use(held.after(first))
    sessions.advance(passed)
    before = digest()
    if not stands:
        assert await code_of(sessions.refresh(held)) == "SESSION_TOKEN_REUSED"
        assert await sessions.state(held) == "REVOKED"
        return
    again = await sessions.refresh(held, extend_hours=100)
    assert again.idempotent_replay
    assert (again.execution_id, again.artifacts, again.events) == (first.execution_id, first.artifacts, first.events)
    assert payload(again)["expires_at"] == payload(first)["expires_at"] == at(30 * HOUR)
    assert digest() == before


async def test_rule_6_writes_nothing_at_all(sessions, held, tmp_path):
    await sessions.refresh(held)
    await sessions.platform.drain()
    with closing(sqlite3.connect(tmp_path / "platform.db")) as database:
        before = list(database.iterdump())
        for _ in range(3):
            await sessions.refresh(held)
        await sessions.platform.drain()
        assert list(database.iterdump()) == before


async def test_rule_6_counts_from_the_rotation_not_from_the_last_answer(sessions, held):
    await sessions.rotate(held)
    for _ in range(4):
        sessions.advance(15)
        assert (await sessions.refresh(held)).idempotent_replay
    sessions.advance(INSTANT)
    assert await code_of(sessions.refresh(held)) == "SESSION_TOKEN_REUSED"


async def test_rule_6_the_use_of_the_token_before_is_no_use_of_its_successor(sessions, held):
    await sessions.use(held)
    await sessions.rotate(held)
    await sessions.use(held)
    sessions.advance(60)
    assert (await sessions.refresh(held)).idempotent_replay


# Rules 7 and 8

OLDER = {
    "two behind, at once": (1, 3, 0),
    "two behind, later": (1, 3, DAY),
    "five behind": (1, 6, 0),
    "one behind, a day later": (1, 2, DAY),
}


@pytest.mark.parametrize(("presented", "current", "passed"), OLDER.values(), ids=OLDER)
async def test_rule_7_an_older_token_revokes_once(sessions, held, presented, current, passed):
    tokens = [held]
    while len(tokens) < current:
        tokens.append(await sessions.rotate(tokens[-1]))
    sessions.advance(passed)
    with pytest.raises(IntentError) as refused:
        await sessions.refresh(tokens[presented - 1])
    assert (refused.value.code, refused.value.http_status) == ("SESSION_TOKEN_REUSED", 401)
    for token in tokens:
        assert await code_of(sessions.refresh(token)) == "SESSION_TERMINATED"
    (event,) = await sessions.events("session_revoked")
    assert (event.artifact_id, event.payload) == (held.ref, {"session_ref": held.ref, "reason": "token_reused"})
    assert (await sessions.happened(held)).count("session_refreshed") == current - 1


@pytest.mark.parametrize("gen", [2, 3, 2**31, 2**53 - 1])
async def test_rule_8_a_generation_that_is_to_come_is_no_token(sessions, held, digest, gen):
    forged = await sessions.forged(held, gen=gen)
    before = digest()
    assert await code_of(sessions.refresh(forged)) == "INVALID_SESSION_TOKEN"
    assert digest() == before
    assert await code_of(sessions.refresh(held)) is None


@pytest.mark.parametrize("gen", [0, -1, -(2**53) + 1])
async def test_rule_7_takes_a_generation_that_never_was_for_an_older_one(sessions, held, gen):
    assert await code_of(sessions.refresh(await sessions.forged(held, gen=gen))) == "SESSION_TOKEN_REUSED"
