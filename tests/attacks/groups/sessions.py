"""Tokens that our key has signed, and that hold nothing: of others, or of sessions that have ended."""

from attacks.cases import Case, recorded
from attacks.groups import steps

_NOWHERE = "sess_" + "A" * 43
_INVALID = "INVALID_SESSION_TOKEN"
_UNKNOWN = "SESSION_NOT_FOUND"
_ENDED = "SESSION_TERMINATED"
_EXPIRED = "SESSION_EXPIRED"
_REUSED = "SESSION_TOKEN_REUSED"
_NOBODY = "UNAUTHENTICATED"


def _refused(code):
    return recorded("refresh_session", code)


def _revoking(person="ann"):
    return recorded("refresh_session", _REUSED, events=("session_revoked",), states={person: "REVOKED"})


def _bearing(claims):
    """A token of Ann with other claims, as a bearer."""
    return Case(
        lambda s: s.submit("list_sessions", {}, bearer=s.forged(s.ann, **claims(s))), 401, _NOBODY, before=(steps.cora,)
    )


def _refreshing(claims, code=_INVALID, status=401, **more):
    return Case(lambda s: s.refresh(s.ann, token=s.forged(s.ann, **claims(s))), status, code, **more)


_OF_OTHERS = {
    "sub of a colleague": lambda s: {"sub": s.bob.user_id},
    "sub of a service": lambda _: {"sub": "operator"},
    "sub in other letters": lambda s: {"sub": s.ann.user_id.upper()},
    "sid of a colleague": lambda s: {"sid": s.bob.ref},
    "sid of another tenant": lambda s: {"sid": s.eve.ref},
    "sid of nobody": lambda _: {"sid": "A" * 22},
    "sid with a wildcard": lambda _: {"sid": "%"},
}

OTHERS = {
    **{f"bearer: {name}": _bearing(claims) for name, claims in _OF_OTHERS.items()},
    **{f"refresh_session: {name}": _refreshing(claims) for name, claims in _OF_OTHERS.items()},
    "bearer: tid of another tenant": _bearing(lambda s: {"tid": s.other_tenant}),
    "bearer: tid with a wildcard": _bearing(lambda _: {"tid": "%"}),
    "bearer: sid of an account": _bearing(lambda s: {"sid": s.cora.user_id, "sub": s.cora.user_id}),
    "bearer: sid of a credential": _bearing(
        lambda s: {"sid": s.cora.user_id.replace("usr_", "crd_"), "sub": s.cora.user_id}
    ),
    "bearer: gen ahead": _bearing(lambda _: {"gen": 2}),
    "bearer: gen far ahead": _bearing(lambda _: {"gen": 2**53 - 1}),
    "bearer: gen 0": _bearing(lambda _: {"gen": 0}),
    "bearer: gen negative": _bearing(lambda _: {"gen": -1}),
    "bearer: jti of Ann under the sid of Bob": _bearing(lambda s: {"sid": s.bob.ref}),
    "refresh_session: tid of another tenant": _refreshing(lambda s: {"tid": s.other_tenant}, _UNKNOWN, 404),
    "refresh_session: tid with a wildcard": _refreshing(lambda _: {"tid": "%"}, _UNKNOWN, 404),
    "refresh_session: gen ahead": _refreshing(lambda _: {"gen": 2}, leaves=_refused(_INVALID)),
    "refresh_session: gen far ahead": _refreshing(lambda _: {"gen": 2**53 - 1}, leaves=_refused(_INVALID)),
    "refresh_session: gen 0": _refreshing(lambda _: {"gen": 0}, _REUSED, leaves=_revoking()),
    "refresh_session: gen negative": _refreshing(lambda _: {"gen": -1}, _REUSED, leaves=_revoking()),
    "refresh_session: token of a colleague": Case(lambda s: s.refresh(s.ann, token=s.bob.token), 401, _INVALID),
    "refresh_session: token of another tenant": Case(lambda s: s.refresh(s.ann, token=s.eve.token), 404, _UNKNOWN),
    "refresh_session: id of a colleague": Case(lambda s: s.refresh(s.ann, session_id=s.bob.session_id), 401, _INVALID),
    "refresh_session: id of another tenant": Case(
        lambda s: s.refresh(s.ann, session_id=s.eve.session_id), 404, _UNKNOWN
    ),
    "refresh_session: id of nobody": Case(lambda s: s.refresh(s.ann, session_id=_NOWHERE), 404, _UNKNOWN),
    "refresh_session: id made of the reference": Case(
        lambda s: s.refresh(s.ann, session_id=f"sess_{s.ann.ref:A<43}"), 404, _UNKNOWN
    ),
    "refresh_session: token of the other session of Cora": Case(
        lambda s: s.refresh(s.cora, token=s.laptop.token),
        401,
        _INVALID,
        before=(steps.cora, steps.proof_used(then_session_used=True)),
    ),
    "terminate_session: token of a colleague": Case(lambda s: s.end(s.ann, token=s.bob.token), 401, _INVALID),
    "terminate_session: token of another tenant": Case(lambda s: s.end(s.ann, token=s.eve.token), 404, _UNKNOWN),
    "terminate_session: id of nobody": Case(lambda s: s.end(s.ann, session_id=_NOWHERE), 404, _UNKNOWN),
    "terminate_session: sub of a colleague": Case(
        lambda s: s.end(s.ann, token=s.forged(s.ann, sub=s.bob.user_id)), 401, _INVALID
    ),
    "introspection: session of another tenant": Case(lambda s: s.introspect(s.eve.token), 200, body={"active": False}),
    "introspection: token of a command line": Case(
        lambda s: s.introspect(s.command_line_token()), 200, body={"active": False}
    ),
    "refresh_session: token of a command line": Case(
        lambda s: s.refresh(s.ann, token=s.command_line_token({"service"})), 401, _INVALID
    ),
    "bearer: a user's token of a command line": Case(
        lambda s: s.submit("list_sessions", {}, bearer=s.command_line_token()), 401, _NOBODY
    ),
    "artifacts: a user's token of a command line": Case(
        lambda s: s.get("/api/artifacts", bearer=s.command_line_token()), 401, _NOBODY
    ),
    "events: a user's token of a command line": Case(
        lambda s: s.get("/api/events", bearer=s.command_line_token()), 401, _NOBODY
    ),
    "validate_authorization: a user's token of a command line": Case(
        lambda s: s.submit("validate_authorization", {}, bearer=s.command_line_token()), 401, _NOBODY
    ),
    "bearer: a service's token of a command line that has expired": Case(
        lambda s: s.submit("list_sessions", {}, bearer=s.old_token),
        401,
        _NOBODY,
        before=(lambda s: setattr(s, "old_token", s.command_line_token({"service"}, ttl=60)), steps.passes(60)),
    ),
    "refresh_session: signed by a key that has ended": Case(
        lambda s: s.refresh(
            s.late,
            token=s.forger(s.late).forge({"alg": "EdDSA", "typ": "sess+jwt", "kid": s.kept_key.kid}, key=s.kept_key),
        ),
        401,
        _INVALID,
        before=(steps.keys_rotated, steps.passes(8 * steps.DAY), steps.unused("late")),
    ),
}
"""Who it is, and which session, is compared with the session's row."""


