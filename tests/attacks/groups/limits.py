"""Guessing and flooding: limits hold, tell nothing, and lock nobody out for good."""

from attacks.cases import Case, asked, recorded
from attacks.groups import steps
from attacks.scene import PASSWORD

PER_ACCOUNT = 5
PER_ADDRESS = 12
PER_SESSION = 6

_LIMITED = "RATE_LIMITED"
_READY = (steps.cora, steps.passes(61))
_GUESS = "a guess of mine"


def _guess(scene, email=None, password=_GUESS, headers=(), tenant=None):
    params = {"tenant": tenant or scene.tenant, "email": email or scene.cora.email, "password": password}
    return scene.submit("authenticate_user", params, headers=headers)


def _guessed(times, **how):
    """Somebody has tried passwords."""

    def step(scene):
        for _ in range(times):
            assert _guess(scene, **how).status_code == 200

    return step


def _guessed_everybody(scene):
    for number in range(PER_ADDRESS):
        assert _guess(scene, email=f"user{number}@example.com").status_code == 200


def _limited(send, *before):
    return Case(send, 429, _LIMITED, before=(*_READY, *before), then=_says_when)


def _says_when(_scene, answer):
    assert 1 <= int(answer.headers["retry-after"]) <= 61
    assert answer.json()["retryable"] is True


def _authenticated(authenticated):
    def then(_scene, answer):
        result = answer.json()["artifacts"]["authentication_result"]["semantic_payload"]
        assert result["authenticated"] is authenticated

    return then


def _owner_still_enters(scene, _answer):
    """From another address (here: from within) the password holds."""
    assert scene.authenticate(scene.cora)


def _refreshed(times):
    def step(scene):
        token = scene.ann.token
        scene.ann.older.append(token)
        for _ in range(times):
            answer = scene.refresh(scene.ann, token=token)
            assert answer.status_code == 200
        scene.ann.token = answer.json()["artifacts"]["session"]["semantic_payload"]["session_token"]
        scene.secrets.add(scene.ann.token)

    return step


def _forged(times):
    def step(scene):
        for _ in range(times):
            assert scene.refresh(scene.ann, token=scene.ann.token[:-4] + "AAAA").status_code == 401

    return step


def _wrong_current(scene, password=_GUESS):
    params = {"current_password": password, "new_password": "better horse battery"}
    return scene.submit("change_password", params, bearer=scene.cora.token)


def _changed(times):
    def step(scene):
        for _ in range(times):
            assert _wrong_current(scene).status_code == 403

    return step


LIMITS = {
    "a sixth guess": _limited(_guess, _guessed(PER_ACCOUNT)),
    "a sixth guess, and right": _limited(lambda s: _guess(s, password=PASSWORD), _guessed(PER_ACCOUNT)),
    "a sixth guess, in other letters": _limited(lambda s: _guess(s, email=s.cora.email.upper()), _guessed(PER_ACCOUNT)),
    "a sixth guess, forwarded for somebody": _limited(
        lambda s: _guess(s, headers=[("X-Forwarded-For", "203.0.113.9")]), _guessed(PER_ACCOUNT)
    ),
    "a sixth guess, forwarded by the standard": _limited(
        lambda s: _guess(s, headers=[("Forwarded", "for=203.0.113.9")]), _guessed(PER_ACCOUNT)
    ),
    "a sixth guess, with a key": _limited(
        lambda s: _guess(s, headers=[("Idempotency-Key", "again")]), _guessed(PER_ACCOUNT)
    ),
    "a sixth guess at nobody": _limited(
        lambda s: _guess(s, email="nobody@example.com"), _guessed(PER_ACCOUNT, email="nobody@example.com")
    ),
    "a guess at everybody": _limited(lambda s: _guess(s, email="late@example.com"), _guessed_everybody),
    "a guess at everybody, of another tenant": _limited(
        lambda s: _guess(s, email="late@example.com", tenant=s.other_tenant), _guessed_everybody
    ),
    "the owner is not locked out": Case(
        _guess, 429, _LIMITED, before=(*_READY, _guessed(PER_ACCOUNT)), then=_owner_still_enters
    ),
    "after a minute the password holds": Case(
        lambda s: _guess(s, password=PASSWORD),
        200,
        leaves=asked("authenticate_user", events=("authentication_succeeded",)),
        before=(*_READY, _guessed(PER_ACCOUNT), steps.passes(61)),
        gives=True,
        then=_authenticated(True),  # noqa: FBT003 - the answer
    ),
    "a guess": Case(
        _guess,
        200,
        leaves=asked("authenticate_user", events=("authentication_failed",)),
        before=_READY,
        then=_authenticated(False),  # noqa: FBT003 - the answer
    ),
    "a guess at a disabled account, and right": Case(
        lambda s: _guess(s, password=PASSWORD),
        200,
        leaves=asked("authenticate_user", events=("authentication_failed",)),
        before=(*_READY, steps.disabled),
        then=_authenticated(False),  # noqa: FBT003 - the answer
    ),
    "a guess with the hash": Case(
        lambda s: _guess(s, password="$argon2id$v=19$m=19456,t=3,p=4$AAAA$AAAA"),
        200,
        leaves=asked("authenticate_user", events=("authentication_failed",)),
        before=_READY,
        then=_authenticated(False),  # noqa: FBT003 - the answer
    ),
    "a guess of the empty password": Case(
        lambda s: _guess(s, password=""),
        200,
        leaves=asked("authenticate_user", events=("authentication_failed",)),
        before=_READY,
        then=_authenticated(False),  # noqa: FBT003 - the answer
    ),
    "a guess of 5 MB": Case(
        lambda s: _guess(s, password="p" * 5_000_000), 422, "INVALID_PARAMETER_VALUE", before=_READY
    ),
    "a sixth guess by changing the password": Case(
        _wrong_current,
        429,
        _LIMITED,
        recorded("change_password", _LIMITED),
        before=(*_READY, _changed(PER_ACCOUNT)),
        then=_says_when,
    ),
    "a seventh refresh": Case(
        lambda s: s.refresh(s.ann, token=s.ann.older[0]),
        429,
        _LIMITED,
        before=(_refreshed(PER_SESSION),),
        then=_says_when,
    ),
    "a seventh refresh, by the new token": Case(
        lambda s: s.refresh(s.ann), 429, _LIMITED, before=(_refreshed(PER_SESSION),), then=_says_when
    ),
    "a seventh refresh, of another session": Case(
        lambda s: s.refresh(s.bob),
        200,
        leaves=asked("refresh_session", events=("session_refreshed",), states={"bob": "ACTIVE"}),
        before=(_refreshed(PER_SESSION),),
        gives=True,
    ),
    "forged tokens use up nobody's refreshes": Case(
        lambda s: s.refresh(s.ann),
        200,
        leaves=asked("refresh_session", events=("session_refreshed",), states={"ann": "ACTIVE"}),
        before=(_forged(3 * PER_SESSION),),
        gives=True,
    ),
}
