"""The ASGI app: every route and every layer, in order, on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Router

from symphainy_platform.http import artifacts, catalog, intents, introspection, operations
from symphainy_platform.http.cors import with_cors
from symphainy_platform.http.endpoint import get, no_such_path, post
from symphainy_platform.http.events import EventStreams
from symphainy_platform.http.layers import Failures, SecurityHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from symphainy_platform.http.operations import Expose
    from symphainy_platform.platform import Platform


def create_app(platform: Platform) -> ASGIApp:
    """Return the ASGI app of an open platform; who opened the platform closes it, too."""
    return build_app(platform, EventStreams.of(platform.settings))


def build_app(platform: Platform, streams: EventStreams, expose: Expose | None = None) -> ASGIApp:
    """Return the app whose event streams end when `streams.stopping` is set; `expose` writes `/metrics`."""
    return SecurityHeaders(with_cors(Failures(_router(platform, streams, expose)), platform.settings))


def _router(platform: Platform, streams: EventStreams, expose: Expose | None = None) -> Router:
    return Router(
        [
            post(platform, "/api/intent/submit", intents.submit),
            get(platform, "/api/execution/{execution_id}/status", intents.status),
            get(platform, "/api/events", streams.answer),
            get(platform, "/api/artifacts", artifacts.listing),
            get(platform, "/api/artifacts/{artifact_id}", artifacts.one),
            get(platform, "/api/artifacts/{artifact_id}/versions", artifacts.versions),
            get(platform, "/api/artifacts/{artifact_id}/versions/{version:int}", artifacts.version),
            post(platform, "/api/session/introspect", introspection.introspect),
            get(platform, "/.well-known/jwks.json", introspection.public_keys),
            get(platform, "/api/contracts", catalog.listing),
            get(platform, "/api/contracts/{intent_type}", catalog.one),
            get(platform, "/openapi.json", catalog.openapi_document),
            get(platform, "/health/live", operations.live),
            get(platform, "/health/ready", operations.Readiness(streams.stopping).answer),
            get(platform, "/metrics", operations.Metrics(expose).answer),
        ],
        redirect_slashes=False,
        default=no_such_path,
    )
