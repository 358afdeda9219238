"""Which pages of other origins may call, and which of them with the browser's cookie."""

import pytest
from exchange import Exchange

from symphainy_platform import Settings
from symphainy_platform.http.answers import json_answer
from symphainy_platform.http.cors import with_cors

APP, PARTNER, OTHER = "https://app.example", "https://partner.example", "https://other.example"
BEARER = {"cors_origins": (APP, PARTNER), "public_origins": (APP,)}
COOKIE = {**BEARER, "session_cookie": True}


async def answer(settings, method, *origins):
    async def app(scope, receive, send):
        await json_answer({})(scope, receive, send)

    asked = [("Origin", origin) for origin in origins]
    preflight = [("Access-Control-Request-Method", "POST")] if method == "OPTIONS" else []
    exchange = Exchange(with_cors(app, Settings(**settings)), method, "/", [*asked, *preflight])
    headers = {name.decode(): value.decode() for name, value in (await exchange.next())["headers"]}
    await exchange.task
    return headers.get("access-control-allow-origin"), headers.get("access-control-allow-credentials")


CASES = {
    "bearer mode": (BEARER, [APP], (APP, None)),
    "cookie mode, a trusted page": (COOKIE, [APP], (APP, "true")),
    "cookie mode, a page that may only call": (COOKIE, [PARTNER], (PARTNER, None)),
    "cookie mode, any other page": (COOKIE, [OTHER], (None, None)),
    "cookie mode, an opaque origin": (COOKIE, ["null"], (None, None)),
    "cookie mode, two origins": (COOKIE, [OTHER, APP], (None, None)),
    "cookie mode without CORS": ({**COOKIE, "cors_origins": ()}, [APP], (None, None)),
    "cookie mode, nothing public": ({**COOKIE, "public_origins": ()}, [APP], (APP, None)),
}


@pytest.mark.parametrize("method", ["OPTIONS", "POST"])
@pytest.mark.parametrize(("settings", "origins", "allowed"), CASES.values(), ids=CASES)
async def test_only_trusted_pages_may_send_the_cookie(settings, origins, allowed, method):
    assert await answer(settings, method, *origins) == allowed
