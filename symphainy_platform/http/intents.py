"""Submitting an intent, and asking for an execution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from symphainy_platform.errors import IntentError, MalformedRequest
from symphainy_platform.http.answers import Answer, json_answer
from symphainy_platform.http.credentials import credentials_of, guard_post
from symphainy_platform.http.endpoint import identified
from symphainy_platform.http.request import (
    TRACE_ID,
    client_of,
    idempotency_key,
    query_of,
    read_json_object,
)
from symphainy_platform.http.session_cookie import CookieUse, cookie_use
from symphainy_platform.runtime.execution import IntentRequest

if TYPE_CHECKING:
    from starlette.requests import Request

    from symphainy_platform.platform import Platform

_LONGEST_VERSION = 64
_REQUIRED: dict[str, type] = {"intent_type": str, "parameters": dict}
_FIELDS: dict[str, type] = {**_REQUIRED, "metadata": dict, "contract_version": str}
_JSON_NAMES: dict[type, str] = {str: "a string", dict: "an object"}
_LONGEST_ECHO = 80

_log = structlog.get_logger(__name__)


async def submit(platform: Platform, request: Request) -> Answer:
    """POST /api/intent/submit."""
    try:
        asked, cookie = await _intent_of(platform, request)
        result = await platform.dispatch(asked)
    except IntentError as error:
        if error.execution_id is None:
            _name(error, platform, request)
        raise
    envelope, headers = cookie.taken(result.to_dict(), platform.clock.now())
    return json_answer(envelope, headers=headers)


def _name(error: IntentError, platform: Platform, request: Request) -> None:
    """Name and log what never reached the dispatcher, too: a report about it can be found again."""
    error.execution_id = f"exec_{platform.ids.new()}"
    _log.info("rejected", execution_id=error.execution_id, outcome=error.code, trace_id=request.scope[TRACE_ID])


async def _intent_of(platform: Platform, request: Request) -> tuple[IntentRequest, CookieUse]:
    """Translate a request, and say what of it the cookie carries; refuse what is no submission."""
    guard_post(platform.settings, request.scope)
    token = credentials_of(platform.settings, request.scope).token
    query_of(request)
    key = idempotency_key(request.scope)
    body, large = await read_json_object(request, platform.settings.max_body_bytes)
    _check_envelope(body)
    cookie = cookie_use(platform, body["intent_type"], body.get("contract_version"))
    asked = IntentRequest(
        intent_type=body["intent_type"],
        parameters=cookie.filled(body["parameters"], token),
        identity=None,
        bearer=token,
        client=client_of(request.scope),
        idempotency_key=key,
        metadata=body.get("metadata", {}),
        contract_version=body.get("contract_version"),
        trace_id=request.scope[TRACE_ID],
        strict=True,
        large=large,
    )
    return asked, cookie


async def status(platform: Platform, request: Request) -> Answer:
    """GET /api/execution/{execution_id}/status."""
    identity = await identified(platform, request)
    query_of(request)
    return json_answer(await platform.read.execution(request.path_params["execution_id"], identity=identity))


def _check_envelope(body: dict[str, Any]) -> None:
    for name, value in body.items():
        if name not in _FIELDS:
            raise MalformedRequest(field=name[:_LONGEST_ECHO], expected=f"one of {', '.join(_FIELDS)}")
        if type(value) is not _FIELDS[name]:
            raise MalformedRequest(field=name, expected=_JSON_NAMES[_FIELDS[name]])
    if len(body.get("contract_version", "")) > _LONGEST_VERSION:
        raise MalformedRequest(field="contract_version", expected="a version such as 1.0.0")
    for name, kind in _REQUIRED.items():
        if name not in body:
            raise MalformedRequest(field=name, expected=_JSON_NAMES[kind])
