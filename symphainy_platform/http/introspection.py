"""For other services: whether a session's token holds (RFC 7662 in spirit), and the keys that verify it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symphainy_platform.errors import IntentError, Kind, MalformedRequest, NotFound, PermissionDenied
from symphainy_platform.http.answers import Answer, json_answer
from symphainy_platform.http.credentials import guard_post
from symphainy_platform.http.endpoint import identified
from symphainy_platform.http.request import query_of, read_json_object

if TYPE_CHECKING:
    from starlette.requests import Request

    from symphainy_platform.context import Identity
    from symphainy_platform.platform import Platform

_LARGEST_BODY = 16 * 1024
_INACTIVE = {"active": False}


async def introspect(platform: Platform, request: Request) -> Answer:
    """POST /api/session/introspect: whose session a token is of, for role service; never why it is of none."""
    guard_post(platform.settings, request.scope)
    asking = await identified(platform, request)
    if not asking.is_service:
        raise PermissionDenied(expected=["service"])
    query_of(request)
    body = await read_json_object(request, _LARGEST_BODY)
    return json_answer(await _told_of(platform, _token_in(body.fields), asking))


async def public_keys(platform: Platform, request: Request) -> Answer:
    """GET /.well-known/jwks.json (RFC 7517); there is no such path unless the operator wants it."""
    if not platform.settings.jwks:
        raise NotFound
    query_of(request)
    return json_answer({"keys": await platform.keys.public_keys()})


def _token_in(body: dict[str, Any]) -> str:
    if body.keys() != {"token"} or not isinstance(body["token"], str):
        raise MalformedRequest(expected='{"token": "…"}')
    token: str = body["token"]
    return token


async def _told_of(platform: Platform, token: str, asking: Identity) -> dict[str, Any]:
    """What a service of the same tenant may know of a session; a token of anything else is no session's."""
    found = await _identity_of(platform, token)
    if found is None or found.session_ref is None or found.tenant_id != asking.tenant_id:
        return _INACTIVE
    try:
        session = await platform.read.artifact(found.session_ref, identity=asking)
    except NotFound:  # it was purged in this very moment
        return _INACTIVE
    return {
        "active": True,
        "tenant_id": found.tenant_id,
        "user_id": found.user_id,
        "session_ref": found.session_ref,
        "roles": sorted(found.roles),
        "expires_at": session["semantic_payload"].get("expires_at"),
    }


async def _identity_of(platform: Platform, token: str) -> Identity | None:
    try:
        return await platform.identify(token)
    except IntentError as error:
        if error.kind is Kind.UNAUTHENTICATED:
            return None
        raise
