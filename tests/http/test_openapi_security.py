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
