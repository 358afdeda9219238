"""Cookie mode: pages of other sites, planted cookies, and tokens where none may be."""

import json

from attacks.cases import Case, asked, recorded
from attacks.groups import steps
from attacks.scene import COOKIE, PASSWORD

_ORIGIN = "Origin"
_CSRF = "CSRF_REJECTED"
OURS = "https://app.example"
"""The one origin whose pages may send the cookie, where the settings name one."""


def cookie(person):
    return ("Cookie", f"{COOKIE}={person.token}")


def _from(scene):
    """The origin of the request itself."""
    return (_ORIGIN, scene.server.url)


def _sent(scene, intent, params, *headers):
    return scene.submit(intent, params, headers=headers)


def _refresh(scene, *headers, **more):
    return _sent(scene, "refresh_session", {"session_id": scene.ann.session_id, **more}, cookie(scene.ann), *headers)


_FOREIGN = {
    "none": (),
    "null": ("null",),
    "empty": ("",),
    "of another site": ("https://evil.example",),
    "two": (OURS, OURS),
    "two, one of another site": (OURS, "https://evil.example"),
    "two in one": (f"{OURS}, https://evil.example",),
    "longer": (f"{OURS}.evil.example",),
    "longer by letters": (f"{OURS}evil",),
    "as user info": (f"{OURS}@evil.example",),
    "with a path": (f"{OURS}/",),
    "with a port": (f"{OURS}:8443",),
    "with its default port": (f"{OURS}:443",),
    "without TLS": ("http://app.example",),
    "upper case": ("HTTPS://APP.EXAMPLE",),
    "subdomain": ("https://x.app.example",),
    "parent": ("https://example",),
    "look-alike": ("https://аpp.example".encode(),),  # noqa: RUF001 - the attack
    "with a space": (f"{OURS} x",),
    "wildcard": ("*",),
    "prefix": (OURS[:-1],),
    "file": ("file://",),
}
"""Origins that are not exactly ours."""


def _forged(values, send=_refresh):
    return Case(lambda s: send(s, *[(_ORIGIN, value) for value in values]), 403, _CSRF)


def _signing_in(scene, *headers):
    """Somebody else's sign-in, forged: without any cookie."""
    params = {"tenant": scene.tenant, "email": "mallory@evil.example", "password": PASSWORD}
    return _sent(scene, "authenticate_user", params, *headers)


def _ending(scene, *headers):
    return _sent(scene, "terminate_session", {"session_id": scene.ann.session_id}, cookie(scene.ann), *headers)


def _listing(scene, *headers):
    return _sent(scene, "list_sessions", {}, cookie(scene.ann), *headers)


def _introspecting(scene, *headers):
    body = json.dumps({"token": scene.ann.token}).encode()
    return scene.post(body, headers=[cookie(scene.ann), *headers], path="/api/session/introspect")


_SENT = {
    "refresh_session": _refresh,
    "terminate_session": _ending,
    "list_sessions": _listing,
    "sign-in": _signing_in,
    "introspection": _introspecting,
}

ORIGINS = {
    f"{name}: origin {origin}": _forged(values, send)
    for name, send in _SENT.items()
    for origin, values in _FOREIGN.items()
    if name == "refresh_session" or origin in {"none", "null", "of another site", "two", "longer"}
} | {
    "Basic instead of a bearer": _forged((), lambda s, *h: _refresh(s, ("Authorization", "Basic eDp5"), *h)),
    "a bearer without a token": _forged((), lambda s, *h: _refresh(s, ("Authorization", "Bearer"), *h)),
    "two bearers": _forged(
        (), lambda s, *h: _refresh(s, ("Authorization", "Bearer x"), ("Authorization", "Bearer y"), *h)
    ),
    "Referer instead of an origin": _forged((), lambda s, *h: _refresh(s, ("Referer", f"{OURS}/page"), *h)),
    "the host claimed by a proxy that nobody trusts": _forged(
        ("https://evil.example",), lambda s, *h: _refresh(s, ("X-Forwarded-Host", "evil.example"), *h)
    ),
    "as a form": Case(
        lambda s: s.post(
            b"intent_type=list_sessions",
            headers=[cookie(s.ann), (_ORIGIN, "https://evil.example")],
            media="application/x-www-form-urlencoded",
        ),
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    ),
    "as plain text": Case(
        lambda s: s.post(b"{}", headers=[cookie(s.ann), (_ORIGIN, "https://evil.example")], media="text/plain"),
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    ),
}
"""Pages of other sites; here the settings name one origin."""


