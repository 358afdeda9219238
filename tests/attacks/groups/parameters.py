"""Parameters that say who the caller is, which session it gets, or how long: none is believed."""

from attacks.cases import Case, asked, recorded
from attacks.groups import steps

_UNKNOWN = "UNKNOWN_PARAMETER"
_READY = (steps.cora, steps.authenticated)


def _still_opens(scene, _answer):
    """A refusal has used nothing up."""
    assert scene.open(scene.cora.proof).status_code == 200


def _opening(**more):
    return Case(lambda s: s.open(s.cora.proof, **_filled(s, more)), 422, _UNKNOWN, before=_READY, then=_still_opens)


def _filled(scene, more):
    return {name: value(scene) if callable(value) else value for name, value in more.items()}


FIXATION = {
    "session_id of one's own choice": _opening(session_id="sess_" + "A" * 43),
    "session_id of somebody": _opening(session_id=lambda s: s.ann.session_id),
    "session_token of somebody": _opening(session_token=lambda s: s.ann.token),
    "session_ref": _opening(session_ref="A" * 22),
    "session_ref of somebody": _opening(session_ref=lambda s: s.ann.ref),
    "sid": _opening(sid="A" * 22),
    "artifact_id": _opening(artifact_id="A" * 22),
    "id_hash": _opening(id_hash="0" * 64),
    "gen": _opening(gen=7),
    "epoch": _opening(epoch=1),
    "roles": _opening(roles=["service"]),
    "expires_at": _opening(expires_at="2099-01-01T00:00:00Z"),
    "tenant_id": _opening(tenant_id=lambda s: s.other_tenant),
    "tenant": _opening(tenant=lambda s: s.other_tenant),
    "proof_id": _opening(proof_id="x"),
    "kid": _opening(kid="A" * 16),
    "account": _opening(account=False),
    "at refresh, another id beside": Case(lambda s: s.refresh(s.ann, new_session_id="sess_" + "A" * 43), 422, _UNKNOWN),
    "at refresh, gen": Case(lambda s: s.refresh(s.ann, gen=9), 422, _UNKNOWN),
    "at refresh, expires_at": Case(lambda s: s.refresh(s.ann, expires_at="2099-01-01T00:00:00Z"), 422, _UNKNOWN),
}
"""A caller chooses nothing of which a session is made."""


def _ours(intent, params, status=422, code=_UNKNOWN, **more):
    """Bob says something of himself or of others."""
    return Case(lambda s: s.submit(intent, _filled(s, params), bearer=s.bob.token), status, code, **more)


def _enveloped(**envelope):
    return Case(
        lambda s: s.submit("list_sessions", {}, bearer=s.bob.token, **_filled(s, envelope)), 400, "MALFORMED_REQUEST"
    )


def _headed(name, value):
    return Case(
        lambda s: s.submit("list_sessions", {}, bearer=s.bob.token, headers=[(name, value(s))]),
        200,
        leaves=asked("list_sessions"),
        then=lambda s, a: _lists_only(s.bob, a),
    )


def _lists_only(person, answer):
    listed = answer.json()["artifacts"]["session_list"]["semantic_payload"]["sessions"]
    assert [session["session_ref"] for session in listed] == [person.ref]


def _not_recognized(_scene, answer):
    result = answer.json()["artifacts"]["authentication_result"]["semantic_payload"]
    assert result == {"authenticated": False, "reason": "The e-mail address or the password is wrong."}


def _for_cora(user):
    return Case(
        lambda s: s.open(s.cora.proof, user_id=user(s)),
        403,
        "PERMISSION_DENIED",
        recorded("create_session", "PERMISSION_DENIED"),
        before=_READY,
        then=_still_opens,
    )


