"""What the OpenAPI document says of tokens, cookies and secrets."""

import pytest

from symphainy_platform.contract.load import load_folders
from symphainy_platform.contract.openapi import openapi
from symphainy_platform.resources import data_folder

SUBMIT = "/api/intent/submit"
SIGNED_IN = [{"bearer": []}, {"cookie": []}]


@pytest.fixture(scope="module")
def document():
    return openapi(load_folders([data_folder("contracts")]), "1")


def test_there_is_a_bearer_and_a_cookie(document):
    schemes = document["components"]["securitySchemes"]
    assert {name: (scheme["type"], scheme.get("in")) for name, scheme in schemes.items()} == {
        "bearer": ("http", None),
        "cookie": ("apiKey", "cookie"),
    }
    assert schemes["cookie"]["name"] == "__Host-session"
    assert document["security"] == SIGNED_IN


SECURITY = {
    "authenticate_user": [],
    "create_session": [],
    "refresh_session": [],
    "terminate_session": [],
    "validate_authorization": [{}, *SIGNED_IN],
    "list_sessions": None,
    "get_chat_session": None,
}


@pytest.mark.parametrize("intent", SECURITY)
def test_public_intents_need_neither(document, intent):
    assert document["paths"][f"{SUBMIT}#{intent}"]["post"].get("security") == SECURITY[intent]


def test_secrets_go_one_way(document):
    schemas = document["components"]["schemas"]
    sent = schemas["RefreshSessionParameters"]["properties"]["session_token"]
    password = schemas["AuthenticateUserParameters"]["properties"]["password"]
    assert all((each["format"], each["writeOnly"]) == ("password", True) for each in (sent, password))
    payload = schemas["RefreshSessionAnswer"]["properties"]["artifacts"]["properties"]["session"]
    answered = payload["properties"]["semantic_payload"]["properties"]
    assert (answered["session_token"]["format"], answered["session_token"]["readOnly"]) == ("password", True)
    assert "readOnly" not in answered["session_ref"]


@pytest.fixture(scope="module")
def with_cookies():
    return openapi(load_folders([data_folder("contracts")]), "1", cookies=True)


def payload_of(document, name):
    artifact = document["components"]["schemas"][f"{name}Answer"]["properties"]["artifacts"]["properties"]["session"]
    return artifact["properties"]["semantic_payload"]


@pytest.mark.parametrize("name", ["RefreshSession", "TerminateSession"])
def test_in_cookie_mode_the_token_is_no_parameter(with_cookies, document, name):
    sent, in_bearer_mode = (each["components"]["schemas"][f"{name}Parameters"] for each in (with_cookies, document))
    assert "session_token" not in {*sent["properties"], *sent["required"]}
    assert "session_token" in in_bearer_mode["required"]


@pytest.mark.parametrize("name", ["CreateSession", "RefreshSession"])
def test_in_cookie_mode_the_token_is_in_no_answer(with_cookies, document, name):
    answered = payload_of(with_cookies, name)
    assert "session_token" not in {*answered["properties"], *answered["required"]}
    assert "session_token" in payload_of(document, name)["required"]


@pytest.mark.parametrize(
    ("intent", "cookie", "security"),
    [
        ("create_session", True, []),
        ("refresh_session", True, [{"cookie": []}, {"bearer": []}]),
        ("terminate_session", True, [{"cookie": []}, {"bearer": []}]),
        ("authenticate_user", False, []),
        ("list_sessions", False, None),
    ],
)
def test_in_cookie_mode_an_operation_tells_of_cookie_and_origin(with_cookies, intent, cookie, security):
    operation = with_cookies["paths"][f"{SUBMIT}#{intent}"]["post"]
    assert ("Set-Cookie" in operation["responses"]["200"].get("headers", {})) is cookie
    assert "CSRF_REJECTED" in operation["responses"]["403"]["description"]
    assert operation.get("security") == security