def _cookies(value, status=401, code="UNAUTHENTICATED", send=None):
    send = send or (lambda s, *headers: _sent(s, "list_sessions", {}, *headers))
    return Case(lambda s: send(s, _from(s), *value(s)), status, code)


def _refreshing(scene, *headers):
    return _sent(scene, "refresh_session", {"session_id": scene.ann.session_id}, *headers)


def _only_cookie(answer):
    lines = answer.headers.get_list("set-cookie")
    assert len(lines) == 1, f"{len(lines)} cookies"
    return lines[0]


def _no_token_within(scene, answer):
    """The token is in the cookie, and nowhere else."""
    line = _only_cookie(answer)
    name, _, rest = line.partition("=")
    token = rest.partition(";")[0]
    assert name == COOKIE
    assert {part.strip().lower() for part in rest.split(";")[1:]} >= {"secure", "httponly", "samesite=lax", "path=/"}
    assert "domain" not in line.lower()
    assert token not in answer.text
    assert "session_token" not in answer.text
    scene.secrets.add(token)


def _cleared(_scene, answer):
    line = _only_cookie(answer)
    assert line.startswith(f"{COOKIE}=;")
    assert "Max-Age=0" in line


def _of_bob(scene, answer):
    listed = answer.json()["artifacts"]["session_list"]["semantic_payload"]["sessions"]
    assert [session["session_ref"] for session in listed] == [scene.bob.ref]
    assert "set-cookie" not in answer.headers


_REFRESHED = asked("refresh_session", events=("session_refreshed",), states={"ann": "ACTIVE"})

