"""What belongs to others: their artifacts, executions, events and sessions, and what only services may do."""

from attacks.cases import Case, asked, recorded
from attacks.groups import steps
from attacks.groups.bodies import chat
from attacks.scene import PASSWORD

_DENIED = "PERMISSION_DENIED"
_ANNS_CHAT = chat("ann", key="ours")


def _unseen(path, *, by="bob", before=(_ANNS_CHAT,), status=404, code="NOT_FOUND"):
    return Case(lambda s: s.get(path(s), bearer=getattr(s, by).token), status, code, before=before)


_READ = {
    "session": lambda s: f"/api/artifacts/{s.ann.ref}",
    "versions of a session": lambda s: f"/api/artifacts/{s.ann.ref}/versions",
    "first version of a session": lambda s: f"/api/artifacts/{s.ann.ref}/versions/1",
    "chat": lambda s: f"/api/artifacts/{s.chat}",
    "versions of a chat": lambda s: f"/api/artifacts/{s.chat}/versions",
    "first version of a chat": lambda s: f"/api/artifacts/{s.chat}/versions/1",
    "execution": lambda s: f"/api/execution/{s.execution}/status",
    "account": lambda s: f"/api/artifacts/{s.cora.user_id}",
    "credential": lambda s: f"/api/artifacts/{s.cora.user_id.replace('usr_', 'crd_')}",
}

_PREPARED = (_ANNS_CHAT, steps.cora)


def _hidden(scene, answer):
    """Nothing of Ann is in the listing."""
    for hers in (scene.ann.ref, scene.ann.user_id, scene.chat):
        assert hers not in answer.text


def _listing(query, by="bob"):
    return Case(
        lambda s: s.get(f"/api/artifacts{query}", bearer=getattr(s, by).token),
        200,
        before=(_ANNS_CHAT,),
        then=_hidden,
    )


def _only(person, answer):
    listed = answer.json()["artifacts"]["session_list"]["semantic_payload"]["sessions"]
    assert [session["session_ref"] for session in listed] == ([person.ref] if person else [])


READS = {
    **{f"{name}, by a colleague": _unseen(path, before=_PREPARED) for name, path in _READ.items()},
    **{f"{name}, by another tenant": _unseen(path, by="eve", before=_PREPARED) for name, path in _READ.items()},
    **{
        f"{name}, by the service of another tenant": Case(
            lambda s, path=path: s.get(
                path(s), bearer=s.command_line_token({"service"}, tenant=s.other_tenant, user="operator")
            ),
            404,
            "NOT_FOUND",
            before=_PREPARED,
        )
        for name, path in _READ.items()
    },
    "listing": _listing(""),
    "listing of sessions": _listing("?type=session"),
    "listing of a type with a wildcard": _listing("?type=%25"),
    "listing of a type with SQL": _listing("?type=session'%20OR%20'1'='1"),
    "listing of another tenant": _listing("?type=session", by="eve"),
    "listing from a made-up cursor": Case(
        lambda s: s.get("/api/artifacts?cursor=x' OR 1=1", bearer=s.bob.token), 422, "INVALID_PARAMETER_VALUE"
    ),
    "listing with a huge limit": Case(
        lambda s: s.get("/api/artifacts?limit=99999999", bearer=s.bob.token), 422, "INVALID_PARAMETER_VALUE"
    ),
    "chat by its id": Case(
        lambda s: s.submit("get_chat_session", {"chat_session_id": s.chat}, bearer=s.bob.token),
        404,
        "SESSION_NOT_FOUND",
        before=(_ANNS_CHAT,),
    ),
    "chat by its id, written": Case(
        lambda s: s.submit(
            "update_chat_context",
            {"chat_session_id": s.chat, "context_updates": {"shared_intent": "mine"}},
            bearer=s.bob.token,
        ),
        404,
        "SESSION_NOT_FOUND",
        before=(_ANNS_CHAT,),
    ),
    "chat of another tenant": Case(
        lambda s: s.submit("get_chat_session", {"chat_session_id": s.chat}, bearer=s.eve.token),
        404,
        "SESSION_NOT_FOUND",
        before=(_ANNS_CHAT,),
    ),
    "events after a made-up cursor": Case(
        lambda s: s.get("/api/events?after=x", bearer=s.bob.token), 422, "INVALID_PARAMETER_VALUE"
    ),
    "events after a cursor with SQL": Case(
        lambda s: s.get("/api/events", bearer=s.bob.token, headers=[("Last-Event-ID", "0' OR '1'='1")]),
        422,
        "INVALID_PARAMETER_VALUE",
    ),
    "events without a token": Case(lambda s: s.get("/api/events"), 401, "UNAUTHENTICATED"),
    "artifacts without a token": Case(lambda s: s.get("/api/artifacts"), 401, "UNAUTHENTICATED"),
    "metrics from behind a proxy": Case(
        lambda s: s.get("/metrics", headers=[("X-Forwarded-For", "127.0.0.1")]), 404, "NOT_FOUND"
    ),
    "health from behind a proxy": Case(
        lambda s: s.get("/health/ready", headers=[("Forwarded", "for=127.0.0.1")]), 404, "NOT_FOUND"
    ),
    "sessions of others": Case(
        lambda s: s.submit("list_sessions", {}, bearer=s.bob.token),
        200,
        leaves=asked("list_sessions"),
        then=lambda s, a: _only(s.bob, a),
    ),
    "sessions of another tenant": Case(
        lambda s: s.submit("list_sessions", {}, bearer=s.eve.token),
        200,
        leaves=asked("list_sessions"),
        then=lambda s, a: _only(s.eve, a),
    ),
    "sessions of the tenant, by its service": Case(
        lambda s: s.submit("list_sessions", {}, bearer=s.command_line_token({"service"}, user="operator")),
        200,
        leaves=asked("list_sessions"),
        then=lambda _, a: _only(None, a),
    ),
}
"""What is foreign looks exactly like what does not exist."""


