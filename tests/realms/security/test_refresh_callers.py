"""Rules 1 to 3 of `refresh_session`: who may ask at all (40-auth-sessions)."""

import pytest
from signed_in import ANN, UNKNOWN_ID, code_of, rows_of, signed_in

from symphainy_platform import Identity, IntentError
from symphainy_platform.testing.clock import START

BOB = Identity("acme", "bob")
ELSEWHERE = Identity("umbrella", "ann")
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


# Rule 1

MALFORMED_IDS = {
    "short": "sess_" + "A" * 42,
    "long": "sess_" + "A" * 44,
    "no prefix": "A" * 48,
    "another prefix": "SESS_" + "A" * 43,
    "padded": "sess_" + "A" * 42 + "=",
    "base64, not base64url": "sess_" + "A" * 42 + "+",
    "a line break behind": UNKNOWN_ID + "\n",
    "a space before": " " + UNKNOWN_ID,
    "a look-alike": "sеss_" + "A" * 43,  # noqa: RUF001 - a Cyrillic letter
    "a digit of another script": "sess_" + "A" * 42 + "٣",
    "a path": "sess_" + "../" * 14 + "A",
    "a reference": "A" * 22,
}

HOURS = {
    "true": (True, "INVALID_PARAMETER_TYPE"),
    "text": ("24", "INVALID_PARAMETER_TYPE"),
    "null": (None, "INVALID_PARAMETER_TYPE"),
    "a list": ([24], "INVALID_PARAMETER_TYPE"),
    "zero": (0, "INVALID_PARAMETER_VALUE"),
    "minus zero": (-0.0, "INVALID_PARAMETER_VALUE"),
    "negative": (-1, "INVALID_PARAMETER_VALUE"),
    "just above": (168.0000001, "INVALID_PARAMETER_VALUE"),
    "far above": (1e300, "INVALID_PARAMETER_VALUE"),
    "not a number": (float("nan"), "MALFORMED_REQUEST"),
    "infinite": (float("inf"), "MALFORMED_REQUEST"),
    "the least": (5e-324, None),
    "a second": (1 / 3600, None),
    "whole": (24, None),
    "the most": (168, None),
    "the most as a fraction": (168.0, None),
}


@pytest.mark.parametrize("session_id", MALFORMED_IDS.values(), ids=MALFORMED_IDS)
async def test_rule_1_an_id_has_one_form(sessions, held, session_id):
    call = sessions.submit("refresh_session", session_id=session_id, session_token=held.token)
    assert await code_of(call) == "INVALID_SESSION_ID"


@pytest.mark.parametrize(("hours", "code"), HOURS.values(), ids=HOURS)
async def test_rule_1_hours_are_a_number_in_bounds_and_never_clamped(sessions, held, hours, code):
    assert await code_of(sessions.refresh(held, extend_hours=hours)) == code
    assert (await sessions.session(held)).gen == (1 if code else 2)


# Rule 2

FUTURE = {
    "as far ahead as clocks may differ": (30, None),
    "a second further": (31, "INVALID_SESSION_TOKEN"),
}


@pytest.mark.parametrize("claim", ["nbf", "iat"])
@pytest.mark.parametrize(("ahead", "code"), FUTURE.values(), ids=FUTURE)
async def test_rule_2_clocks_may_differ_by_30_seconds(sessions, held, claim, ahead, code):
    token = await sessions.forged(held, **{claim: int(START.timestamp()) + ahead})
    assert await code_of(sessions.refresh(token)) == code


@pytest.mark.parametrize("exp", [0, int(START.timestamp()) - 1, int(START.timestamp()) + 10**8])
async def test_rule_2_exp_is_not_compared_with_the_clock(sessions, held, exp):
    assert await code_of(sessions.refresh(await sessions.forged(held, exp=exp))) is None


