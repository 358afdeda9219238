"""One route: a path, a method, and the function that answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.routing import Route

from symphainy_platform.errors import NotFound
from symphainy_platform.http.credentials import credentials_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from symphainy_platform.context import Identity
    from symphainy_platform.platform import Platform

Handler = Callable[["Platform", Request], Awaitable["ASGIApp"]]
"""Answers one request; failures are raised as `IntentError`."""


class Endpoint:
    """An ASGI app that asks a handler and sends what it returns."""

    def __init__(self, platform: Platform, handler: Handler) -> None:
        """Bind the handler to its platform."""
        self._platform = platform
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        answer = await self._handler(self._platform, Request(scope, receive))
        await answer(scope, receive, send)


def get(platform: Platform, path: str, handler: Handler) -> Route:
    """A route that answers GET (and HEAD)."""
    return Route(path, Endpoint(platform, handler), methods=["GET"])


def post(platform: Platform, path: str, handler: Handler) -> Route:
    """A route that answers POST."""
    return Route(path, Endpoint(platform, handler), methods=["POST"])


async def identified(platform: Platform, request: Request) -> Identity:
    """Return who asks; raises `Unauthenticated`, `SessionExpired` or `SessionTerminated`."""
    return await platform.identify(credentials_of(platform.settings, request.scope).required())


async def no_such_path(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse what no route knows."""
    del scope, receive, send
    message = "There is no such path; /openapi.json lists them."
    raise NotFound(message)
