"""Refusals of sessions: the first rule that fails decides; effects of rules 4 and 7 come exactly once."""

import asyncio
import sqlite3
from contextlib import closing

import pytest
from signed_in import DAY, GRACE, INSTANT, UNKNOWN_ID, code_of, rows_of, signed_in

from symphainy_platform import Identity
from symphainy_platform.state.sqlite.store import SqliteStore
from symphainy_platform.testing.clock import ManualClock

BOB = Identity("acme", "bob")
GARBAGE = "garbage"


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


# The order


async def over(sessions, held):
    del held
    sessions.advance(DAY + GRACE)


async def ended(sessions, held):
    await sessions.terminate(held)


async def replaced_twice(sessions, held):
    await sessions.rotate(await sessions.rotate(held))


async def replaced_long_ago(sessions, held):
    await sessions.rotate(held)
    sessions.advance(61)


ORDER = {
    "hours before the id": ([], {"extend_hours": 0, "session_id": "x"}, {}, "INVALID_PARAMETER_VALUE"),
    "the id before the token": ([], {"session_id": "x", "session_token": GARBAGE}, {}, "INVALID_SESSION_ID"),
    "the token before the row": ([], {"session_id": UNKNOWN_ID, "session_token": GARBAGE}, {}, "INVALID_SESSION_TOKEN"),
    "the row before its token": ([], {"session_id": UNKNOWN_ID}, {"sub": "bob"}, "SESSION_NOT_FOUND"),
    "the token's row before the state": ([ended], {}, {"sub": "bob"}, "INVALID_SESSION_TOKEN"),
    "the token's row before the time": ([over], {}, {"sid": "A" * 22}, "INVALID_SESSION_TOKEN"),
    "the state before an old generation": ([replaced_twice, ended], {}, {}, "SESSION_TERMINATED"),
    "the time before an old generation": ([replaced_twice, over], {}, {}, "SESSION_EXPIRED"),
    "the state before the time": ([ended, over], {}, {}, "SESSION_TERMINATED"),
    "the state before the overlap": ([ended], {}, {}, "SESSION_TERMINATED"),
    "the state before a later generation": ([ended], {}, {"gen": 9}, "SESSION_TERMINATED"),
    "the time before a later generation": ([over], {}, {"gen": 9}, "SESSION_EXPIRED"),
    "an older generation is not one to come": ([replaced_long_ago], {}, {}, "SESSION_TOKEN_REUSED"),
}


@pytest.mark.parametrize("row", ORDER.values(), ids=ORDER)
async def test_the_first_rule_that_fails_decides(sessions, held, row):
    before, sent, claims, code = row
    presented = await sessions.forged(held, **claims)
    for step in before:
        await step(sessions, held)
    assert await code_of(sessions.submit("refresh_session", **{**presented.params, **sent})) == code


# Effects of rules 4 and 7, exactly once


async def expiring(sessions):
    held = await sessions.open()
    sessions.advance(DAY + GRACE)
    return held


async def stolen(sessions):
    held = await sessions.open()
    await replaced_twice(sessions, held)
    return held


EFFECTS = {
    "rule 4": (expiring, "SESSION_EXPIRED", "SESSION_EXPIRED", "session_expired", "EXPIRED"),
    "rule 7": (stolen, "SESSION_TOKEN_REUSED", "SESSION_TERMINATED", "session_revoked", "REVOKED"),
}


@pytest.mark.parametrize("row", EFFECTS.values(), ids=EFFECTS)
async def test_effects_of_a_refusal_come_once_from_twenty_at_once(sessions, tmp_path, row):
    prepare, first, later, event, state = row
    async with signed_in(tmp_path, sessions.clock) as others:
        held = await prepare(sessions)
        calls = [code_of(each.refresh(held)) for _ in range(10) for each in (sessions, others)]
        codes = await asyncio.gather(*calls)
        assert first in codes
        assert set(codes) <= {first, later}
        if first != later:
            assert codes.count(first) == 1
        assert (await sessions.happened(held)).count(event) == 1
        assert [await each.state(held) for each in (sessions, others)] == [state, state]


@pytest.mark.parametrize("row", EFFECTS.values(), ids=EFFECTS)
async def test_a_refusal_changes_what_is_declared_and_nothing_else(sessions, digest, row):
    prepare, first, _, event, state = row
    held = await prepare(sessions)
    before, session = digest(), await sessions.session(held)
    assert await code_of(sessions.refresh(held)) == first
    after, ended = digest(), await sessions.session(held)
    changed = {name for name in before if before[name] != after[name]} - {"sqlite_sequence"}
    assert changed == {"artifacts", "artifact_versions", "sessions", "outbox"}
    assert (ended.state, ended.artifact.version) == (state, session.artifact.version + 1)
    assert ended.artifact.semantic_payload == session.artifact.semantic_payload
    assert len(after["outbox"]) == len(before["outbox"]) + 1
    assert (await sessions.happened(held))[-1] == event


def impatient(connection):
    connection.execute("PRAGMA busy_timeout = 10")


@pytest.mark.parametrize(("prepare", "first"), [row[:2] for row in EFFECTS.values()], ids=EFFECTS)
async def test_a_refusal_whose_effects_cannot_be_written_ends_nothing(tmp_path, prepare, first):
    file, clock = tmp_path / "platform.db", ManualClock()
    async with signed_in(tmp_path, clock, SqliteStore(file, clock, prepare=impatient)) as sessions:
        held = await prepare(sessions)
        await sessions.platform.drain()
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert await code_of(sessions.refresh(held)) == "DATABASE_UNAVAILABLE"
        assert await sessions.state(held) == "ACTIVE"
        assert await code_of(sessions.refresh(held)) == first


# Terminate applies rules 1 to 3, and works through the grace

TERMINATES = {
    "a malformed id": ({"session_id": "x"}, {}, "INVALID_SESSION_ID"),
    "garbage": ({"session_token": GARBAGE}, {}, "INVALID_SESSION_TOKEN"),
    "an unknown id": ({"session_id": UNKNOWN_ID}, {}, "SESSION_NOT_FOUND"),
    "another user": ({}, {"sub": "bob"}, "INVALID_SESSION_TOKEN"),
    "another tenant": ({}, {"tid": "umbrella"}, "SESSION_NOT_FOUND"),
}


@pytest.mark.parametrize(("sent", "claims", "code"), TERMINATES.values(), ids=TERMINATES)
async def test_terminate_applies_rules_1_to_3(sessions, held, sent, claims, code):
    forged = await sessions.forged(held, **claims)
    assert await code_of(sessions.submit("terminate_session", **{**forged.params, **sent})) == code
    assert await sessions.state(held) == "ACTIVE"


async def test_terminate_works_through_the_grace_and_repeats(sessions, held):
    sessions.advance(DAY + GRACE - INSTANT)
    first = await sessions.terminate(held)
    sessions.advance(30 * DAY)
    assert await sessions.terminate(held) == first
    assert first["lifecycle_state"] == "TERMINATED"
    assert await sessions.happened(held) == ["session_created", "session_terminated"]


async def test_terminate_comes_too_late_for_what_time_or_revocation_has_ended(sessions, held):
    revoked = await sessions.open(BOB)
    await sessions.revoke(revoked)
    assert await code_of(sessions.terminate(revoked)) == "SESSION_TERMINATED"
    sessions.advance(DAY + GRACE)
    assert await code_of(sessions.terminate(held)) == "SESSION_EXPIRED"
