"""Bodies, Idempotency-Keys and log lines made of what parsers, stores and terminals act upon."""

import re

from attacks.cases import Case, asked
from attacks.groups import steps

_MALFORMED = "MALFORMED_REQUEST"

_GOOD = b'{"intent_type":"list_sessions","parameters":{}}'

_BODIES = {
    "empty": b"",
    "no JSON": b"{",
    "two documents": _GOOD + _GOOD,
    "trailing text": _GOOD + b"x",
    "a BOM": b"\xef\xbb\xbf" + _GOOD,
    "not UTF-8": b'{"intent_type":"list_sessions","parameters":{"a":"\xff"}}',
    "UTF-16": _GOOD.decode().encode("utf-16"),
    "an array": b"[" + _GOOD + b"]",
    "a text": b'"list_sessions"',
    "null": b"null",
    "intent twice": b'{"intent_type":"get_chat_session","intent_type":"list_sessions","parameters":{}}',
    "parameters twice": b'{"intent_type":"list_sessions","parameters":{},"parameters":{}}',
    "a parameter twice": b'{"intent_type":"revoke_session","parameters":{"scope":"others","scope":"all"}}',
    "a parameter twice, escaped": b'{"intent_type":"revoke_session",'
    b'"parameters":{"scope":"others","s\\u0063ope":"all"}}',
    "NaN": b'{"intent_type":"list_sessions","parameters":{"a":NaN}}',
    "Infinity": b'{"intent_type":"list_sessions","parameters":{"a":Infinity}}',
    "2^64": b'{"intent_type":"list_sessions","parameters":{"a":18446744073709551616}}',
    "-2^64": b'{"intent_type":"list_sessions","parameters":{"a":-18446744073709551616}}',
    "2^53": b'{"intent_type":"list_sessions","parameters":{"a":9007199254740992}}',
    "a number of 5,000 digits": b'{"intent_type":"list_sessions","parameters":{"a":' + b"9" * 5000 + b"}}",
    "10,000 deep": b'{"intent_type":"list_sessions","parameters":{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}}",
    "10,000 objects deep": b'{"intent_type":"list_sessions","parameters":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001,
    "10,000 open": b"[" * 10_000,
    "65 deep": b'{"intent_type":"list_sessions","parameters":{"a":' + b"[" * 64 + b"]" * 64 + b"}}",
    "NUL in a text": b'{"intent_type":"list_sessions","parameters":{"a":"\\u0000"}}',
    "lone surrogate": b'{"intent_type":"list_sessions","parameters":{"a":"\\ud800"}}',
    "__proto__": b'{"intent_type":"list_sessions","parameters":{"__proto__":{"is_service":true}}}',
    "__proto__ outside": b'{"__proto__":{},"intent_type":"list_sessions","parameters":{}}',
    "parameters an array": b'{"intent_type":"list_sessions","parameters":[]}',
    "parameters missing": b'{"intent_type":"list_sessions"}',
    "intent an object": b'{"intent_type":{"$ne":""},"parameters":{}}',
    "comment": b'{"intent_type":"list_sessions",/**/"parameters":{}}',
    "single quotes": b"{'intent_type':'list_sessions','parameters':{}}",
}

BODIES = {
    name: Case(lambda s, body=body: s.post(body, bearer=s.bob.token), 400, _MALFORMED) for name, body in _BODIES.items()
} | {
    "over 5 MiB": Case(lambda s: s.post(b" " * 5_300_000 + _GOOD, bearer=s.bob.token), 413, "PAYLOAD_TOO_LARGE"),
    "intent as a path": Case(lambda s: s.submit("../../list_sessions", {}, bearer=s.bob.token), 404, "UNKNOWN_INTENT"),
    "intent as a module": Case(lambda s: s.submit("os.system", {}, bearer=s.bob.token), 404, "UNKNOWN_INTENT"),
    "intent with an escape": Case(
        lambda s: s.submit("list_sessions\x1b[31m", {}, bearer=s.bob.token), 404, "UNKNOWN_INTENT"
    ),
    "intent in full width": Case(
        lambda s: s.submit("ｌist_sessions", {}, bearer=s.bob.token),  # noqa: RUF001 - the attack
        404,
        "UNKNOWN_INTENT",
    ),
    "an empty query parameter": Case(
        lambda s: s.post(_GOOD, bearer=s.bob.token, path="/api/intent/submit?x="), 400, _MALFORMED
    ),
    **{
        f"as {media or 'nothing'}": Case(
            lambda s, media=media: s.post(_GOOD, bearer=s.bob.token, media=media), 415, "UNSUPPORTED_MEDIA_TYPE"
        )
        for media in (
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/json; charset=utf-7",
            "",
        )
    },
}


def _keyed(key, status, code, **more):
    return Case(
        lambda s: s.submit("initialize_chat_session", {}, bearer=s.bob.token, headers=[("Idempotency-Key", key)]),
        status,
        code,
        **more,
    )


