"""What of an intent the cookie carries: its parameter, its answer, and how long."""

from datetime import UTC, datetime

import pytest

from symphainy_platform.errors import UnknownParameter
from symphainy_platform.http.session_cookie import NO_COOKIE, CookieUse

NOW = datetime(2026, 1, 27, 12, tzinfo=UTC)
USE = CookieUse("session_token", frozenset({"session_token", "token"}), ("session", "session_token"))
ENDING = CookieUse("session_token", frozenset({"session_token"}))
TAIL = "; Path=/; Secure; HttpOnly; SameSite=Lax"


def envelope(**payload):
    return {"status": "completed", "artifacts": {"session": {"result_type": "artifact", "semantic_payload": payload}}}


def test_an_absent_parameter_is_filled_from_the_cookie():
    assert USE.filled({"a": 1}, "abc") == {"a": 1, "session_token": "abc"}
    assert USE.filled({"a": 1}, None) == {"a": 1}
    assert NO_COOKIE.filled({"session_token": "x"}, "abc") == {"session_token": "x"}


@pytest.mark.parametrize("name", ["session_token", "token"])
@pytest.mark.parametrize("token", ["abc", None])
def test_the_parameter_itself_is_refused_and_not_echoed(name, token):
    with pytest.raises(UnknownParameter) as refused:
        USE.filled({name: "hunter2"}, token)
    assert refused.value.details["parameter"] == name
    assert "hunter2" not in str(refused.value.to_dict())


SET = {
    "until the browser closes": ({"remember": False}, ""),
    "without a word on it": ({}, ""),
    "a remark that is no yes": ({"remember": "true"}, ""),
    "until the grace has ended": ({"remember": True, "expires_at": "2026-01-27T13:00:00.000000Z"}, "; Max-Age=7200"),
    "never less than nothing": ({"remember": True, "expires_at": "2026-01-27T10:00:00Z"}, "; Max-Age=0"),
}


@pytest.mark.parametrize(("payload", "age"), SET.values(), ids=SET)
def test_the_token_moves_from_the_body_into_the_cookie(payload, age):
    answer = envelope(lifecycle_state="ACTIVE", session_token="abc", session_id="s", **payload)
    shown, headers = USE.taken(answer, NOW)
    assert shown == envelope(lifecycle_state="ACTIVE", session_id="s", **payload)
    assert headers == [(b"set-cookie", f"__Host-session=abc{TAIL}{age}".encode())]
    assert "session_token" in answer["artifacts"]["session"]["semantic_payload"]  # the original is the runtime's


@pytest.mark.parametrize("use", [USE, ENDING])
@pytest.mark.parametrize("state", ["TERMINATED", "REVOKED", "EXPIRED"])
def test_a_session_that_has_ended_clears_the_cookie(use, state):
    shown, headers = use.taken(envelope(lifecycle_state=state, session_id="s"), NOW)
    assert shown == envelope(lifecycle_state=state, session_id="s")
    assert headers == [(b"set-cookie", f"__Host-session={TAIL}; Max-Age=0".encode())]


@pytest.mark.parametrize("use", [USE, ENDING, NO_COOKIE])
def test_without_a_token_nothing_is_set(use):
    assert use.taken(envelope(lifecycle_state="ACTIVE"), NOW) == (envelope(lifecycle_state="ACTIVE"), [])


def test_an_intent_that_knows_no_cookie_sets_none():
    answer = envelope(lifecycle_state="TERMINATED", session_token="abc")
    assert NO_COOKIE.taken(answer, NOW) == (answer, [])
