"""OpenAPI 3.1, generated from the contracts.

Every intent is submitted to one path, so that path has one operation over all of them
(discriminated by `intent_type`). Besides, each intent has a typed operation of its own, at the
same path with a fragment (`/api/intent/submit#update_chat_context`): clients generate one
function per intent from it, and what they call is the one path, for HTTP never sends a fragment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from symphainy_platform.contract.catalog import Catalog
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.openapi_routes import other_paths, reply
from symphainy_platform.contract.schema import Schema, artifacts_schema, event_schemas, parameters_schema
from symphainy_platform.errors import RUNTIME_ERRORS, Kind

SUBMIT = "/api/intent/submit"

_EVERYWHERE = (
    "MALFORMED_REQUEST",
    "UNSUPPORTED_MEDIA_TYPE",
    "PAYLOAD_TOO_LARGE",
    "MISSING_PARAMETER",
    "UNKNOWN_PARAMETER",
    "INVALID_PARAMETER_TYPE",
    "INVALID_PARAMETER_VALUE",
    "HANDLER_ERROR",
    "CONTRACT_VIOLATION",
    "DATABASE_UNAVAILABLE",
    "SHUTTING_DOWN",
    "EXECUTION_TIMEOUT",
)
_AUTHENTICATED = ("UNAUTHENTICATED", "PERMISSION_DENIED", "INVALID_IDEMPOTENCY_KEY", "IDEMPOTENCY_KEY_REUSED")
_KEY_HEADER: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A second guard: the same key and parameters answer the stored result, for 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
_SECURITY_SCHEMES: Schema = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "__Host-session", "description": "In cookie mode only."},
}
_SET_COOKIE: Schema = {
    "description": "The session's token, as `__Host-session`; empty once the session has ended.",
    "schema": {"type": "string"},
}
_SIGNED_IN: list[Schema] = [{"bearer": []}, {"cookie": []}]


def openapi(catalog: Catalog, version: str, *, cookies: bool = False) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these contracts and the fixed routes.

    `version` is the platform's. `cookies`: in cookie mode, what the browser's cookie carries is in no body.
    """
    contracts = [sourced.value for _, sourced in sorted(catalog.contracts.items())]
    newest = [contract for contract in contracts if catalog.newest(contract.intent) is contract]
    document = _document([_without_cookie(each) for each in newest] if cookies else newest, version)
    if cookies:
        for contract in newest:
            _tell_of_cookies(document["paths"][f"{SUBMIT}#{contract.intent}"]["post"], contract)
    return document


def _document(newest: list[Contract], version: str) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Symphainy Platform",
            "version": version,
            "description": "Submit intents, and read what came of them. Generated from the contracts.",
        },
        "paths": {
            SUBMIT: {"post": _any_intent(newest)},
            **{f"{SUBMIT}#{contract.intent}": {"post": _one_intent(contract)} for contract in newest},
            **other_paths(),
        },
        "components": {
            "securitySchemes": _SECURITY_SCHEMES,
            "schemas": {"Error": _error_schema(), **_schemas(newest)},
        },
        "security": _SIGNED_IN,
    }


def _without_cookie(contract: Contract) -> Contract:
    """The contract as callers in cookie mode see it."""
    params = {name: param for name, param in contract.params.items() if not param.cookie}
    returns = {
        artifact: {name: shape for name, shape in shapes.items() if not shape.cookie}
        for artifact, shapes in contract.returns.items()
    }
    return contract.model_copy(update={"params": params, "returns": returns})


def _tell_of_cookies(operation: Schema, contract: Contract) -> None:
    """Say which pages may submit it, and when the cookie is its proof, or changes with its answer."""
    forbidden = {"CSRF_REJECTED", *_codes(contract).get(Kind.FORBIDDEN.http_status, ())}
    operation["responses"]["403"] = _failure(sorted(forbidden))
    proves = any(param.cookie for param in contract.params.values())
    if proves:
        operation["security"] = [{"cookie": []}, {"bearer": []}]
    if proves or any(shape.cookie for shapes in contract.returns.values() for shape in shapes.values()):
        operation["responses"]["200"]["headers"] = {"Set-Cookie": _SET_COOKIE}


def type_name(intent: str) -> str:
    """The name of an intent in schemas: update_chat_context → UpdateChatContext."""
    return "".join(word.capitalize() for word in intent.split("_"))


def _any_intent(contracts: list[Contract]) -> Schema:
    names = [type_name(contract.intent) for contract in contracts]
    return {
        "operationId": "submitIntent",
        "summary": "Submit an intent",
        "parameters": [_KEY_HEADER],
        "requestBody": _body(_union(contracts, "Request")),
        "responses": {
            "200": reply("The intent has completed.", _union(contracts, "Answer")),
            "default": reply("The intent has failed; nothing was written.", {"$ref": "#/components/schemas/Error"}),
        },
        "tags": ["intents"],
        "x-intents": names,
    }


