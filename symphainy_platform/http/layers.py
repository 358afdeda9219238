"""The layers around the routes: headers of every answer, and failures as envelopes.

They are plain ASGI: a layer costs one closure per request, not a task and a queue.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from symphainy_platform.errors import HandlerError, IntentError, NotFound, ShuttingDown
from symphainy_platform.http.answers import Answer, failure_answer, method_not_allowed
from symphainy_platform.http.request import TRACE_ID, trace_id_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

EVERY_ANSWER = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'"),
]
"""Headers of every answer (40-auth-sessions, "Transport")."""

_CUT_SHORT = "The platform stopped before it could answer; the same request, sent again, finds what was committed."

_log = structlog.get_logger(__name__)


class SecurityHeaders:
    """Adds the headers of 40-auth-sessions ("Every answer"), also to preflights and failures."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app with a `send` that completes the start of the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *EVERY_ANSWER]
            await send(message)

        await self._app(scope, receive, send_completed)


class Failures:
    """Turns whatever the routes raise into an envelope with a code; nothing else leaves the edge."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app; answer its failure unless an answer is already under way."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[TRACE_ID] = trace_id_of(scope)
        scope["app"] = self._app  # with it, the router raises a refused method instead of answering in its own words
        started = False

        async def send_noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except ClientDisconnect:
            return  # nobody is left to answer
        except asyncio.CancelledError:  # the server stops, and waits no longer
            if not started:
                await failure_answer(ShuttingDown(_CUT_SHORT), scope[TRACE_ID])(scope, receive, send)
            raise
        except Exception as error:  # noqa: BLE001 - the edge: a caller gets a code whatever broke behind it
            answer = _answer_to(error, scope[TRACE_ID])
            if not started:
                await answer(scope, receive, send)


def _answer_to(error: Exception, trace_id: str) -> Answer:
    if isinstance(error, IntentError):
        return failure_answer(error, trace_id)
    if isinstance(error, HTTPException):
        return _answer_to_router(error, trace_id)
    _log.error("request_failed", trace_id=trace_id, exc_info=error)
    message = "The platform failed to answer; the operator finds the cause in the log under this trace_id."
    return failure_answer(HandlerError(message), trace_id)


def _answer_to_router(error: HTTPException, trace_id: str) -> Answer:
    """Name what the router refuses: a method, or everything else that it does not know."""
    allow = (error.headers or {}).get("Allow")
    if allow:
        return method_not_allowed(", ".join(sorted(allow.split(", "))), trace_id)
    return failure_answer(NotFound(), trace_id)
