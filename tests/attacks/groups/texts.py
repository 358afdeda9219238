"""Ids and paths made of what parsers, databases, file systems and people's eyes act upon."""

from attacks.cases import Case, recorded
from attacks.groups import steps
from attacks.scene import PASSWORD

_MALFORMED = "MALFORMED_REQUEST"
_VALUE = "INVALID_PARAMETER_VALUE"

_NUL, _SURROGATE = "\0", "\ud800"

_SESSION_IDS = {
    "42 characters": "sess_" + "A" * 42,
    "44 characters": "sess_" + "A" * 44,
    "another prefix": "SESS_" + "A" * 43,
    "without a prefix": "A" * 48,
    "trailing newline": "sess_" + "A" * 43 + "\n",
    "newline within": "sess_" + "A" * 42 + "\n",
    "trailing space": "sess_" + "A" * 43 + " ",
    "standard base64": "sess_" + "+/" * 21 + "A",
    "padding": "sess_" + "A" * 42 + "=",
    "path": "sess_" + "../" * 14 + "A",
    "absolute path": "/etc/passwd",
    "percent": "sess_" + "%2e" * 14 + "A",
    "wildcard": "sess_" + "%" * 43,
    "SQL": "sess_" + "' OR '1'='1' --".ljust(43, "A"),
    "SQL of a table": "sess_" + "'; DROP TABLE sessions; --".ljust(43, "A"),
    "a Cyrillic letter": "sess_" + "А" * 43,  # noqa: RUF001 - the attack
    "full-width digits": "sess_" + "１" * 43,  # noqa: RUF001 - the attack
    "a Cyrillic prefix": "ѕess_" + "A" * 43,  # noqa: RUF001 - the attack
    "zero-width joiner": "sess_" + "A" * 42 + "\u200d",
    "right-to-left": "sess_" + "A" * 42 + "\u202e",
    "escape": "sess_" + "A" * 42 + "\x1b",
    "a template": "sess_" + "{{7*7}}${jndi:ldap://x}".ljust(43, "A"),
    "JSON": '{"$ne":""}',
    "empty": "",
    "256 characters": "sess_" + "A" * 251,
    "1 MB": "A" * 1_000_000,
}
"""None is a session id; each is refused before anything is looked up."""


def _identified(intent, session_id, status=422, code="INVALID_SESSION_ID"):
    return Case(lambda s: s.submit(intent, {"session_id": session_id, "session_token": s.ann.token}), status, code)


_AT_BOTH = ("refresh_session", "terminate_session")

SESSION_IDS = {
    **{f"{intent}: {name}": _identified(intent, text) for name, text in _SESSION_IDS.items() for intent in _AT_BOTH},
    **{
        f"{intent}: {name}": _identified(intent, value, status, code)
        for intent in _AT_BOTH
        for name, (value, status, code) in {
            "NUL": ("sess_" + "A" * 42 + _NUL, 400, _MALFORMED),
            "lone surrogate": ("sess_" + "A" * 42 + _SURROGATE, 400, _MALFORMED),
            "a number": (7, 422, "INVALID_PARAMETER_TYPE"),
            "a list": (["sess_" + "A" * 43], 422, "INVALID_PARAMETER_TYPE"),
            "null": (None, 422, "INVALID_PARAMETER_TYPE"),
        }.items()
    },
}

_REFS = {
    "empty": "",
    "21 characters": "A" * 21,
    "23 characters": "A" * 23,
    "wildcard": "%" * 22,
    "path": "../../../../etc/passwd",
    "SQL": "' OR '1'='1' --AAAAAAA",
    "newline": "A" * 22 + "\n",
    "full-width digits": "１" * 22,  # noqa: RUF001 - the attack
    "right-to-left": "A" * 21 + "\u202e",
}

_USER_IDS = {
    "SQL": "' OR '1'='1",
    "wildcard": "%",
    "path": "../../usr_1",
    "newline": "usr_1\n",
    "right-to-left": "usr_\u202e1",
    "nobody": "usr_00000000000000000000000000000000",
}


def _by_service(intent, params, status, code, **more):
    """Even a service of the tenant reaches no further than accounts of its tenant."""
    return Case(
        lambda s: s.submit(intent, params(s), bearer=s.command_line_token({"service"}, user="operator")),
        status,
        code,
        **more,
    )


