"""What other services may learn of a session, and the keys that verify its token."""

import base64
import json

import httpx
import jwt
import pytest
from live_server import running

INTROSPECT = "/api/session/introspect"
JWKS = "/.well-known/jwks.json"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("introspected"), SYMPHAINY_JWKS="true") as server:
        yield server


def introspect(server, token, **service):
    headers = server.bearer(**{"tenant": "t1", "user": "ops", "roles": ["service"], **service})
    answer = httpx.post(f"{server.url}{INTROSPECT}", json={"token": token}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_session_is_told_to_a_service_of_its_tenant(server):
    token, _, session_ref = server.open_session(roles=["editor"])
    told = introspect(server, token)
    assert told == {
        "active": True,
        "tenant_id": "t1",
        "user_id": "ann",
        "session_ref": session_ref,
        "roles": ["editor"],
        "expires_at": told["expires_at"],
    }
    assert told["expires_at"].endswith("Z")


def test_of_everything_else_nothing_is_told(server):
    token, session_id, _ = server.open_session()
    ended, ended_id, _ = server.open_session()
    server.submit("terminate_session", {"session_id": ended_id, "session_token": ended})
    inactive = {
        "of another tenant": server.open_session(tenant="t2")[0],
        "of a service": server.token(user="ops", roles=["service"]),
        "of nobody yet": server.service_token("t1", "ann", frozenset(), 60),
        "ended": ended,
        "truncated": token[:-1],
        "padded": f"{token}=",
        "no token": "x",
        "empty": "",
        "an id": session_id,
        "endless": "x" * 10_000,
        "not ASCII": "é",
    }
    told = {name: introspect(server, each) for name, each in inactive.items()}
    assert told == {name: {"active": False} for name in inactive}
    assert introspect(server, token)["active"]


WRONG = {
    "no token": ({}, 400),
    "a number": ({"token": 1}, 400),
    "null": ({"token": None}, 400),
    "more than a token": ({"token": "x", "tenant_id": "t2"}, 400),
    "an array": (["x"], 400),
    "too large": ({"token": "x" * 20_000}, 413),
}


@pytest.mark.parametrize(("body", "status"), WRONG.values(), ids=WRONG)
def test_a_wrong_question_is_refused(server, body, status):
    headers = server.bearer(user="ops", roles=["service"])
    assert httpx.post(f"{server.url}{INTROSPECT}", json=body, headers=headers).status_code == status


def test_only_services_ask(server):
    body = {"token": server.token()}
    refused = httpx.post(f"{server.url}{INTROSPECT}", json=body, headers=server.bearer())
    assert (refused.status_code, refused.json()["error_code"]) == (403, "PERMISSION_DENIED")
    nobody = httpx.post(f"{server.url}{INTROSPECT}", json=body)
    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")
    form = httpx.post(f"{server.url}{INTROSPECT}", data=body, headers=server.bearer(user="ops", roles=["service"]))
    assert form.status_code == 415
    assert httpx.get(f"{server.url}{INTROSPECT}").status_code == 405


def test_published_keys_verify_a_session_and_hold_nothing_private(server):
    token = server.token()
    keys = httpx.get(f"{server.url}{JWKS}").json()["keys"]
    assert all(key.keys() == {"kty", "crv", "x", "kid", "alg", "use"} for key in keys)
    kid = jwt.get_unverified_header(token)["kid"]
    key = jwt.PyJWK(next(key for key in keys if key["kid"] == kid)).key
    claims = jwt.decode(token, key, algorithms=["EdDSA"], audience="symphainy", issuer="symphainy")
    payload = token.split(".")[1]
    assert claims == json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def test_keys_are_not_published_by_default(tmp_path):
    with running(tmp_path) as server:
        answer = httpx.get(f"{server.url}{JWKS}")
        assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")
