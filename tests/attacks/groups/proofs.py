"""Forged, old and used authentication tokens."""

from attacks.cases import Case, asked, recorded
from attacks.forgeries import FORGED, PROOF_ONLY
from attacks.groups import steps

_REFUSED = "INVALID_AUTHENTICATION_TOKEN"
_FORGED = FORGED | PROOF_ONLY
_READY = (steps.cora,)


def _made(forge):
    return lambda scene: forge(scene.forger(scene.cora, "auth+jwt"))


def _open(forge):
    return Case(lambda s: s.open(_made(forge)(s)), 401, _REFUSED, before=_READY)


def _ask(forge):
    return Case(
        lambda s: s.submit("validate_authorization", {"authentication_token": _made(forge)(s)}),
        401,
        _REFUSED,
        before=_READY,
    )


FORGED_PROOFS = {f"create_session: {name}": _open(forge) for name, forge in _FORGED.items()} | {
    f"validate_authorization: {name}": _ask(forge) for name, forge in _FORGED.items()
}


def _fresh(scene):
    """A proof of this minute, with the epoch that Cora's had."""
    scene.authenticated = scene.forger(scene.cora, "auth+jwt").good


def _still_opens(scene, _answer):
    """A refusal has used nothing up."""
    assert scene.open(scene.cora.proof).status_code == 200


def _same_session(scene, answer):
    session = answer.json()["artifacts"]["session"]["semantic_payload"]
    assert answer.json()["idempotent_replay"] is True
    assert (session["session_id"], session["session_token"]) == (scene.laptop.session_id, scene.laptop.token)


def _opened_for_cora(scene, answer):
    assert answer.json()["artifacts"]["session"]["semantic_payload"]["user_id"] == scene.cora.user_id