_DOORS = {
    "bearer": lambda s, who: s.submit("list_sessions", {}, bearer=who.token),
    "artifact": lambda s, who: s.get(f"/api/artifacts/{who.ref}", bearer=who.token),
    "artifacts": lambda s, who: s.get("/api/artifacts", bearer=who.token),
    "events": lambda s, who: s.get("/api/events", bearer=who.token),
    "validate_authorization": lambda s, who: s.submit("validate_authorization", {}, bearer=who.token),
}

_ENDINGS = {
    "terminated": (_ENDED, "ann", (steps.terminated,)),
    "revoked": (_ENDED, "ann", (steps.revoked,)),
    "expired": (_EXPIRED, "ann", (steps.passes(steps.DAY),)),
    "expired for good": (_EXPIRED, "ann", (steps.passes(steps.DAY + steps.HOUR), steps.swept)),
    "disabled": (_ENDED, "cora", (steps.cora, steps.disabled)),
    "disabled and enabled": (_ENDED, "cora", (steps.cora, steps.disabled, steps.enabled)),
    "disabled by other hands": (_ENDED, "cora", (steps.cora, steps.DISABLED_ELSEWHERE)),
    "epoch moved by other hands": (_ENDED, "cora", (steps.cora, steps.EPOCH_MOVED_ELSEWHERE)),
    "password changed": (_ENDED, "cora", (steps.cora, steps.password_changed)),
    "a week old": (_EXPIRED, "ann", (steps.rotated(hours=168), steps.passes(steps.WEEK))),
}


_STORED = {"terminated": "TERMINATED", "expired for good": "EXPIRED"} | dict.fromkeys(
    ("revoked", "disabled", "disabled and enabled", "password changed"), "REVOKED"
)
"""States of the row, where something has ended the session itself."""


