"""Forged session tokens, at every door that takes one."""

from attacks.cases import NOTHING, Case
from attacks.forgeries import FORGED, SESSION_ONLY

_FORGED = {**FORGED, **SESSION_ONLY}

_REPRESENTATIVE = (
    "alg none without signature",
    "HS256 with the raw public key",
    "key of somebody else",
    "key in the header, named",
    "typ JWT",
    "iss of another",
    "aud of another",
    "nbf in ten years",
    "exp 10^30",
    "signature of zeros",
    "padded",
    "a proof",
)


def _made(forge):
    return lambda scene: forge(scene.forger(scene.ann))


def _refresh(forge):
    return Case(lambda s: s.refresh(s.ann, token=_made(forge)(s)), 401, "INVALID_SESSION_TOKEN")


def _terminate(forge):
    return Case(lambda s: s.end(s.ann, token=_made(forge)(s)), 401, "INVALID_SESSION_TOKEN")


def _bearer(forge):
    return Case(lambda s: s.submit("list_sessions", {}, bearer=_made(forge)(s)), 401, "UNAUTHENTICATED")


def _reading(path):
    return lambda forge: Case(lambda s: s.get(path(s), bearer=_made(forge)(s)), 401, "UNAUTHENTICATED")


def _introspected(forge):
    return Case(lambda s: s.introspect(_made(forge)(s)), 200, leaves=NOTHING, body={"active": False})


def _opening(forge):
    """Whatever it is, it introduces nobody from elsewhere."""
    return Case(lambda s: s.submit("create_session", {}, bearer=_made(forge)(s)), 401, "UNAUTHENTICATED")


_OTHER_DOORS = {
    "terminate_session": _terminate,
    "create_session": _opening,
    "introspection": _introspected,
    "events": _reading(lambda _: "/api/events"),
    "artifact": _reading(lambda s: f"/api/artifacts/{s.ann.ref}"),
    "artifacts": _reading(lambda _: "/api/artifacts"),
    "execution": _reading(lambda _: "/api/execution/exec_019bff53-0000-7000-8000-000000000000/status"),
}

AT_REFRESH = {f"refresh_session: {name}": _refresh(forge) for name, forge in _FORGED.items()}

AS_BEARER = {f"bearer: {name}": _bearer(forge) for name, forge in _FORGED.items()}

ELSEWHERE = {f"{door}: {name}": make(_FORGED[name]) for door, make in _OTHER_DOORS.items() for name in _REPRESENTATIVE}


SIZES = {
    "refresh_session: empty": Case(lambda s: s.refresh(s.ann, token=""), 401, "INVALID_SESSION_TOKEN"),
    "refresh_session: 4,097 bytes": Case(lambda s: s.refresh(s.ann, token="A" * 4097), 401, "INVALID_SESSION_TOKEN"),
    "refresh_session: 5 MB": Case(lambda s: s.refresh(s.ann, token="A" * 5_000_000), 401, "INVALID_SESSION_TOKEN"),
    "refresh_session: 5 MB of parts": Case(
        lambda s: s.refresh(s.ann, token="a." * 2_500_000), 401, "INVALID_SESSION_TOKEN"
    ),
    "refresh_session: over 5 MiB": Case(lambda s: s.refresh(s.ann, token="A" * 5_300_000), 413, "PAYLOAD_TOO_LARGE"),
    "refresh_session: with a newline": Case(
        lambda s: s.refresh(s.ann, token=s.ann.token + "\n"), 401, "INVALID_SESSION_TOKEN"
    ),
    "refresh_session: with a space before": Case(
        lambda s: s.refresh(s.ann, token=" " + s.ann.token), 401, "INVALID_SESSION_TOKEN"
    ),
    "refresh_session: with a look-alike dot": Case(
        lambda s: s.refresh(s.ann, token=s.ann.token.replace(".", "\u2024")), 401, "INVALID_SESSION_TOKEN"
    ),
    "refresh_session: with a NUL": Case(lambda s: s.refresh(s.ann, token=s.ann.token + "\0"), 400, "MALFORMED_REQUEST"),
    "refresh_session: with a lone surrogate": Case(
        lambda s: s.refresh(s.ann, token=s.ann.token + "\ud800"), 400, "MALFORMED_REQUEST"
    ),
    "refresh_session: a number": Case(
        lambda s: s.submit("refresh_session", {"session_id": s.ann.session_id, "session_token": 1}),
        422,
        "INVALID_PARAMETER_TYPE",
    ),
    "refresh_session: a list of tokens": Case(
        lambda s: s.submit("refresh_session", {"session_id": s.ann.session_id, "session_token": [s.ann.token]}),
        422,
        "INVALID_PARAMETER_TYPE",
    ),
    "refresh_session: null": Case(
        lambda s: s.submit("refresh_session", {"session_id": s.ann.session_id, "session_token": None}),
        422,
        "INVALID_PARAMETER_TYPE",
    ),
    "refresh_session: none, but as a bearer": Case(
        lambda s: s.submit("refresh_session", {"session_id": s.ann.session_id}, bearer=s.ann.token),
        422,
        "MISSING_PARAMETER",
    ),
    "bearer: two headers": Case(
        lambda s: s.submit("list_sessions", {}, bearer=s.ann.token, headers=[("Authorization", "Bearer x")]),
        401,
        "UNAUTHENTICATED",
    ),
    "bearer: as Basic": Case(
        lambda s: s.submit("list_sessions", {}, headers=[("Authorization", f"Basic {s.ann.token}")]),
        401,
        "UNAUTHENTICATED",
    ),
    "bearer: without a scheme": Case(
        lambda s: s.submit("list_sessions", {}, headers=[("Authorization", s.ann.token)]), 401, "UNAUTHENTICATED"
    ),
    "bearer: two spaces": Case(
        lambda s: s.submit("list_sessions", {}, headers=[("Authorization", f"Bearer  {s.ann.token}")]),
        401,
        "UNAUTHENTICATED",
    ),
    "bearer: two tokens": Case(
        lambda s: s.submit("list_sessions", {}, headers=[("Authorization", f"Bearer {s.ann.token},{s.ann.token}")]),
        401,
        "UNAUTHENTICATED",
    ),
    "bearer: in the query": Case(lambda s: s.get(f"/api/artifacts?access_token={s.ann.token}"), 401, "UNAUTHENTICATED"),
    "bearer: in the query of events": Case(
        lambda s: s.get(f"/api/events?token={s.ann.token}", bearer=s.bob.token), 400, "MALFORMED_REQUEST"
    ),
    "bearer: in a cookie, in bearer mode": Case(
        lambda s: s.submit("list_sessions", {}, headers=[("Cookie", f"__Host-session={s.ann.token}")]),
        401,
        "UNAUTHENTICATED",
    ),
    "bearer: 60 KB": Case(lambda s: s.submit("list_sessions", {}, bearer="A" * 60_000), 401, "UNAUTHENTICATED"),
    "bearer: 5 MB": Case(lambda s: s.submit("list_sessions", {}, bearer="A" * 5_000_000), 431, "MALFORMED_REQUEST"),
}
"""Texts of other sizes and alphabets, and places where no token belongs."""