def _union(contracts: list[Contract], suffix: str) -> Schema:
    if not contracts:
        return {"type": "object"}
    references = {
        contract.intent: f"#/components/schemas/{type_name(contract.intent)}{suffix}" for contract in contracts
    }
    return {
        "oneOf": [{"$ref": reference} for reference in references.values()],
        "discriminator": {"propertyName": "intent_type", "mapping": references},
    }


def _one_intent(contract: Contract) -> Schema:
    name = type_name(contract.intent)
    return {
        "operationId": contract.intent,
        "summary": contract.purpose,
        "parameters": [] if contract.access == ("public",) else [_KEY_HEADER],
        "requestBody": _body({"$ref": f"#/components/schemas/{name}Request"}),
        "responses": {
            "200": reply("The intent has completed.", {"$ref": f"#/components/schemas/{name}Answer"}),
            **_failures(contract),
        },
        "tags": [contract.realm],
        **({"deprecated": True} if contract.status == "deprecated" else {}),
        **_security(contract),
    }


def _security(contract: Contract) -> Schema:
    """Public intents need no token; those that are for users, too, look at one when it is there."""
    if "public" not in contract.access:
        return {}
    return {"security": [] if contract.access == ("public",) else [{}, *_SIGNED_IN]}


def _body(schema: Schema) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _failures(contract: Contract) -> dict[str, Schema]:
    """One response per HTTP status, with the codes that it may carry."""
    codes = _codes(contract)
    return {str(status): _failure(sorted(codes[status])) for status in sorted(codes)}


def _codes(contract: Contract) -> dict[int, set[str]]:
    """The codes that it may fail with, by HTTP status."""
    codes: dict[int, set[str]] = defaultdict(set)
    for code in _runtime_codes(contract):
        codes[(RUNTIME_ERRORS[code].default_kind or Kind.INTERNAL).http_status].add(code)
    for code, declared in contract.errors.items():
        codes[declared.kind.http_status].add(code)
    return codes


def _runtime_codes(contract: Contract) -> Iterable[str]:
    yield from _EVERYWHERE
    if contract.access != ("public",):
        yield from _AUTHENTICATED
    if any(write.operation == "update" for write in contract.effects.writes):
        yield "VERSION_CONFLICT"


def _failure(codes: list[str]) -> Schema:
    schema = {
        "allOf": [{"$ref": "#/components/schemas/Error"}, {"properties": {"error_code": {"enum": codes}}}],
    }
    return reply(", ".join(codes), schema)


def _schemas(contracts: list[Contract]) -> dict[str, Schema]:
    schemas: dict[str, Schema] = {}
    for contract in contracts:
        name = type_name(contract.intent)
        schemas[f"{name}Parameters"] = parameters_schema(contract)
        schemas[f"{name}Request"] = _request(contract, name)
        schemas[f"{name}Answer"] = _answer(contract)
    return schemas


def _request(contract: Contract, name: str) -> Schema:
    properties: dict[str, Schema] = {
        "intent_type": {"const": contract.intent},
        "parameters": {"$ref": f"#/components/schemas/{name}Parameters"},
        "metadata": {"type": "object", "description": "The caller's own; at most 16 KiB."},
        "contract_version": {"type": "string", "description": "A version whose major must be served; else the newest."},
    }
    return {
        "type": "object",
        "title": contract.docs.title or name,
        "description": contract.purpose,
        "properties": properties,
        "required": ["intent_type", "parameters"],
        "additionalProperties": False,
    }


def _answer(contract: Contract) -> Schema:
    events = event_schemas(contract)
    properties: dict[str, Schema] = {
        "execution_id": {"type": "string", "pattern": "^exec_"},
        "intent_type": {"const": contract.intent},
        "status": {"const": "completed"},
        "idempotent_replay": {"type": "boolean", "description": "True for the stored answer of an earlier call."},
        "artifacts": artifacts_schema(contract),
        "events": {"type": "array", "items": {"oneOf": events} if events else {"type": "object"}},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def _error_schema() -> Schema:
    properties: dict[str, Schema] = {
        "error": {"type": "string", "description": "A sentence that a person can act on."},
        "error_code": {"type": "string", "description": "Stable; what programs test."},
        "execution_id": {"type": ["string", "null"]},
        "intent_type": {"type": ["string", "null"]},
        "retryable": {"type": "boolean", "description": "The same call may succeed later, unchanged."},
        "details": {"type": "object", "description": "Which parameter, what was expected, a hint."},
        "trace_id": {"type": ["string", "null"]},
    }
    legacy: Schema = {"legacy_code": {"type": "string", "description": "The code that older clients know."}}
    return {"type": "object", "properties": properties | legacy, "required": list(properties)}