USED_PROOFS = {
    "used, its session is in use": Case(
        lambda s: s.open(s.cora.proof),
        401,
        _REFUSED,
        recorded("create_session", _REFUSED),
        before=(*_READY, steps.proof_used(then_session_used=True)),
    ),
    "used, its session was refreshed": Case(
        lambda s: s.open(s.cora.proof),
        401,
        _REFUSED,
        recorded("create_session", _REFUSED),
        before=(*_READY, steps.proof_used(then_session_used=False), steps.rotated("laptop", used=False)),
    ),
    "used, its session was terminated": Case(
        lambda s: s.open(s.cora.proof),
        401,
        _REFUSED,
        recorded("create_session", _REFUSED),
        before=(*_READY, steps.proof_used(then_session_used=True), lambda s: s.terminate(s.laptop)),
    ),
    "used, the answer was lost": Case(
        lambda s: s.open(s.cora.proof),
        200,
        before=(*_READY, steps.proof_used(then_session_used=False)),
        then=_same_session,
        gives=True,
    ),
    "used, for a longer session": Case(
        lambda s: s.open(s.cora.proof, extend_hours=168),
        422,
        "IDEMPOTENCY_KEY_REUSED",
        before=(*_READY, steps.proof_used(then_session_used=False)),
    ),
    "used, with an Idempotency-Key": Case(
        lambda s: s.submit(
            "create_session", {"authentication_token": s.cora.proof}, headers=[("Idempotency-Key", "again")]
        ),
        401,
        _REFUSED,
        recorded("create_session", _REFUSED),
        before=(*_READY, steps.proof_used(then_session_used=True)),
    ),
    "a minute old": Case(
        lambda s: s.open(s.cora.proof), 401, _REFUSED, before=(*_READY, steps.authenticated, steps.passes(60))
    ),
    "a minute old, asked for rights": Case(
        lambda s: s.submit("validate_authorization", {"authentication_token": s.cora.proof}),
        401,
        _REFUSED,
        before=(*_READY, steps.authenticated, steps.passes(60)),
    ),
    "used and a minute old": Case(
        lambda s: s.open(s.cora.proof),
        401,
        _REFUSED,
        before=(*_READY, steps.proof_used(then_session_used=False), steps.passes(60)),
    ),
    "before the password was changed": Case(
        lambda s: s.open(s.cora.proof),
        401,
        _REFUSED,
        before=(*_READY, steps.password_changed),
    ),
    "before the password was changed, another one": Case(
        lambda s: s.open(s.unused_proof),
        401,
        _REFUSED,
        before=(*_READY, lambda s: setattr(s, "unused_proof", s.authenticate(s.cora)), steps.password_changed),
    ),
    "before the password was changed, asked for rights": Case(
        lambda s: s.submit("validate_authorization", {"authentication_token": s.cora.proof}),
        401,
        _REFUSED,
        before=(*_READY, steps.password_changed),
    ),
    "before the account was disabled": Case(
        lambda s: s.open(s.cora.proof), 401, _REFUSED, before=(*_READY, steps.disabled)
    ),
    "before the account was disabled and enabled": Case(
        lambda s: s.open(s.cora.proof), 401, _REFUSED, before=(*_READY, steps.disabled, steps.enabled)
    ),
    "before the account was disabled, asked for rights": Case(
        lambda s: s.submit("validate_authorization", {"authentication_token": s.cora.proof}),
        401,
        _REFUSED,
        before=(*_READY, steps.disabled),
    ),
    "of an account that other hands disabled": Case(
        lambda s: s.open(s.authenticated),
        401,
        _REFUSED,
        before=(*_READY, steps.DISABLED_ELSEWHERE, _fresh),
    ),
    "of an account that other hands disabled, asked for rights": Case(
        lambda s: s.submit("validate_authorization", {"authentication_token": s.authenticated}),
        401,
        _REFUSED,
        before=(*_READY, steps.DISABLED_ELSEWHERE, _fresh),
    ),
    "of an account whose epoch other hands moved": Case(
        lambda s: s.open(s.authenticated),
        401,
        _REFUSED,
        before=(*_READY, steps.EPOCH_MOVED_ELSEWHERE, _fresh),
    ),
    "for somebody else": Case(
        lambda s: s.open(s.cora.proof, user_id=s.ann.user_id),
        403,
        "PERMISSION_DENIED",
        recorded("create_session", "PERMISSION_DENIED"),
        before=(*_READY, steps.authenticated),
        then=_still_opens,
    ),
    "as a bearer": Case(
        lambda s: s.submit("list_sessions", {}, bearer=s.cora.proof),
        401,
        "UNAUTHENTICATED",
        before=(*_READY, steps.authenticated),
    ),
    "as a bearer of create_session": Case(
        lambda s: s.submit("create_session", {}, bearer=s.cora.proof),
        401,
        "UNAUTHENTICATED",
        before=(*_READY, steps.authenticated),
    ),
    "as a session token": Case(
        lambda s: s.refresh(s.cora, token=s.cora.proof),
        401,
        "INVALID_SESSION_TOKEN",
        before=(*_READY, steps.authenticated),
    ),
    "introspected": Case(
        lambda s: s.introspect(s.cora.proof), 200, body={"active": False}, before=(*_READY, steps.authenticated)
    ),
    "a session's token instead": Case(lambda s: s.open(s.ann.token), 401, _REFUSED),
    "a command line's token instead": Case(lambda s: s.open(s.command_line_token({"service"})), 401, _REFUSED),
    "a forged one beside the bearer of somebody real": Case(
        lambda s: s.submit("create_session", {"authentication_token": "e30.e30.e30"}, bearer=s.command_line_token()),
        401,
        _REFUSED,
    ),
    "none, beside a session's token": Case(
        lambda s: s.submit("create_session", {}, bearer=s.ann.token), 401, "UNAUTHENTICATED"
    ),
    "none at all": Case(lambda s: s.submit("create_session", {}), 401, "UNAUTHENTICATED"),
    "none, asked for rights": Case(lambda s: s.submit("validate_authorization", {}), 401, "UNAUTHENTICATED"),
    "Ann's bearer beside Cora's proof": Case(
        lambda s: s.submit("validate_authorization", {"authentication_token": s.cora.proof}, bearer=s.ann.token),
        200,
        leaves=asked("validate_authorization", events=("authorization_succeeded",)),
        before=(*_READY, steps.authenticated),
        then=lambda s, answer: _is_of(s.cora, answer),
    ),
}


def _is_of(person, answer):
    assert answer.json()["artifacts"]["authorization_result"]["semantic_payload"]["user_id"] == person.user_id