def _revoking(ref, by="bob"):
    return Case(
        lambda s: s.submit("revoke_session", {"session_ref": ref(s)}, bearer=getattr(s, by).token),
        404,
        "SESSION_NOT_FOUND",
        recorded("revoke_session", "SESSION_NOT_FOUND"),
        before=(_ANNS_CHAT,),
    )


def _by_bob(intent, params):
    return Case(lambda s: s.submit(intent, params(s), bearer=s.bob.token), 403, _DENIED, before=(steps.cora,))


def _admin(scene):
    """Somebody whose roles only sound like much."""
    scene.root = scene.open_account("root", ["admin", "root", "services", "service.read", "superuser"])


_SERVICE_ONLY = {
    "create_user_account": lambda _: {"email": "mallory@example.com", "password": PASSWORD, "roles": []},
    "set_user_status": lambda s: {"user_id": s.cora.user_id, "status": "DISABLED"},
    "set_user_roles": lambda s: {"user_id": s.cora.user_id, "roles": ["admin"]},
    "expire_session": lambda s: {"session_ref": s.ann.ref},
}


def _expiring(scene):
    return scene.submit(
        "expire_session",
        {"session_ref": scene.ann.ref},
        bearer=scene.command_line_token({"service"}, tenant=scene.other_tenant, user="operator"),
    )


def _still_signed_in(scene):
    assert scene.get("/api/artifacts", bearer=scene.ann.token).status_code == 200
    assert scene.get("/api/artifacts", bearer=scene.eve.token).status_code == 200


def _is_denied(answer):
    assert answer.json()["artifacts"]["authorization_result"]["semantic_payload"]["authorized"] is False


def _introspecting(bearer, status=403, code=_DENIED):
    return Case(lambda s: s.introspect(s.ann.token, bearer=bearer(s)), status, code)


