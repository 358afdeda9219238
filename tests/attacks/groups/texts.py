"""Ids, bodies, keys and log lines made of what parsers, databases, paths and terminals act upon."""

import re

from attacks.cases import Case, asked, recorded
from attacks.groups import steps
from attacks.scene import PASSWORD

_MALFORMED = "MALFORMED_REQUEST"
_VALUE = "INVALID_PARAMETER_VALUE"

_NUL, _SURROGATE = "\0", "\ud800"

_SESSION_IDS = {
    "42 characters": "sess_" + "A" * 42,
    "44 characters": "sess_" + "A" * 44,
    "another prefix": "SESS_" + "A" * 43,
    "without a prefix": "A" * 48,
    "trailing newline": "sess_" + "A" * 43 + "\n",
    "newline within": "sess_" + "A" * 42 + "\n",
    "trailing space": "sess_" + "A" * 43 + " ",
    "standard base64": "sess_" + "+/" * 21 + "A",
    "padding": "sess_" + "A" * 42 + "=",
    "path": "sess_" + "../" * 14 + "A",
    "absolute path": "/etc/passwd",
    "percent": "sess_" + "%2e" * 14 + "A",
    "wildcard": "sess_" + "%" * 43,
    "SQL": "sess_" + "' OR '1'='1' --".ljust(43, "A"),
    "SQL of a table": "sess_" + "'; DROP TABLE sessions; --".ljust(43, "A"),
    "a Cyrillic letter": "sess_" + "А" * 43,  # noqa: RUF001 - the attack
    "full-width digits": "sess_" + "１" * 43,  # noqa: RUF001 - the attack
    "a Cyrillic prefix": "ѕess_" + "A" * 43,  # noqa: RUF001 - the attack
    "zero-width joiner": "sess_" + "A" * 42 + "\u200d",
    "right-to-left": "sess_" + "A" * 42 + "\u202e",
    "escape": "sess_" + "A" * 42 + "\x1b",
    "a template": "sess_" + "{{7*7}}${jndi:ldap://x}".ljust(43, "A"),
    "JSON": '{"$ne":""}',
}
"""None is a session id; each is refused before anything is looked up."""


def _identified(intent, session_id, status=422, code="INVALID_SESSION_ID"):
    return Case(lambda s: s.submit(intent, {"session_id": session_id, "session_token": s.ann.token}), status, code)


_AT_BOTH = ("refresh_session", "terminate_session")

SESSION_IDS = {
    **{f"{intent}: {name}": _identified(intent, text) for name, text in _SESSION_IDS.items() for intent in _AT_BOTH},
    **{
        f"{intent}: {name}": _identified(intent, value, status, code)
        for intent in _AT_BOTH
        for name, (value, status, code) in {
            "empty": ("", 422, _VALUE),
            "256 characters": ("sess_" + "A" * 251, 422, _VALUE),
            "1 MB": ("A" * 1_000_000, 422, _VALUE),
            "NUL": ("sess_" + "A" * 42 + _NUL, 400, _MALFORMED),
            "lone surrogate": ("sess_" + "A" * 42 + _SURROGATE, 400, _MALFORMED),
            "a number": (7, 422, "INVALID_PARAMETER_TYPE"),
            "a list": (["sess_" + "A" * 43], 422, "INVALID_PARAMETER_TYPE"),
            "null": (None, 422, "INVALID_PARAMETER_TYPE"),
        }.items()
    },
}

_REFS = {
    "empty": "",
    "21 characters": "A" * 21,
    "23 characters": "A" * 23,
    "wildcard": "%" * 22,
    "path": "../../../../etc/passwd",
    "SQL": "' OR '1'='1' --AAAAAAA",
    "newline": "A" * 22 + "\n",
    "full-width digits": "１" * 22,  # noqa: RUF001 - the attack
    "right-to-left": "A" * 21 + "\u202e",
}

_USER_IDS = {
    "SQL": "' OR '1'='1",
    "wildcard": "%",
    "path": "../../usr_1",
    "newline": "usr_1\n",
    "right-to-left": "usr_\u202e1",
    "nobody": "usr_00000000000000000000000000000000",
}


def _by_service(intent, params, status, code, **more):
    """Even a service of the tenant reaches no further than accounts of its tenant."""
    return Case(
        lambda s: s.submit(intent, params(s), bearer=s.command_line_token({"service"}, user="operator")),
        status,
        code,
        **more,
    )


