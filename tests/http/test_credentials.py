"""Who asks, and from which page: tables of requests, without a server."""

import pytest

from symphainy_platform import Settings
from symphainy_platform.errors import CsrfRejected, Unauthenticated, UnsupportedMediaType
from symphainy_platform.http.credentials import credentials_of, guard_post, own_origin
from symphainy_platform.http.proxy import TrustedProxy

OURS = "https://app.example"
JSON = ("Content-Type", "application/json")
BEARER = Settings()
COOKIE = Settings(session_cookie=True)
PUBLIC = Settings(session_cookie=True, public_origins=(OURS, "https://www.example"))


def scope_of(*headers, scheme="https", client="192.0.2.7"):
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return {"type": "http", "scheme": scheme, "client": (client, 1), "headers": raw}


def authorization(value):
    return ("Authorization", value)


def cookie(value):
    return ("Cookie", value)


TOKENS = {
    "nothing": (COOKIE, [], None),
    "a bearer": (BEARER, [authorization("Bearer abc")], "abc"),
    "a bearer in small letters": (BEARER, [authorization("bearer abc")], "abc"),
    "a cookie": (COOKIE, [cookie("__Host-session=abc")], "abc"),
    "a cookie among others": (COOKIE, [cookie("a=b; __Host-session=abc;c=d")], "abc"),
    "a cookie in a line of its own": (COOKIE, [cookie("a=b"), cookie("__Host-session=abc")], "abc"),
    "a cookie with a sign of equality": (COOKIE, [cookie("__Host-session=a=b")], "a=b"),
    "a cookie outside cookie mode": (BEARER, [cookie("__Host-session=abc")], None),
    "a cookie of another name": (COOKIE, [cookie("session=a; __Secure-session=a; __host-session=a; x=a")], None),
    "the name of a cookie in a value": (COOKIE, [cookie("a=__Host-session=abc")], None),
    "a cookie with a space": (COOKIE, [cookie("__Host-session=a b")], ""),
    "a cookie that is no ASCII": (COOKIE, [cookie("__Host-session=é")], ""),
    "an empty cookie": (COOKIE, [cookie("__Host-session=")], ""),
    "both": (COOKIE, [authorization("Bearer abc"), cookie("__Host-session=def")], "abc"),
    "a broken header and a cookie": (COOKIE, [authorization("Basic abc"), cookie("__Host-session=def")], None),
    "an empty header and a cookie": (COOKIE, [authorization(""), cookie("__Host-session=def")], None),
    "two headers and a cookie": (
        COOKIE,
        [authorization("Bearer a"), authorization("Bearer a"), cookie("__Host-session=def")],
        None,
    ),
    "a header and two cookies": (
        COOKIE,
        [authorization("Bearer a"), cookie("__Host-session=a; __Host-session=b")],
        "a",
    ),
}


@pytest.mark.parametrize(("settings", "headers", "token"), TOKENS.values(), ids=TOKENS)
def test_a_token_is_in_the_header_else_in_cookie_mode_in_the_cookie(settings, headers, token):
    assert credentials_of(settings, scope_of(*headers)).token == token


@pytest.mark.parametrize(
    "lines",
    [
        ["__Host-session=a; __Host-session=b"],
        ["__Host-session=a; __Host-session=a"],
        ["__Host-session=a; __Host-session="],
        ["__Host-session=a", "__Host-session=b"],
    ],
)
def test_of_two_session_cookies_none_is_believed(lines):
    with pytest.raises(Unauthenticated):
        credentials_of(COOKIE, scope_of(*map(cookie, lines)))


def origin(value):
    return ("Origin", value)