ESCALATION = {
    **{f"{intent}, by a user": _by_bob(intent, params) for intent, params in _SERVICE_ONLY.items()},
    **{
        f"{intent}, by a user of many roles": Case(
            lambda s, intent=intent, params=params: s.submit(intent, params(s), bearer=s.root.token),
            403,
            _DENIED,
            before=(steps.cora, _admin),
        )
        for intent, params in _SERVICE_ONLY.items()
    },
    **{
        f"{intent}, by nobody": Case(
            lambda s, intent=intent, params=params: s.submit(intent, params(s)),
            401,
            "UNAUTHENTICATED",
            before=(steps.cora,),
        )
        for intent, params in _SERVICE_ONLY.items()
    },
    **{
        f"{intent}, by the service of another tenant": Case(
            lambda s, intent=intent: s.submit(
                intent,
                _SERVICE_ONLY[intent](s),
                bearer=s.command_line_token({"service"}, tenant=s.other_tenant, user="operator"),
            ),
            404,
            "USER_NOT_FOUND",
            before=(steps.cora,),
        )
        for intent in ("set_user_status", "set_user_roles")
    },
    "expire_session, by the service of another tenant": Case(_expiring, 404, "SESSION_NOT_FOUND"),
    "expire_session, before its time": Case(
        lambda s: s.submit(
            "expire_session",
            {"session_ref": s.ann.ref},
            bearer=s.command_line_token({"service"}, user="operator"),
        ),
        200,
        then=lambda s, _: _still_signed_in(s),
    ),
    "acknowledge_session, of another generation": Case(
        lambda s: s.submit("acknowledge_session", {"generation": 9}, bearer=s.bob.token), 200
    ),
    "acknowledge_session, of somebody": Case(
        lambda s: s.submit("acknowledge_session", {"generation": 1, "session_ref": s.ann.ref}, bearer=s.bob.token),
        422,
        "UNKNOWN_PARAMETER",
    ),
    "validate_authorization, service": Case(
        lambda s: s.submit("validate_authorization", {"required_roles": ["service"]}, bearer=s.bob.token),
        200,
        leaves=asked("validate_authorization", events=("authorization_failed",)),
        then=lambda _, a: _is_denied(a),
    ),
    "validate_authorization, permissions of a service": Case(
        lambda s: s.submit("validate_authorization", {"required_permissions": ["tenant.read"]}, bearer=s.bob.token),
        200,
        leaves=asked("validate_authorization", events=("authorization_failed",)),
        then=lambda _, a: _is_denied(a),
    ),
    "introspection, by a user": _introspecting(lambda s: s.bob.token),
    "introspection, by the very user": _introspecting(lambda s: s.ann.token),
    "introspection, by a user's command line": _introspecting(
        lambda s: s.command_line_token({"admin"}), 401, "UNAUTHENTICATED"
    ),
    "introspection, by nobody": Case(
        lambda s: s.post(b'{"token":"x"}', path="/api/session/introspect"), 401, "UNAUTHENTICATED"
    ),
    "introspection, of more than a token": Case(
        lambda s: s.post(
            b'{"token":"x","tenant_id":"t"}',
            path="/api/session/introspect",
            bearer=s.command_line_token({"service"}, user="operator"),
        ),
        400,
        "MALFORMED_REQUEST",
    ),
    "introspection, 5 MB": Case(lambda s: s.introspect("A" * 5_000_000), 413, "PAYLOAD_TOO_LARGE"),
    "change_password, with another's password": Case(
        lambda s: s.submit(
            "change_password",
            {"current_password": "not my password", "new_password": "better horse battery"},
            bearer=s.cora.token,
        ),
        403,
        "INVALID_CREDENTIALS",
        recorded("change_password", "INVALID_CREDENTIALS"),
        before=(steps.cora,),
    ),
    "change_password, without an account": Case(
        lambda s: s.submit(
            "change_password",
            {"current_password": "not my password", "new_password": "better horse battery"},
            bearer=s.bob.token,
        ),
        403,
        "INVALID_CREDENTIALS",
        recorded("change_password", "INVALID_CREDENTIALS"),
    ),
    "revoke_session, of a colleague": _revoking(lambda s: s.ann.ref),
    "revoke_session, of another tenant": _revoking(lambda s: s.eve.ref),
    "revoke_session, by another tenant": _revoking(lambda s: s.ann.ref, by="eve"),
    "revoke_session, of nobody": _revoking(lambda _: "A" * 22),
    "revoke_session, of both kinds": Case(
        lambda s: s.submit("revoke_session", {"session_ref": s.bob.ref, "scope": "all"}, bearer=s.bob.token),
        422,
        "INVALID_PARAMETER_VALUE",
        leaves=recorded("revoke_session", "INVALID_PARAMETER_VALUE"),
    ),
    "revoke_session, all, leaves others alone": Case(
        lambda s: s.submit("revoke_session", {"scope": "all"}, bearer=s.bob.token),
        200,
        leaves=asked("revoke_session", events=("session_revoked",), states={"bob": "REVOKED"}),
        then=lambda s, _: _still_signed_in(s),
    ),
}
"""A user becomes no service, and no other user."""
