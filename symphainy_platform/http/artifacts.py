"""The State Surface, read only: own artifacts, the tenant's for role `service`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symphainy_platform.errors import NotFound
from symphainy_platform.http.answers import Answer, json_answer
from symphainy_platform.http.endpoint import identified
from symphainy_platform.http.request import number_in, query_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from symphainy_platform.platform import Platform

_PAGE = 50
_LARGEST_PAGE = 200
_HIGHEST_VERSION = 10**9 - 1


async def one(platform: Platform, request: Request) -> Answer:
    """GET /api/artifacts/{id}."""
    identity = await identified(platform, request)
    query_of(request)
    return json_answer(await platform.read.artifact(request.path_params["artifact_id"], identity=identity))


async def listing(platform: Platform, request: Request) -> Answer:
    """GET /api/artifacts?type=&state=&limit=&cursor=."""
    identity = await identified(platform, request)
    query = query_of(request, "type", "state", "limit", "cursor")
    page = await platform.read.artifacts(
        identity=identity,
        artifact_type=query.get("type"),
        lifecycle_state=query.get("state"),
        limit=number_in(query, "limit", highest=_LARGEST_PAGE) or _PAGE,
        cursor=query.get("cursor"),
    )
    return json_answer(page)


async def versions(platform: Platform, request: Request) -> Answer:
    """GET /api/artifacts/{id}/versions?before=&limit=."""
    identity = await identified(platform, request)
    query = query_of(request, "before", "limit")
    page = await platform.read.versions(
        request.path_params["artifact_id"],
        identity=identity,
        before=number_in(query, "before", highest=_HIGHEST_VERSION),
        limit=number_in(query, "limit", highest=_LARGEST_PAGE) or _PAGE,
    )
    return json_answer(page)


async def version(platform: Platform, request: Request) -> Answer:
    """GET /api/artifacts/{id}/versions/{n}."""
    identity = await identified(platform, request)
    query_of(request)
    number = request.path_params["version"]
    if not 1 <= number <= _HIGHEST_VERSION:
        raise NotFound
    return json_answer(await platform.read.version(request.path_params["artifact_id"], number, identity=identity))
