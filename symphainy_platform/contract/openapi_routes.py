"""The fixed routes of the HTTP edge in OpenAPI (10-runtime, "HTTP")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ERROR = {"$ref": "#/components/schemas/Error"}
_OBJECT: Mapping[str, Any] = {"type": "object"}
_TEXT: Mapping[str, Any] = {"type": "string"}


def reply(description: str, schema: Mapping[str, Any], media_type: str = "application/json") -> dict[str, Any]:
    """One response with a body."""
    return {"description": description, "content": {media_type: {"schema": dict(schema)}}}


def other_paths() -> dict[str, Any]:
    """Every route but the submission of intents."""
    return {
        "/api/execution/{execution_id}/status": _get(
            "getExecutionStatus",
            "The answer of an execution, from its record",
            parameters=[_path("execution_id")],
        ),
        "/api/events": _events(),
        "/api/artifacts": _get(
            "listArtifacts",
            "Own artifacts, newest first; the tenant's for role service",
            parameters=[
                _query("type"),
                _query("state"),
                _query("limit", {"type": "integer", "minimum": 1, "maximum": 200}),
                _query("cursor"),
            ],
        ),
        "/api/artifacts/{artifact_id}": _get("getArtifact", "One artifact", parameters=[_path("artifact_id")]),
        "/api/artifacts/{artifact_id}/versions": _get(
            "listArtifactVersions",
            "Versions of an artifact, newest first",
            parameters=[_path("artifact_id")],
        ),
        "/api/artifacts/{artifact_id}/versions/{version}": _get(
            "getArtifactVersion",
            "One version of an artifact, as it was",
            parameters=[_path("artifact_id"), _path("version", {"type": "integer", "minimum": 1})],
        ),
        "/api/session/introspect": _introspection(),
        "/.well-known/jwks.json": _get("listPublicKeys", "The keys that verify tokens, where published", public=True),
        "/api/contracts": _get("listContracts", "Every contract, in short", public=True),
        "/api/contracts/{intent_type}": _get(
            "getContract", "The newest contract of an intent", parameters=[_path("intent_type")], public=True
        ),
        "/openapi.json": _get("getOpenApi", "This document", public=True),
        "/health/live": _get("isLive", "The process runs", public=True),
        "/health/ready": _get("isReady", "The store answers and its schema is current", public=True),
        "/metrics": _metrics(),
    }


def _get(
    operation: str, summary: str, *, parameters: list[dict[str, Any]] | None = None, public: bool = False
) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation,
        "summary": summary,
        "parameters": parameters or [],
        "responses": {"200": reply(summary, _OBJECT), "default": reply("A failure", _ERROR)},
        "tags": ["platform"],
    }
    if public:
        described["security"] = []
    return {"get": described}


def _path(name: str, schema: Mapping[str, Any] = _TEXT) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": dict(schema)}


def _query(name: str, schema: Mapping[str, Any] = _TEXT) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": dict(schema)}


def _events() -> dict[str, Any]:
    path = _get(
        "streamEvents",
        "Committed events as Server-Sent Events: from now on, or after a cursor (`0`: all that are retained)",
        parameters=[
            {"name": "Last-Event-ID", "in": "header", "schema": dict(_TEXT)},
            _query("after"),
            _query("artifact_id"),
            _query("type"),
        ],
    )
    path["get"]["responses"]["200"] = reply("The stream", _TEXT, "text/event-stream")
    return path


def _metrics() -> dict[str, Any]:
    path = _get("getMetrics", "Prometheus metrics", public=True)
    path["get"]["responses"]["200"] = reply("Metrics", _TEXT, "text/plain")
    return path


def _introspection() -> dict[str, Any]:
    """RFC 7662 in spirit, for role service."""
    properties: dict[str, Any] = {
        "active": {"type": "boolean"},
        **{name: dict(_TEXT) for name in ("tenant_id", "user_id", "session_ref")},
        "roles": {"type": "array", "items": dict(_TEXT)},
        "expires_at": {"type": "string", "format": "date-time"},
    }
    token = {"type": "string", "format": "password", "writeOnly": True}
    body = {"type": "object", "properties": {"token": token}, "required": ["token"], "additionalProperties": False}
    summary = "Whose session a token is of, for role service; `active: false` alone for anything else"
    path = _get("introspectSession", summary)["get"]
    path["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    path["responses"]["200"] = reply(summary, {"type": "object", "properties": properties, "required": ["active"]})
    return {"post": path}
