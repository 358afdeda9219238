"""Answers: JSON bytes and headers, sent as two messages. Failures are envelopes (10-runtime)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from symphainy_platform.errors import IntentError, Kind

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

RawHeaders = list[tuple[bytes, bytes]]

_JSON = b"application/json"
_RETRY_AFTER_SECONDS = 1
_KIND_HEADERS: dict[Kind, RawHeaders] = {
    Kind.UNAUTHENTICATED: [(b"www-authenticate", b"Bearer")],
}


class Answer:
    """A whole answer: status, body and headers."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, body: bytes, *, status: int = 200, media_type: bytes = _JSON, headers: RawHeaders = []) -> None:  # noqa: B006 - never changed
        """Keep the body; its length and type become headers beside `headers`."""
        self.status = status
        self.body = body
        self.headers = [
            (b"content-type", media_type),
            (b"content-length", str(len(body)).encode()),
            *headers,
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; the server drops the body of an answer to HEAD."""
        del scope, receive
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def json_answer(value: Any, *, status: int = 200, headers: RawHeaders = []) -> Answer:  # noqa: B006 - never changed
    """Answer with `value` as JSON."""
    return Answer(to_json(value), status=status, headers=headers)


def failure_answer(error: IntentError, trace_id: str) -> Answer:
    """Answer with the failure envelope, its status, and the headers that its kind asks for."""
    error.trace_id = error.trace_id or trace_id
    return json_answer(error.to_dict(), status=error.http_status, headers=_failure_headers(error))


def method_not_allowed(allow: str, trace_id: str) -> Answer:
    """Answer 405 (RFC 9110, section 15.5.6) in the shape of every other failure."""
    error = IntentError("METHOD_NOT_ALLOWED", f"This path answers {allow}.", kind=Kind.MALFORMED)
    error.trace_id = trace_id
    return json_answer(error.to_dict(), status=405, headers=[(b"allow", allow.encode())])


def to_json(value: Any) -> bytes:
    """Write JSON; read-only mappings, which the runtime hands out, count as objects."""
    return orjson.dumps(value, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError


def _failure_headers(error: IntentError) -> RawHeaders:
    if error.kind in {Kind.UNAVAILABLE, Kind.RATE_LIMITED}:
        seconds = error.details.get("retry_after_seconds", _RETRY_AFTER_SECONDS)
        return [(b"retry-after", str(math.ceil(seconds)).encode())]
    return _KIND_HEADERS.get(error.kind, [])