HOST = ("Host", "api.example")
LET_IN = {
    "bearer mode": (BEARER, [JSON]),
    "bearer mode with a foreign origin": (BEARER, [JSON, origin("https://evil.example")]),
    "its own page": (COOKIE, [JSON, HOST, origin("https://api.example")]),
    "its own page, the port told": (COOKIE, [JSON, ("Host", "api.example:443"), origin("https://api.example")]),
    "its own page on another port": (COOKIE, [JSON, ("Host", "api.example:444"), origin("https://api.example:444")]),
    "its own page, in capitals": (COOKIE, [JSON, ("Host", "API.example"), origin("https://api.example")]),
    "its own page without a cookie": (COOKIE, [JSON, HOST, origin("https://api.example")]),
    "a public page": (PUBLIC, [JSON, HOST, origin(OURS)]),
    "another public page": (PUBLIC, [JSON, HOST, origin("https://www.example"), cookie("__Host-session=a")]),
    "a bearer from anywhere": (COOKIE, [JSON, HOST, authorization("Bearer a"), origin("https://evil.example")]),
    "a bearer without a page": (PUBLIC, [JSON, authorization("Bearer a")]),
}
FORGED = {
    "no origin": (COOKIE, [JSON, HOST]),
    "no origin, with a cookie": (COOKIE, [JSON, HOST, cookie("__Host-session=a")]),
    "an empty origin": (COOKIE, [JSON, HOST, origin("")]),
    "an opaque origin": (COOKIE, [JSON, HOST, origin("null")]),
    "an opaque origin where nothing is known": (COOKIE, [JSON, origin("null")]),
    "another site": (COOKIE, [JSON, HOST, origin("https://evil.example")]),
    "another scheme": (COOKIE, [JSON, HOST, origin("http://api.example")]),
    "another port": (COOKIE, [JSON, HOST, origin("https://api.example:444")]),
    "a host below": (COOKIE, [JSON, HOST, origin("https://x.api.example")]),
    "a host that begins so": (COOKIE, [JSON, HOST, origin("https://api.example.evil.example")]),
    "a path": (COOKIE, [JSON, HOST, origin("https://api.example/")]),
    "two origins": (COOKIE, [JSON, HOST, origin("https://api.example"), origin("https://evil.example")]),
    "twice its own": (COOKIE, [JSON, HOST, origin("https://api.example"), origin("https://api.example")]),
    "a list of origins": (COOKIE, [JSON, HOST, origin("https://api.example https://evil.example")]),
    "two hosts": (COOKIE, [JSON, HOST, ("Host", "evil.example"), origin("https://evil.example")]),
    "its own, when others are public": (PUBLIC, [JSON, HOST, origin("https://api.example")]),
    "a referrer instead": (COOKIE, [JSON, HOST, ("Referer", "https://api.example/")]),
    "a password that browsers send by themselves": (COOKIE, [JSON, HOST, authorization("Basic YTpi")]),
    "two bearers": (COOKIE, [JSON, HOST, authorization("Bearer a"), authorization("Bearer a")]),
    "a forwarded host that nobody vouches for": (
        COOKIE,
        [JSON, HOST, ("X-Forwarded-Host", "evil.example"), origin("https://evil.example")],
    ),
}


@pytest.mark.parametrize(("settings", "headers"), LET_IN.values(), ids=LET_IN)
def test_a_page_that_may_post_is_let_in(settings, headers):
    guard_post(settings, scope_of(*headers))


@pytest.mark.parametrize(("settings", "headers"), FORGED.values(), ids=FORGED)
def test_a_post_that_another_site_could_have_caused_is_rejected(settings, headers):
    with pytest.raises(CsrfRejected):
        guard_post(settings, scope_of(*headers))


@pytest.mark.parametrize("headers", [[], [("Content-Type", "text/plain")], [JSON, JSON]])
def test_the_media_type_is_refused_first(headers):
    with pytest.raises(UnsupportedMediaType):
        guard_post(COOKIE, scope_of(*headers, origin("https://evil.example")))


SEEN = {
    "the proxy": ("10.0.0.7", [("X-Forwarded-Host", "app.example"), ("X-Forwarded-Proto", "https")], (OURS,)),
    "the proxy, which leaves the host": ("10.0.0.7", [("X-Forwarded-Proto", "https")], ("https://api.example",)),
    "the proxy, with two hosts": ("10.0.0.7", [("X-Forwarded-Host", "a, b")], ("http://api.example",)),
    "somebody else": ("10.0.1.7", [("X-Forwarded-Host", "app.example")], ("http://api.example",)),
    "a socket without an address": ("", [("X-Forwarded-Host", "app.example")], ("http://api.example",)),
}


@pytest.mark.parametrize(("client", "headers", "expected"), SEEN.values(), ids=SEEN)
async def test_the_trusted_proxy_alone_says_where_a_request_went(client, headers, expected):
    seen = []

    async def app(scope, _receive, _send):
        seen.append(own_origin(scope))

    await TrustedProxy(app, "10.0.0.0/24")(scope_of(HOST, *headers, scheme="http", client=client), None, None)
    assert seen == [expected]