def chat(name, *, key):
    """Somebody has opened a chat with a key of their own."""

    def step(scene):
        person = getattr(scene, name)
        headers = [("Idempotency-Key", key)]
        made = scene.submit("initialize_chat_session", {}, bearer=person.token, headers=headers).json()
        scene.chat = made["artifacts"]["chat_session"]["semantic_payload"]["chat_session_id"]
        scene.execution = made["execution_id"]

    return step


def _no_chat(scene, answer):
    assert scene.chat not in answer.text
    assert answer.json()["artifacts"]["chat_session"]["semantic_payload"] == {"exists": False}


KEYS = {
    "of a colleague": Case(
        lambda s: s.submit("get_chat_session", {}, bearer=s.bob.token, headers=[("Idempotency-Key", "ours")]),
        200,
        leaves=asked("get_chat_session"),
        before=(chat("ann", key="ours"),),
        then=_no_chat,
    ),
    "of another tenant": Case(
        lambda s: s.submit("get_chat_session", {}, bearer=s.eve.token, headers=[("Idempotency-Key", "ours")]),
        200,
        leaves=asked("get_chat_session"),
        before=(chat("ann", key="ours"),),
        then=_no_chat,
    ),
    "of one's own, for another intent": Case(
        lambda s: s.submit("list_sessions", {}, bearer=s.ann.token, headers=[("Idempotency-Key", "ours")]),
        422,
        "IDEMPOTENCY_KEY_REUSED",
        before=(chat("ann", key="ours"),),
    ),
    "of one's own, with another payload": Case(
        lambda s: s.submit(
            "update_chat_context",
            {"context_updates": {"shared_intent": "other"}},
            bearer=s.ann.token,
            headers=[("Idempotency-Key", "ours")],
        ),
        422,
        "IDEMPOTENCY_KEY_REUSED",
        before=(chat("ann", key="ours"),),
    ),
    "of one's own, after the session ended": Case(
        lambda s: s.submit("initialize_chat_session", {}, bearer=s.ann.token, headers=[("Idempotency-Key", "ours")]),
        401,
        "SESSION_TERMINATED",
        before=(chat("ann", key="ours"), steps.terminated),
    ),
    "of Ann, for whoever has no token": Case(
        lambda s: s.submit("initialize_chat_session", {}, headers=[("Idempotency-Key", "ours")]),
        401,
        "UNAUTHENTICATED",
        before=(chat("ann", key="ours"),),
    ),
    "empty": _keyed("", 400, "INVALID_IDEMPOTENCY_KEY"),
    "256 characters": _keyed("k" * 256, 400, "INVALID_IDEMPOTENCY_KEY"),
    "with a space": _keyed("a b", 400, "INVALID_IDEMPOTENCY_KEY"),
    "with a letter beyond ASCII": _keyed("schlüssel".encode(), 400, "INVALID_IDEMPOTENCY_KEY"),
    "twice": Case(
        lambda s: s.submit(
            "initialize_chat_session",
            {},
            bearer=s.bob.token,
            headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "b")],
        ),
        400,
        "INVALID_IDEMPOTENCY_KEY",
    ),
    "at a public intent, with another payload": Case(
        lambda s: s.refresh(s.bob, token=s.ann.token, headers=[("Idempotency-Key", "ours")]),
        401,
        "INVALID_SESSION_TOKEN",
        before=(lambda s: s.refresh(s.bob, headers=[("Idempotency-Key", "ours")]),),
    ),
}
"""Keys are one caller's own, and name one call."""


_BREAKS = {
    "newline": 'x\n{"level":"error","event":"forged"}',
    "carriage return": "x\r\x1b[2Kforged",
    "terminal colours": "\x1b[31mred\x1b[0m",
    "terminal title": "\x1b]0;owned\x07",
    "C1 escape": "\x9b31m",
    "line separator": "x\u2028forged",
    "backspaces": "x\b\b\bforged",
    "right-to-left": "x\u202eforged",
}


_ACTED_UPON = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202e]")
"""What terminals and readers of lines act upon, the line's own end aside."""


def _log_is_whole(scene, answer):
    """What was sent neither starts a line nor moves a cursor, and is not in the log at all."""
    log = scene.server.log.since(0)
    assert "forged" not in log
    assert "owned" not in log
    assert not _ACTED_UPON.search(log)
    assert "forged" not in "".join(answer.headers.values())


def _logged(send, status, code, **more):
    return Case(send, status, code, then=_log_is_whole, **more)


LINES = {
    f"{place}: {name}": _logged(lambda s, text=text, send=send: send(s, text), status, code)
    for name, text in _BREAKS.items()
    for place, (send, status, code) in {
        "intent": (lambda s, text: s.submit(text, {}, bearer=s.bob.token), 404, "UNKNOWN_INTENT"),
        "parameter": (
            lambda s, text: s.submit("list_sessions", {text: 1}, bearer=s.bob.token),
            422,
            "UNKNOWN_PARAMETER",
        ),
        "session_id": (lambda s, text: s.refresh(s.ann, session_id=text), 422, "INVALID_SESSION_ID"),
        "version": (
            lambda s, text: s.submit("list_sessions", {}, bearer=s.bob.token, contract_version=text),
            404,
            "UNKNOWN_INTENT",
        ),
    }.items()
}
"""Log lines keep to themselves."""