def _ended(door, ending):
    code, name, before = _ENDINGS[ending]
    return Case(
        lambda s: _DOORS[door](s, getattr(s, name)),
        401,
        code,
        before=before,
        then=lambda s, _: _is_stored(s, getattr(s, name), _STORED.get(ending, "ACTIVE")),
    )


def _is_stored(scene, person, state):
    (row,) = [row for row in scene.server.state().rows("sessions") if row["session_ref"] == person.ref]
    assert row["lifecycle_state"] == state


def _introspected(ending):
    _, name, before = _ENDINGS[ending]
    return Case(lambda s: s.introspect(getattr(s, name).token), 200, body={"active": False}, before=before)


def _refreshed(ending):
    code, name, before = _ENDINGS[ending]
    return Case(lambda s: s.refresh(getattr(s, name)), 401, code, _refused(code), before=before)


_EXPIRING = recorded("refresh_session", _EXPIRED, events=("session_expired",), states={"ann": "EXPIRED"})

ENDED = {
    **{
        f"{door}: {ending}": _introspected(ending) if door == "introspection" else _ended(door, ending)
        for ending in _ENDINGS
        for door in (*_DOORS, "introspection")
    },
    **{
        f"refresh_session: {ending}": _refreshed(ending)
        for ending in _ENDINGS
        if ending not in {"expired", "a week old"}
    },
    "refresh_session: the grace is over": Case(
        lambda s: s.refresh(s.ann), 401, _EXPIRED, _EXPIRING, before=(steps.passes(steps.DAY + steps.HOUR),)
    ),
    "refresh_session: a week old": Case(
        lambda s: s.refresh(s.ann), 401, _EXPIRED, _EXPIRING, before=_ENDINGS["a week old"][2]
    ),
    "refresh_session: the grace is over, said again": Case(
        lambda s: s.refresh(s.ann),
        401,
        _EXPIRED,
        _refused(_EXPIRED),
        before=(steps.passes(steps.DAY + steps.HOUR), lambda s: s.refresh(s.ann)),
    ),
    "refresh_session: the grace is over, with another clock in the token": Case(
        lambda s: s.refresh(s.ann, token=s.forged(s.ann, exp=s.now + steps.WEEK)),
        401,
        _EXPIRED,
        _EXPIRING,
        before=(steps.passes(steps.DAY + steps.HOUR),),
    ),
    "bearer: expired, with another clock in the token": Case(
        lambda s: s.submit("list_sessions", {}, bearer=s.forged(s.ann, exp=s.now + steps.WEEK)),
        401,
        _EXPIRED,
        before=(steps.passes(steps.DAY),),
    ),
    "refresh_session: purged": Case(
        lambda s: s.refresh(s.ann), 404, _UNKNOWN, before=(steps.terminated, steps.passes(31 * steps.DAY), steps.swept)
    ),
    "bearer: purged": Case(
        lambda s: s.submit("list_sessions", {}, bearer=s.ann.token),
        401,
        _NOBODY,
        before=(steps.terminated, steps.passes(31 * steps.DAY), steps.swept),
    ),
    "refresh_session: terminated just after a refresh": Case(
        lambda s: s.refresh(s.ann, token=s.ann.older[0]),
        401,
        _ENDED,
        _refused(_ENDED),
        before=(steps.rotated(used=False), steps.terminated),
    ),
    "refresh_session: revoked just after a refresh": Case(
        lambda s: s.refresh(s.ann, token=s.ann.older[0]),
        401,
        _ENDED,
        _refused(_ENDED),
        before=(steps.rotated(used=False), steps.revoked),
    ),
    "refresh_session: disabled just after a refresh": Case(
        lambda s: s.refresh(s.cora, token=s.cora.older[0]),
        401,
        _ENDED,
        _refused(_ENDED),
        before=(steps.cora, steps.rotated("cora", used=False), steps.disabled),
    ),
    "terminate_session: revoked": Case(
        lambda s: s.end(s.ann), 401, _ENDED, recorded("terminate_session", _ENDED), before=(steps.revoked,)
    ),
    "terminate_session: expired for good": Case(
        lambda s: s.end(s.ann),
        401,
        _EXPIRED,
        recorded("terminate_session", _EXPIRED),
        before=(steps.passes(steps.DAY + steps.HOUR),),
    ),
    "terminate_session: again": Case(
        lambda s: s.end(s.ann), 200, before=(steps.terminated,), then=lambda _, a: _is_replay(a, "TERMINATED")
    ),
}
"""What has ended stays so: nothing that was proven before holds, whoever asks, and wherever."""


def _is_replay(answer, state):
    assert answer.json()["idempotent_replay"] is True
    assert answer.json()["artifacts"]["session"]["semantic_payload"]["lifecycle_state"] == state