COOKIES = {
    "two session cookies": _cookies(lambda s: [("Cookie", f"{COOKIE}={s.ann.token}; {COOKIE}={s.bob.token}")]),
    "two session cookies, the same": _cookies(
        lambda s: [("Cookie", f"{COOKIE}={s.ann.token}; {COOKIE}={s.ann.token}")]
    ),
    "two session cookies, one empty": _cookies(lambda s: [("Cookie", f"{COOKIE}=; {COOKIE}={s.ann.token}")]),
    "two lines of cookies": _cookies(lambda s: [cookie(s.ann), cookie(s.bob)]),
    "two cookies at refresh_session": _cookies(
        lambda s: [("Cookie", f"{COOKIE}={s.ann.token}; {COOKIE}={s.bob.token}")], send=_refreshing
    ),
    "a cookie without its prefix": _cookies(lambda s: [("Cookie", f"session={s.ann.token}")]),
    "a cookie with another prefix": _cookies(lambda s: [("Cookie", f"__Secure-session={s.ann.token}")]),
    "a cookie in lower case": _cookies(lambda s: [("Cookie", f"__host-session={s.ann.token}")]),
    "a cookie in quotes": _cookies(lambda s: [("Cookie", f'{COOKIE}="{s.ann.token}"')]),
    "a forged cookie": _cookies(lambda s: [("Cookie", f"{COOKIE}={s.ann.token[:-3]}AAA")]),
    "a proof as a cookie": Case(
        lambda s: _sent(s, "list_sessions", {}, _from(s), ("Cookie", f"{COOKIE}={s.cora.proof}")),
        401,
        "UNAUTHENTICATED",
        before=(steps.cora,),
    ),
    "a command line's token as a cookie": _cookies(lambda s: [("Cookie", f"{COOKIE}={s.command_line_token()}")]),
    "a cookie of control characters": _cookies(lambda _: [("Cookie", f"{COOKIE}=a\tb")]),
    "an empty cookie": _cookies(lambda _: [("Cookie", f"{COOKIE}=")]),
    "Authorization beside the cookie wins, and is wrong": _cookies(
        lambda s: [cookie(s.ann), ("Authorization", "Bearer e30.e30.e30")]
    ),
    "Authorization beside the cookie wins, and is Bob": Case(
        lambda s: s.submit("list_sessions", {}, bearer=s.bob.token, headers=[cookie(s.ann)]),
        200,
        leaves=asked("list_sessions"),
        then=_of_bob,
    ),
    "Authorization of no kind beside the cookie": _cookies(lambda s: [cookie(s.ann), ("Authorization", "Digest x")]),
    "the token in the parameters, in cookie mode": _cookies(
        lambda _: [],
        422,
        "UNKNOWN_PARAMETER",
        lambda s, *h: _sent(s, "refresh_session", {"session_id": s.ann.session_id, "session_token": s.ann.token}, *h),
    ),
    "the token in the parameters, beside the cookie": _cookies(
        lambda s: [cookie(s.ann)],
        422,
        "UNKNOWN_PARAMETER",
        lambda s, *h: _sent(s, "terminate_session", {"session_id": s.ann.session_id, "session_token": s.bob.token}, *h),
    ),
    "no cookie at refresh_session": _cookies(lambda _: [], 422, "MISSING_PARAMETER", _refreshing),
    "the cookie of a colleague at refresh_session": _cookies(
        lambda s: [cookie(s.bob)], 401, "INVALID_SESSION_TOKEN", _refreshing
    ),
    "the cookie of another tenant at refresh_session": _cookies(
        lambda s: [cookie(s.eve)], 404, "SESSION_NOT_FOUND", _refreshing
    ),
    "the cookie in the query": Case(lambda s: s.get(f"/api/artifacts?{COOKIE}={s.ann.token}"), 401, "UNAUTHENTICATED"),
    "the cookie of an ended session": Case(
        lambda s: _sent(s, "list_sessions", {}, _from(s), cookie(s.ann)),
        401,
        "SESSION_TERMINATED",
        before=(steps.terminated,),
    ),
    "the cookie of an older generation": Case(
        lambda s: _sent(s, "list_sessions", {}, _from(s), ("Cookie", f"{COOKIE}={s.ann.older[0]}")),
        401,
        "UNAUTHENTICATED",
        before=(steps.rotated(), steps.passes(11)),
    ),
    "the stolen cookie played again": Case(
        lambda s: _refreshing(s, _from(s), ("Cookie", f"{COOKIE}={s.ann.older[0]}")),
        401,
        "SESSION_TOKEN_REUSED",
        recorded("refresh_session", "SESSION_TOKEN_REUSED", events=("session_revoked",), states={"ann": "REVOKED"}),
        before=(steps.rotated(), steps.passes(11)),
    ),
    "events by a cookie of an ended session": Case(
        lambda s: s.get("/api/events", headers=[cookie(s.ann)]),
        401,
        "SESSION_TERMINATED",
        before=(steps.terminated,),
    ),
    "a refresh shows the token to no script": Case(
        lambda s: _refreshing(s, _from(s), cookie(s.ann)),
        200,
        leaves=_REFRESHED,
        gives=True,
        then=_no_token_within,
    ),
    "a new session shows its token to no script": Case(
        lambda s: _sent(s, "create_session", {"authentication_token": s.cora.proof}, _from(s)),
        200,
        leaves=asked("create_session", events=("session_created",), opens=1),
        before=(steps.cora,),
        gives=True,
        then=_no_token_within,
    ),
    "terminating clears the cookie": Case(
        lambda s: _sent(s, "terminate_session", {"session_id": s.ann.session_id}, _from(s), cookie(s.ann)),
        200,
        leaves=asked("terminate_session", events=("session_terminated",), states={"ann": "TERMINATED"}),
        then=_cleared,
    ),
}
"""Which cookies count, and what is never seen beside them; here the request's own origin is the one."""