ODD_CLAIMS = {
    "a generation that is a text": {"gen": "1"},
    "a generation that is a float": {"gen": 1.0},
    "a generation that is true": {"gen": True},
    "no tenant": {"tid": ""},
    "a user that is a number": {"sub": 7},
    "a negative time": {"iat": -1},
    "a time that is a float": {"nbf": 1.5},
    "a time that is a text": {"exp": "1769515200"},
    "a time that no calendar has": {"exp": 10**15},
    "one claim too many": {"roles": "service"},
    "another issuer": {"iss": "somebody"},
    "another audience": {"aud": "somebody"},
    "two audiences": {"aud": ["symphainy", "somebody"]},
}


@pytest.mark.parametrize("claims", ODD_CLAIMS.values(), ids=ODD_CLAIMS)
async def test_rule_2_claims_are_as_they_are_made_here(sessions, held, claims):
    assert await code_of(sessions.refresh(await sessions.forged(held, **claims))) == "INVALID_SESSION_TOKEN"


def changed(token, place):
    return token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]


async def test_rule_2_a_token_changed_at_any_place_is_refused_in_one_way(sessions, held):
    envelopes = set()
    for place in range(0, len(held.token), 7):
        with pytest.raises(IntentError) as refused:
            await sessions.refresh(held.with_token(changed(held.token, place)))
        envelope = refused.value.to_dict()
        envelopes.add((envelope["error_code"], envelope["error"], str(envelope.get("details"))))
    assert len(envelopes) == 1
    assert envelopes.pop()[0] == "INVALID_SESSION_TOKEN"


@pytest.fixture
def looks(sessions, monkeypatch):
    """What is asked of the store."""
    asked = []
    load = sessions.platform.store.load

    async def counted(reads):
        asked.extend(reads)
        return await load(reads)

    monkeypatch.setattr(sessions.platform.store, "load", counted)
    return asked


@pytest.mark.parametrize("token", [GARBAGE, "a.b.c", "x" * 4096, "e30.e30.e30"])
async def test_rule_2_garbage_never_costs_a_look(sessions, held, looks, token):
    assert await code_of(sessions.refresh(held.with_token(token))) == "INVALID_SESSION_TOKEN"
    assert await code_of(sessions.refresh(held.with_token(changed(held.token, -5)))) == "INVALID_SESSION_TOKEN"
    assert looks == []


# Rule 3


async def test_rule_3_foreign_and_unknown_are_told_apart_by_nobody(sessions, held):
    foreign = await sessions.open(ELSEWHERE)
    seen = []
    for session_id in (UNKNOWN_ID, foreign.session_id):
        with pytest.raises(IntentError) as refused:
            await sessions.submit("refresh_session", session_id=session_id, session_token=held.token)
        envelope = refused.value.to_dict()
        seen.append({name: value for name, value in envelope.items() if name not in ("execution_id", "trace_id")})
    assert seen[0] == seen[1]
    assert (seen[0]["error_code"], seen[0]["legacy_code"]) == ("SESSION_NOT_FOUND", "E-SESSION-002")


NOT_OF_THE_ROW = {
    "the tenant": ({"tid": "umbrella"}, "SESSION_NOT_FOUND"),
    "the user": ({"sub": "bob"}, "INVALID_SESSION_TOKEN"),
    "the session": ({"sid": "A" * 22}, "INVALID_SESSION_TOKEN"),
}


@pytest.mark.parametrize(("claims", "code"), NOT_OF_THE_ROW.values(), ids=NOT_OF_THE_ROW)
async def test_rule_3_the_token_is_the_rows(sessions, held, digest, claims, code):
    forged = await sessions.forged(held, **claims)
    before = digest()
    assert await code_of(sessions.refresh(forged)) == code
    assert digest() == before


@pytest.mark.parametrize("other", [ANN, BOB], ids=["of the same user", "of a colleague"])
async def test_rule_3_id_and_token_of_two_sessions(sessions, held, other):
    theirs = await sessions.open(other)
    assert await code_of(sessions.refresh(held.with_token(theirs.token))) == "INVALID_SESSION_TOKEN"
    assert await code_of(sessions.refresh(theirs.with_token(held.token))) == "INVALID_SESSION_TOKEN"