IDENTITY = {
    "list_sessions: user_id of somebody": _ours("list_sessions", {"user_id": lambda s: s.ann.user_id}),
    "list_sessions: tenant_id of another": _ours("list_sessions", {"tenant_id": lambda s: s.other_tenant}),
    "list_sessions: owner": _ours("list_sessions", {"owner": lambda s: s.ann.user_id}),
    "list_sessions: roles": _ours("list_sessions", {"roles": ["service"]}),
    "revoke_session: user_id of somebody": _ours(
        "revoke_session", {"scope": "all", "user_id": lambda s: s.ann.user_id}
    ),
    "revoke_session: tenant_id": _ours("revoke_session", {"scope": "all", "tenant_id": lambda s: s.other_tenant}),
    "revoke_session: scope of the tenant": _ours("revoke_session", {"scope": "tenant"}, code="INVALID_PARAMETER_VALUE"),
    "change_password: user_id of somebody": _ours(
        "change_password",
        {
            "current_password": "correct horse battery",
            "new_password": "better horse battery",
            "user_id": lambda s: s.ann.user_id,
        },
    ),
    "validate_authorization: user_id of somebody": _ours(
        "validate_authorization", {"user_id": lambda s: s.ann.user_id}
    ),
    "validate_authorization: roles of one's own": _ours("validate_authorization", {"roles": ["service"]}),
    "initialize_chat_session: user_id of somebody": _ours(
        "initialize_chat_session", {"user_id": lambda s: s.ann.user_id}
    ),
    "initialize_chat_session: tenant_id of another": _ours(
        "initialize_chat_session", {"tenant_id": lambda s: s.other_tenant}
    ),
    "get_chat_session: user_id of somebody": _ours("get_chat_session", {"user_id": lambda s: s.ann.user_id}),
    "refresh_session: user_id of somebody": Case(lambda s: s.refresh(s.ann, user_id=s.bob.user_id), 422, _UNKNOWN),
    "refresh_session: tenant_id of another": Case(lambda s: s.refresh(s.ann, tenant_id=s.other_tenant), 422, _UNKNOWN),
    "terminate_session: tenant_id of another": Case(lambda s: s.end(s.ann, tenant_id=s.other_tenant), 422, _UNKNOWN),
    "envelope: tenant_id": _enveloped(tenant_id=lambda s: s.other_tenant),
    "envelope: user_id": _enveloped(user_id=lambda s: s.ann.user_id),
    "envelope: identity": _enveloped(identity={"tenant_id": "t", "user_id": "u", "roles": ["service"]}),
    "envelope: roles": _enveloped(roles=["service"]),
    "envelope: authorization": _enveloped(authorization=lambda s: f"Bearer {s.ann.token}"),
    "envelope: session_ref": _enveloped(session_ref=lambda s: s.ann.ref),
    "envelope: execution_id": _enveloped(execution_id="exec_019bff53-0000-7000-8000-000000000000"),
    "envelope: solution_id": _enveloped(solution_id="other"),
    "metadata: tenant and user": Case(
        lambda s: s.submit(
            "list_sessions",
            {},
            bearer=s.bob.token,
            metadata={"tenant_id": s.other_tenant, "user_id": s.ann.user_id, "roles": ["service"]},
        ),
        200,
        leaves=asked("list_sessions"),
        then=lambda s, a: _lists_only(s.bob, a),
    ),
    "header: X-Tenant-Id": _headed("X-Tenant-Id", lambda s: s.other_tenant),
    "header: X-User-Id": _headed("X-User-Id", lambda s: s.ann.user_id),
    "header: X-Forwarded-User": _headed("X-Forwarded-User", lambda s: s.ann.user_id),
    "header: X-Roles": _headed("X-Roles", lambda _: "service"),
    "header: X-HTTP-Method-Override": _headed("X-HTTP-Method-Override", lambda _: "DELETE"),
    "query: user_id": Case(
        lambda s: s.get(f"/api/artifacts?user_id={s.ann.user_id}", bearer=s.bob.token), 400, "MALFORMED_REQUEST"
    ),
    "query: tenant_id": Case(
        lambda s: s.get(f"/api/artifacts?tenant_id={s.other_tenant}", bearer=s.bob.token), 400, "MALFORMED_REQUEST"
    ),
    "query: events of somebody": Case(
        lambda s: s.get(f"/api/events?user_id={s.ann.user_id}", bearer=s.bob.token), 400, "MALFORMED_REQUEST"
    ),
    "create_session: user_id of a colleague": _for_cora(lambda s: s.ann.user_id),
    "create_session: user_id of another tenant": _for_cora(lambda s: s.eve.user_id),
    "create_session: user_id in upper case": _for_cora(lambda s: s.cora.user_id.upper()),
    "create_session: user_id with a space": _for_cora(lambda s: s.cora.user_id + " "),
    "create_session: user_id with a look-alike": _for_cora(lambda s: s.cora.user_id.replace("u", "\u1d1c", 1)),
    "create_session: user_id a list": Case(
        lambda s: s.open(s.cora.proof, user_id=[s.cora.user_id]),
        422,
        "INVALID_PARAMETER_TYPE",
        before=_READY,
        then=_still_opens,
    ),
    "authenticate_user: in the tenant of others": Case(
        lambda s: s.submit(
            "authenticate_user",
            {"tenant": s.other_tenant, "email": s.cora.email, "password": "correct horse battery"},
        ),
        200,
        leaves=asked("authenticate_user"),  # where nobody has an account, strangers leave no event
        before=_READY,
        then=_not_recognized,
    ),
    "authenticate_user: user_id of somebody": Case(
        lambda s: s.submit(
            "authenticate_user",
            {
                "tenant": s.tenant,
                "email": s.cora.email,
                "password": "correct horse battery",
                "user_id": s.cora.user_id,
            },
        ),
        422,
        _UNKNOWN,
        before=(steps.cora,),
    ),
    "authenticate_user: the tenant's name as a path": Case(
        lambda s: s.submit(
            "authenticate_user", {"tenant": f"x/../{s.tenant}", "email": s.cora.email, "password": "correct horse"}
        ),
        422,
        "INVALID_PARAMETER_VALUE",
        before=(steps.cora,),
    ),
}
"""Tenant, user and roles come from what was proven, and from nowhere else."""