def _status(user_id, code="USER_NOT_FOUND", status=404, **more):
    return _by_service(
        "set_user_status",
        lambda s: {"user_id": user_id(s) if callable(user_id) else user_id, "status": "DISABLED"},
        status,
        code,
        **more,
    )


def _new_account(**more):
    params = {"email": "x@example.com", "password": PASSWORD, **more}
    return _by_service(
        "create_user_account", lambda _: params, 422, _VALUE, leaves=recorded("create_user_account", _VALUE)
    )


OTHER_IDS = {
    **{
        f"revoke_session: {name}": Case(
            lambda s, text=text: s.submit("revoke_session", {"session_ref": text}, bearer=s.bob.token), 422, _VALUE
        )
        for name, text in _REFS.items()
    },
    **{f"set_user_status: {name}": _status(text) for name, text in _USER_IDS.items()},
    "set_user_status: NUL": _status("usr_" + _NUL, _MALFORMED, 400),
    "set_user_status: empty": _status("", _VALUE, 422),
    "set_user_status: endless": _status("u" * 256, _VALUE, 422),
    "set_user_roles: service": _by_service(
        "set_user_roles",
        lambda s: {"user_id": s.cora.user_id, "roles": ["service"]},
        422,
        _VALUE,
        leaves=recorded("set_user_roles", _VALUE),
        before=(steps.cora,),
    ),
    "set_user_roles: service with a newline": _by_service(
        "set_user_roles",
        lambda s: {"user_id": s.cora.user_id, "roles": ["service\n"]},
        422,
        _VALUE,
        before=(steps.cora,),
    ),
    "set_user_roles: service in full width": _by_service(
        "set_user_roles",
        lambda s: {"user_id": s.cora.user_id, "roles": ["ｓervice"]},  # noqa: RUF001 - the attack
        422,
        _VALUE,
        before=(steps.cora,),
    ),
    "create_user_account: roles of a service": _new_account(roles=["editor", "service"]),
    "create_user_account: an address with an escape": _new_account(email="x\x1b[31m@example.com"),
    "create_user_account: an address with a right-to-left mark": _new_account(email="x\u202e@example.com"),
    "create_user_account: a name with an escape": _new_account(name="\x1b[2J"),
    "create_user_account: the same address in other letters": _by_service(
        "create_user_account",
        lambda s: {"email": s.cora.email.upper(), "password": "another one of mine"},
        409,
        "EMAIL_TAKEN",
        leaves=recorded("create_user_account", "EMAIL_TAKEN"),
        before=(steps.cora,),
    ),
    **{
        f"{intent}: {name}": _by_service(
            intent,
            lambda s, which=which, more=more: {"user_id": which(s), **more},
            404,
            "USER_NOT_FOUND",
            before=(steps.cora,),
        )
        for intent, more in {"set_user_status": {"status": "DISABLED"}, "set_user_roles": {"roles": ["editor"]}}.items()
        for name, which in {
            "of a session": lambda s: s.ann.ref,
            "of a credential": lambda s: s.cora.user_id.replace("usr_", "crd_"),
            "of somebody without an account": lambda s: s.ann.user_id,
            "of the directory": lambda _: "user_directory",
            "in upper case": lambda s: s.cora.user_id.upper(),
        }.items()
    },
}


def _path(path):
    return Case(lambda s: s.get(path, bearer=s.bob.token), 404, "NOT_FOUND")


_IN_PATHS = {
    "dots": "..%2f..%2f..%2fetc%2fpasswd",
    "dots twice encoded": "%252e%252e%252f",
    "NUL": "x%00y",
    "newline": "x%0d%0aSet-Cookie:%20a=b",
    "SQL": "'%20OR%20'1'='1",
    "wildcard": "%25",
    "not UTF-8": "%ff%fe",
    "overlong": "%c0%ae",
    "endless": "x" * 4000,
    "a template": "{{7*7}}",
}

PATHS = {
    f"{place.partition('{')[0]}: {name}": _path(place.replace("{}", text))
    for place in ("/api/artifacts/{}", "/api/artifacts/{}/versions", "/api/execution/{}/status", "/api/contracts/{}")
    for name, text in _IN_PATHS.items()
} | {
    "above the root": _path("/..%2f..%2fetc/passwd"),
    "a version that is none": _path("/api/artifacts/x/versions/99999999999999999999"),
    "a version below one": _path("/api/artifacts/x/versions/0"),
    "keys, which are not published": _path("/.well-known/jwks.json"),
}
