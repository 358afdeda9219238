"""Every wrong request of 10-runtime answers its code, and leaves the state as it was."""

import json

import pytest

SUBMIT = "/api/intent/submit"
GOOD = {"intent_type": "initialize_chat_session", "parameters": {}}
MIB = 1024 * 1024


def body(text):
    return {"content": text if isinstance(text, bytes) else text.encode()}


def envelope(**changed):
    return body(json.dumps({key: value for key, value in (GOOD | changed).items() if value is not ...}))


def parameters(text):
    return body('{"intent_type":"initialize_chat_session","parameters":{"initial_context":' + text + "}}")


def headers(*pairs):
    return {"headers": [("Content-Type", "application/json"), *pairs], **envelope()}


def media_type(*values):
    return {"headers": [("Content-Type", value) for value in values], **envelope()}


def chunked(size):
    """A body without Content-Length."""
    return {"content": iter([b"x" * MIB] * (size // MIB) + [b"x" * (size % MIB)])}


WRONG = {
    # the body
    "empty": (body(""), 400, "MALFORMED_REQUEST"),
    "not JSON": (body("intent=1"), 400, "MALFORMED_REQUEST"),
    "truncated": (body('{"intent_type":"x"'), 400, "MALFORMED_REQUEST"),
    "two values": (body("{}{}"), 400, "MALFORMED_REQUEST"),
    "an array": (body("[]"), 400, "MALFORMED_REQUEST"),
    "null": (body("null"), 400, "MALFORMED_REQUEST"),
    "single quotes": (body("{'intent_type':'x'}"), 400, "MALFORMED_REQUEST"),
    "trailing comma": (body('{"intent_type":"x","parameters":{},}'), 400, "MALFORMED_REQUEST"),
    "a BOM": (body(b"\xef\xbb\xbf" + json.dumps(GOOD).encode()), 400, "MALFORMED_REQUEST"),
    "UTF-16": (body(json.dumps(GOOD).encode("utf-16")), 400, "MALFORMED_REQUEST"),
    "latin-1": (body(b'{"intent_type":"\xe9","parameters":{}}'), 400, "MALFORMED_REQUEST"),
    "duplicate key": (body('{"intent_type":"a","intent_type":"b","parameters":{}}'), 400, "MALFORMED_REQUEST"),
    "duplicate key within": (parameters('{"a":1,"a":2}'), 400, "MALFORMED_REQUEST"),
    "NaN": (parameters('{"a":NaN}'), 400, "MALFORMED_REQUEST"),
    "Infinity": (parameters('{"a":-Infinity}'), 400, "MALFORMED_REQUEST"),
    "1e400": (parameters('{"a":1e400}'), 400, "MALFORMED_REQUEST"),
    "2^53": (parameters('{"a":9007199254740992}'), 400, "MALFORMED_REQUEST"),
    "-2^64": (parameters('{"a":-18446744073709551616}'), 400, "MALFORMED_REQUEST"),
    "65 levels": (parameters("[" * 63 + "]" * 63), 400, "MALFORMED_REQUEST"),
    "10,000 levels": (parameters("[" * 10_000 + "]" * 10_000), 400, "MALFORMED_REQUEST"),
    "NUL": (parameters(r'{"a":"\u0000"}'), 400, "MALFORMED_REQUEST"),
    "NUL in a key": (parameters(r'{"\u0000":1}'), 400, "MALFORMED_REQUEST"),
    "lone surrogate": (parameters(r'{"a":"\ud800"}'), 400, "MALFORMED_REQUEST"),
    "__proto__": (parameters('{"__proto__":{}}'), 400, "MALFORMED_REQUEST"),
    "too large": (body(b" " * (5 * MIB + 1)), 413, "PAYLOAD_TOO_LARGE"),
    "too large, length not told": (chunked(5 * MIB + 1), 413, "PAYLOAD_TOO_LARGE"),
    "just not too large": (body(b" " * (5 * MIB)), 400, "MALFORMED_REQUEST"),
    "large and not strict": (parameters('{"a":"%s","a":1}' % ("x" * 300_000)), 400, "MALFORMED_REQUEST"),
    # its media type
    "no media type": (media_type(), 415, "UNSUPPORTED_MEDIA_TYPE"),
    "a form": (media_type("application/x-www-form-urlencoded"), 415, "UNSUPPORTED_MEDIA_TYPE"),
    "text": (media_type("text/plain"), 415, "UNSUPPORTED_MEDIA_TYPE"),
    "JSON in another charset": (media_type("application/json; charset=latin-1"), 415, "UNSUPPORTED_MEDIA_TYPE"),
    "JSON of another kind": (media_type("application/json-patch+json"), 415, "UNSUPPORTED_MEDIA_TYPE"),
    "two media types": (media_type("application/json", "text/plain"), 415, "UNSUPPORTED_MEDIA_TYPE"),
    # the envelope
    "unknown field": (envelope(tenant_id="t2"), 400, "MALFORMED_REQUEST"),
    "no intent type": (envelope(intent_type=...), 400, "MALFORMED_REQUEST"),
    "intent type a number": (envelope(intent_type=1), 400, "MALFORMED_REQUEST"),
    "intent type null": (envelope(intent_type=None), 400, "MALFORMED_REQUEST"),
    "no parameters": (envelope(parameters=...), 400, "MALFORMED_REQUEST"),
    "parameters an array": (envelope(parameters=[]), 400, "MALFORMED_REQUEST"),
    "parameters null": (envelope(parameters=None), 400, "MALFORMED_REQUEST"),
    "metadata a string": (envelope(metadata="x"), 400, "MALFORMED_REQUEST"),
    "metadata too large": (envelope(metadata={"x": "x" * 16_384}), 400, "MALFORMED_REQUEST"),
    "contract version a number": (envelope(contract_version=1), 400, "MALFORMED_REQUEST"),
    # the intent
    "unknown intent": (envelope(intent_type="initialise_chat_session"), 404, "UNKNOWN_INTENT"),
    "unknown version": (envelope(contract_version="9.0.0"), 404, "UNKNOWN_INTENT"),
    "endless version": (envelope(contract_version="9" * 5000), 400, "MALFORMED_REQUEST"),
    "version that is none": (envelope(contract_version="latest"), 404, "UNKNOWN_INTENT"),
    "unknown parameter": (envelope(parameters={"user_id": "eve"}), 422, "UNKNOWN_PARAMETER"),
    "missing parameter": (envelope(intent_type="update_chat_context"), 422, "MISSING_PARAMETER"),
    "parameter of the wrong type": (envelope(parameters={"active_agent": 1}), 422, "INVALID_PARAMETER_TYPE"),
    "parameter null": (envelope(parameters={"active_agent": None}), 422, "INVALID_PARAMETER_TYPE"),
    "parameter true for a number": (
        envelope(intent_type="get_chat_session", parameters={"history_limit": True}),
        422,
        "INVALID_PARAMETER_TYPE",
    ),
    "parameter out of range": (
        envelope(intent_type="get_chat_session", parameters={"history_limit": 1001}),
        422,
        "INVALID_PARAMETER_VALUE",
    ),
    "id in capitals": (
        envelope(
            intent_type="get_chat_session", parameters={"chat_session_id": "0B6E9D1C-5F0A-4A3E-9C1D-2F7F3A1B8E55"}
        ),
        422,
        "INVALID_PARAMETER_VALUE",
    ),
    "no session": (
        envelope(intent_type="update_chat_context", parameters={"context_updates": {"a": 1}}),
        404,
        "SESSION_NOT_FOUND",
    ),
    # the headers
    "two keys": (headers(("Idempotency-Key", "a"), ("Idempotency-Key", "a")), 400, "INVALID_IDEMPOTENCY_KEY"),
    "empty key": (headers(("Idempotency-Key", "")), 400, "INVALID_IDEMPOTENCY_KEY"),
    "key with a space": (headers(("Idempotency-Key", "a b")), 400, "INVALID_IDEMPOTENCY_KEY"),
    "key not ASCII": (headers((b"Idempotency-Key", "é".encode())), 400, "INVALID_IDEMPOTENCY_KEY"),
    "key too long": (headers(("Idempotency-Key", "k" * 256)), 400, "INVALID_IDEMPOTENCY_KEY"),
    # the path
    "a query": ({"url": f"{SUBMIT}?trace=1", **envelope()}, 400, "MALFORMED_REQUEST"),
    "unknown path": ({"url": "/api/intents", **envelope()}, 404, "NOT_FOUND"),
    "trailing slash": ({"url": f"{SUBMIT}/", **envelope()}, 404, "NOT_FOUND"),
    "GET": ({"method": "GET"}, 405, "METHOD_NOT_ALLOWED"),
    "PUT": ({"method": "PUT", **envelope()}, 405, "METHOD_NOT_ALLOWED"),
}


@pytest.fixture
def ann(server):
    with server.client(tenant="wrong") as client:
        yield client


@pytest.mark.parametrize(("request_", "status", "code"), WRONG.values(), ids=WRONG)
def test_a_wrong_request_answers_its_code_and_changes_nothing(server, ann, request_, status, code):
    before = server.state()
    request_ = {"headers": {"Content-Type": "application/json"}, "method": "POST", "url": SUBMIT} | request_
    answer = ann.request(**request_)
    failure = answer.json()
    assert (answer.status_code, failure["error_code"]) == (status, code)
    assert failure.keys() == {
        "error",
        "error_code",
        "execution_id",
        "intent_type",
        "retryable",
        "details",
        "trace_id",
    }
    assert failure["error"]
    assert failure["retryable"] is False
    assert server.state() == before


def test_a_rejection_is_named_logged_and_no_echo_of_what_was_sent(server, ann):
    answer = ann.post(SUBMIT, json=GOOD | {"f" * 100_000: 1})
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, "f" * 80)
    lines = [json.loads(line) for line in (server.folder / "log").read_text().splitlines()]
    (logged,) = [line for line in lines if line.get("execution_id") == answer.json()["execution_id"]]
    assert (logged["event"], logged["outcome"]) == ("rejected", "MALFORMED_REQUEST")


NOBODY = {
    "no header": [],
    "empty": [("Authorization", "")],
    "no scheme": [("Authorization", "TOKEN")],
    "basic": [("Authorization", "Basic TOKEN")],
    "no token": [("Authorization", "Bearer")],
    "two spaces": [("Authorization", "Bearer  TOKEN")],
    "two tokens": [("Authorization", "Bearer TOKEN TOKEN")],
    "twice": [("Authorization", "Bearer TOKEN"), ("Authorization", "Bearer TOKEN")],
    "joined": [("Authorization", "Bearer TOKEN, Bearer TOKEN")],
    "truncated": [("Authorization", "Bearer TOKE")],
    "5 KB": [("Authorization", "Bearer " + "x" * 5000)],
    "in a cookie": [("Cookie", "__Host-session=TOKEN")],
}
ROUTES = [
    ("POST", SUBMIT),
    ("GET", "/api/execution/exec_1/status"),
    ("GET", "/api/artifacts"),
    ("GET", "/api/artifacts/x"),
    ("GET", "/api/artifacts/x/versions"),
    ("GET", "/api/artifacts/x/versions/1"),
    ("GET", "/api/events"),
]


@pytest.mark.parametrize("nobody", NOBODY.values(), ids=NOBODY)
def test_nobody_gets_nothing(server, nobody):
    token = server.token(tenant="wrong")
    replaced = [(name, value.replace("TOKEN", token).replace("TOKE", token[:-1])) for name, value in nobody]
    before = server.state()
    with server.client() as client:
        del client.headers["Authorization"]
        for method, path in ROUTES:
            given = {"content": json.dumps(GOOD), "headers": [("Content-Type", "application/json"), *replaced]}
            answer = client.request(method, path, **(given if method == "POST" else {"headers": replaced}))
            assert (answer.status_code, answer.json()["error_code"]) == (401, "UNAUTHENTICATED")
            assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert server.state() == before


@pytest.mark.parametrize("name", ["token", "access_token", "authorization", "bearer"])
def test_a_token_in_the_url_is_refused(server, name):
    path = f"/api/events?{name}={server.token()}"
    with server.client() as client:
        assert client.get(path).status_code == 400
        del client.headers["Authorization"]
        assert client.get(path).status_code == 401


BAD_QUERIES = {
    "unknown": ("/api/artifacts?owner=eve", 400, "MALFORMED_REQUEST"),
    "twice": ("/api/artifacts?type=a&type=b", 400, "MALFORMED_REQUEST"),
    "limit zero": ("/api/artifacts?limit=0", 422, "INVALID_PARAMETER_VALUE"),
    "limit large": ("/api/artifacts?limit=201", 422, "INVALID_PARAMETER_VALUE"),
    "limit a word": ("/api/artifacts?limit=ten", 422, "INVALID_PARAMETER_VALUE"),
    "limit signed": ("/api/artifacts?limit=%2B5", 422, "INVALID_PARAMETER_VALUE"),
    "limit in other digits": ("/api/artifacts?limit=%D9%A1", 422, "INVALID_PARAMETER_VALUE"),
    "cursor": ("/api/artifacts?cursor=x", 422, "INVALID_PARAMETER_VALUE"),
    "event cursor": ("/api/events?after=x", 422, "INVALID_PARAMETER_VALUE"),
    "endless event cursor": (f"/api/events?after={'x' * 5000}", 422, "INVALID_PARAMETER_VALUE"),
    "version zero": ("/api/artifacts/x/versions/0", 404, "NOT_FOUND"),
    "version beyond": (f"/api/artifacts/x/versions/{10**30}", 404, "NOT_FOUND"),
    "version a word": ("/api/artifacts/x/versions/last", 404, "NOT_FOUND"),
    "artifact": ("/api/artifacts/x", 404, "NOT_FOUND"),
    "artifact as SQL": ("/api/artifacts/x'%20or%201=1--", 404, "NOT_FOUND"),
    "artifact as a path": ("/api/artifacts/..%2F..%2Fkeys", 404, "NOT_FOUND"),
    "artifact with NUL": ("/api/artifacts/%00", 404, "NOT_FOUND"),
    "execution": ("/api/execution/exec_1/status", 404, "NOT_FOUND"),
    "contract": ("/api/contracts/nope", 404, "NOT_FOUND"),
}


@pytest.mark.parametrize(("path", "status", "code"), BAD_QUERIES.values(), ids=BAD_QUERIES)
def test_a_wrong_question_answers_its_code(ann, path, status, code):
    answer = ann.get(path)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