def _hours(hours, code="INVALID_PARAMETER_VALUE"):
    return Case(lambda s: s.refresh(s.ann, extend_hours=hours), 422, code)


def _unwritten(text, code="MALFORMED_REQUEST"):
    """Hours that no JSON library writes."""

    def send(scene):
        body = (
            '{"intent_type":"refresh_session","parameters":{"session_id":"%s","session_token":"%s","extend_hours":%s}}'
        )
        return scene.post((body % (scene.ann.session_id, scene.ann.token, text)).encode())

    return Case(send, 400 if code == "MALFORMED_REQUEST" else 422, code)


HOURS = {
    "0": _hours(0),
    "-1": _hours(-1),
    "-0.0": _hours(-0.0),
    "168.0001": _hours(168.0001),
    "169": _hours(169),
    "2^53 - 1": _hours(2**53 - 1),
    "1e308": _hours(1e308),
    "true": _hours(True, "INVALID_PARAMETER_TYPE"),  # noqa: FBT003 - what is sent
    "false": _hours(False, "INVALID_PARAMETER_TYPE"),  # noqa: FBT003 - what is sent
    "a text": _hours("24", "INVALID_PARAMETER_TYPE"),
    "a list": _hours([24], "INVALID_PARAMETER_TYPE"),
    "an object": _hours({"$gt": 0}, "INVALID_PARAMETER_TYPE"),
    "null": _hours(None, "INVALID_PARAMETER_TYPE"),
    "NaN": _unwritten("NaN"),
    "Infinity": _unwritten("Infinity"),
    "-Infinity": _unwritten("-Infinity"),
    "1e400": _unwritten("1e400"),
    "2^64": _unwritten("18446744073709551616"),
    "2^53": _unwritten("9007199254740992"),
    "hexadecimal": _unwritten("0x18"),
    "octal": _unwritten("024"),
    "twice": _unwritten('24,"extend_hours":168'),
}
"""Hours are refused, never clamped."""