def _status(user_id, code="USER_NOT_FOUND", status=404, **more):
    return _by_service(
        "set_user_status",
        lambda s: {"user_id": user_id(s) if callable(user_id) else user_id, "status": "DISABLED"},
        status,
        code,
        **more,
    )


def _new_account(**more):
    params = {"email": "x@example.com", "password": PASSWORD, **more}
    return _by_service(
        "create_user_account", lambda _: params, 422, _VALUE, leaves=recorded("create_user_account", _VALUE)
    )


OTHER_IDS = {
    **{
        f"revoke_session: {name}": Case(
            lambda s, text=text: s.submit("revoke_session", {"session_ref": text}, bearer=s.bob.token), 422, _VALUE
        )
        for name, text in _REFS.items()
    },
    **{f"set_user_status: {name}": _status(text) for name, text in _USER_IDS.items()},
    "set_user_status: NUL": _status("usr_" + _NUL, _MALFORMED, 400),
    "set_user_status: empty": _status("", _VALUE, 422),
    "set_user_status: endless": _status("u" * 256, _VALUE, 422),
    "set_user_roles: service": _by_service(
        "set_user_roles",
        lambda s: {"user_id": s.cora.user_id, "roles": ["service"]},
        422,
        _VALUE,
        leaves=recorded("set_user_roles", _VALUE),
        before=(steps.cora,),
    ),
    "set_user_roles: service with a newline": _by_service(
        "set_user_roles",
        lambda s: {"user_id": s.cora.user_id, "roles": ["service\n"]},
        422,
        _VALUE,
        before=(steps.cora,),
    ),
    "set_user_roles: service in full width": _by_service(
        "set_user_roles",
        lambda s: {"user_id": s.cora.user_id, "roles": ["ｓervice"]},  # noqa: RUF001 - the attack
        422,
        _VALUE,
        before=(steps.cora,),
    ),
    "create_user_account: roles of a service": _new_account(roles=["editor", "service"]),
    "create_user_account: an address with an escape": _new_account(email="x\x1b[31m@example.com"),
    "create_user_account: an address with a right-to-left mark": _new_account(email="x\u202e@example.com"),
    "create_user_account: a name with an escape": _new_account(name="\x1b[2J"),
    "create_user_account: the same address in other letters": _by_service(
        "create_user_account",
        lambda s: {"email": s.cora.email.upper(), "password": "another one of mine"},
        409,
        "EMAIL_TAKEN",
        leaves=recorded("create_user_account", "EMAIL_TAKEN"),
        before=(steps.cora,),
    ),
    **{
        f"{intent}: {name}": _by_service(
            intent,
            lambda s, which=which, more=more: {"user_id": which(s), **more},
            404,
            "USER_NOT_FOUND",
            before=(steps.cora,),
        )
        for intent, more in {"set_user_status": {"status": "DISABLED"}, "set_user_roles": {"roles": ["editor"]}}.items()
        for name, which in {
            "of a session": lambda s: s.ann.ref,
            "of a credential": lambda s: s.cora.user_id.replace("usr_", "crd_"),
            "of somebody without an account": lambda s: s.ann.user_id,
            "in upper case": lambda s: s.cora.user_id.upper(),
        }.items()
    },
}


def _path(path):
    return Case(lambda s: s.get(path, bearer=s.bob.token), 404, "NOT_FOUND")


_IN_PATHS = {
    "dots": "..%2f..%2f..%2fetc%2fpasswd",
    "dots twice encoded": "%252e%252e%252f",
    "NUL": "x%00y",
    "newline": "x%0d%0aSet-Cookie:%20a=b",
    "SQL": "'%20OR%20'1'='1",
    "wildcard": "%25",
    "not UTF-8": "%ff%fe",
    "overlong": "%c0%ae",
    "endless": "x" * 4000,
    "a template": "{{7*7}}",
}

PATHS = {
    f"{place.partition('{')[0]}: {name}": _path(place.replace("{}", text))
    for place in ("/api/artifacts/{}", "/api/artifacts/{}/versions", "/api/execution/{}/status", "/api/contracts/{}")
    for name, text in _IN_PATHS.items()
} | {
    "above the root": _path("/..%2f..%2fetc/passwd"),
    "a version that is none": _path("/api/artifacts/x/versions/99999999999999999999"),
    "a version below one": _path("/api/artifacts/x/versions/0"),
    "keys, which are not published": _path("/.well-known/jwks.json"),
}

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
