"""Tokens of the same session that were replaced: rules 5 to 8, and what bearers make of them."""

from attacks.cases import Case, recorded
from attacks.groups import steps

_ENDED = "SESSION_TERMINATED"
_REUSED = "SESSION_TOKEN_REUSED"
_NOBODY = "UNAUTHENTICATED"


def _refused(code):
    return recorded("refresh_session", code)


def _revoking():
    return recorded("refresh_session", _REUSED, events=("session_revoked",), states={"ann": "REVOKED"})


def _successor(scene, answer):
    """The same successor, byte for byte."""
    assert answer.json()["idempotent_replay"] is True
    assert answer.json()["artifacts"]["session"]["semantic_payload"]["session_token"] == scene.ann.token


def _older(which=0):
    return lambda s: s.refresh(s.ann, token=s.ann.older[which])


def _reused(*before, which=0):
    return Case(_older(which), 401, _REUSED, _revoking(), before=before)


def _held(*before):
    return Case(_older(), 200, before=before, then=_successor, gives=True)


def _older_bearer(*before, which=0):
    return Case(lambda s: s.submit("list_sessions", {}, bearer=s.ann.older[which]), 401, _NOBODY, before=before)


GENERATIONS = {
    "replaced, used, 10.001 seconds ago": _reused(steps.rotated(), steps.passes(10.001)),
    "replaced, used, a minute ago": _reused(steps.rotated(), steps.passes(60)),
    "replaced, unused, 60.001 seconds ago": _reused(steps.rotated(used=False), steps.passes(60.001)),
    "replaced, unused, an hour ago": _reused(steps.rotated(used=False), steps.passes(steps.HOUR)),
    "replaced, unused, a day ago": _reused(steps.rotated(used=False), steps.passes(steps.DAY)),
    "replaced twice at once": _reused(steps.rotated(), steps.rotated()),
    "replaced twice at once, never used": _reused(steps.rotated(used=False), steps.rotated(used=False)),
    "replaced three times": _reused(steps.rotated(), steps.rotated(), steps.rotated(), which=1),
    "replaced, and its key rotated": _reused(steps.rotated(), steps.keys_rotated, steps.passes(11)),
    "replaced, with another jti": Case(
        lambda s: s.refresh(s.ann, token=s.forged(s.ann, gen=1, jti="A" * 22)),
        401,
        _REUSED,
        _revoking(),
        before=(steps.rotated(), steps.passes(11)),
    ),
    "the thief comes first, the owner is told": Case(
        lambda s: s.refresh(s.ann),
        401,
        _ENDED,
        _refused(_ENDED),
        before=(steps.rotated(), steps.passes(11), lambda s: s.refresh(s.ann, token=s.ann.older[0])),
    ),
    "played again after it has revoked": Case(
        _older(),
        401,
        _ENDED,
        _refused(_ENDED),
        before=(steps.rotated(), steps.passes(11), lambda s: s.refresh(s.ann, token=s.ann.older[0])),
    ),
    "the revoked session's current token": Case(
        lambda s: s.submit("list_sessions", {}, bearer=s.ann.token),
        401,
        _ENDED,
        before=(steps.rotated(), steps.passes(11), lambda s: s.refresh(s.ann, token=s.ann.older[0])),
    ),
    "another tab, 10 seconds after": _held(steps.rotated(), steps.passes(10)),
    "another tab, with other hours": Case(
        lambda s: s.refresh(s.ann, token=s.ann.older[0], extend_hours=168),
        200,
        before=(steps.rotated(),),
        then=_successor,
        gives=True,
    ),
    "a lost answer, 60 seconds after": _held(steps.rotated(used=False), steps.passes(60)),
    "a lost answer, and the key rotated meanwhile": _held(
        steps.rotated(used=False), steps.keys_rotated, steps.passes(30)
    ),
    "another tab, with a key of the client's": Case(
        lambda s: s.refresh(s.ann, token=s.ann.older[0], headers=[("Idempotency-Key", "mine")]),
        200,
        before=(steps.rotated(),),
        then=_successor,
        gives=True,
    ),
    "bearer: replaced 10.001 seconds ago": _older_bearer(steps.rotated(), steps.passes(10.001)),
    "bearer: replaced, unused, 10.001 seconds ago": _older_bearer(steps.rotated(used=False), steps.passes(10.001)),
    "bearer: replaced an hour ago": _older_bearer(steps.rotated(), steps.passes(steps.HOUR)),
    "bearer: replaced twice at once": _older_bearer(steps.rotated(), steps.rotated()),
    "introspection: replaced a minute ago": Case(
        lambda s: s.introspect(s.ann.older[0]), 200, body={"active": False}, before=(steps.rotated(), steps.passes(60))
    ),
    "events: replaced a minute ago": Case(
        lambda s: s.get("/api/events", bearer=s.ann.older[0]), 401, _NOBODY, before=(steps.rotated(), steps.passes(60))
    ),
}
"""Tokens of the same session that were replaced: a copy that comes late ends the session."""
