"""For operators: liveness, readiness and metrics, open on loopback and without secrets."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from symphainy_platform.errors import NotFound
from symphainy_platform.http.answers import Answer, json_answer
from symphainy_platform.http.request import header_values, query_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Scope

    from symphainy_platform.platform import Platform

_UNAVAILABLE = 503
_RETRY_SOON = [(b"retry-after", b"1")]


async def live(platform: Platform, request: Request) -> Answer:
    """GET /health/live: this process answers."""
    _require_operator(platform, request)
    return json_answer({"status": "live"})


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether this process should be sent requests; not once `stopping` is set."""

    stopping: asyncio.Event

    async def answer(self, platform: Platform, request: Request) -> Answer:
        """GET /health/ready: the store answers and its schema is current; 503 otherwise."""
        _require_operator(platform, request)
        if self.stopping.is_set():
            return _not_ready("the platform is stopping")
        health = await platform.health()
        if not health.ready:
            return _not_ready(health.detail)
        return json_answer({"status": "ready", "schema_version": health.schema_version})


def _not_ready(detail: str) -> Answer:
    return json_answer({"status": "not_ready", "detail": detail}, status=_UNAVAILABLE, headers=_RETRY_SOON)


Expose = Callable[[], bytes]
"""Writes figures in the Prometheus text format."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """The figures of this process, or what `expose` writes instead."""

    expose: Expose | None = None

    async def answer(self, platform: Platform, request: Request) -> Answer:
        """GET /metrics: the Prometheus text format."""
        _require_operator(platform, request)
        text = self.expose() if self.expose else generate_latest(platform.telemetry.registry)
        return Answer(text, media_type=CONTENT_TYPE_LATEST.encode())


def _require_operator(platform: Platform, request: Request) -> None:
    """Hide the route from other machines, also from those behind a proxy that nobody declared."""
    if not (platform.settings.metrics_public or _is_local(request.scope)):
        raise NotFound
    query_of(request)


def _is_local(scope: Scope) -> bool:
    """Whether this machine asks: a forwarded request, whose address is only claimed, does not count."""
    client = scope.get("client")
    forwarded = header_values(scope, b"x-forwarded-for") or header_values(scope, b"forwarded")
    return client is not None and not forwarded and _is_loopback(client[0])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
