"""Strict reading of a request: headers, query and body. What is odd is refused, not guessed."""

from __future__ import annotations

import asyncio
import random
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.requests import ClientDisconnect

from symphainy_platform.canonical import NotStrictJson, parse_json
from symphainy_platform.context import Client
from symphainy_platform.errors import (
    InvalidIdempotencyKey,
    InvalidParameterValue,
    MalformedRequest,
    PayloadTooLarge,
    UnsupportedMediaType,
)

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Scope

TRACE_ID = "symphainy.trace_id"
"""Where a scope keeps the trace id of its request."""

_LONGEST_AGENT = 255
_OFF_LOOP_BYTES = 256 * 1024
_VISIBLE_ASCII = re.compile(rb"[!-~]{1,255}")
_MEDIA_TYPE = re.compile(rb'application/json(?: *; *charset="?utf-8"?)?', re.IGNORECASE)
_TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
_DIGITS = re.compile(r"[0-9]{1,9}")


def header_values(scope: Scope, name: bytes) -> list[bytes]:
    """Return every value of one header; `name` in lower case."""
    return [value for key, value in scope["headers"] if key == name]


def trace_id_of(scope: Scope) -> str:
    """Return the caller's trace id (W3C Trace Context), else a new one: 32 hexadecimal digits."""
    values = header_values(scope, b"traceparent")
    match = _TRACEPARENT.fullmatch(values[0]) if len(values) == 1 else None
    return match[1].decode() if match else new_trace_id()


def new_trace_id() -> str:
    """Return a trace id; it names and protects nothing, so it spares the kernel's randomness."""
    return f"{random.getrandbits(128):032x}"


def client_of(scope: Scope) -> Client:
    """Return where the request comes from: the address that the server believes, and the browser's own words."""
    address = scope.get("client")
    agents = header_values(scope, b"user-agent")
    agent = agents[0][:_LONGEST_AGENT].decode("latin-1") if agents else None
    return Client(address[0] if address else None, agent)


def idempotency_key(scope: Scope) -> str | None:
    """Return the caller's key, None without one; raises `InvalidIdempotencyKey`."""
    values = header_values(scope, b"idempotency-key")
    if not values:
        return None
    if len(values) > 1 or not _VISIBLE_ASCII.fullmatch(values[0]):
        raise InvalidIdempotencyKey
    return values[0].decode()


def require_json(scope: Scope) -> None:
    """Refuse every body that is not declared as JSON in UTF-8."""
    values = header_values(scope, b"content-type")
    if len(values) != 1 or not _MEDIA_TYPE.fullmatch(values[0]):
        raise UnsupportedMediaType


class Body(NamedTuple):
    """A parsed body; a large one (over 256 KiB) is handled off the event loop."""

    fields: dict[str, Any]
    large: bool


async def read_json_object(request: Request, limit: int) -> Body:
    """Read and parse a body of at most `limit` bytes.

    Raises `PayloadTooLarge` before the excess is buffered, and `MalformedRequest`.
    """
    body = await _read_body(request, limit)
    large = len(body) > _OFF_LOOP_BYTES
    fields = await asyncio.to_thread(_parse, body) if large else _parse(body)
    if not isinstance(fields, dict):
        raise MalformedRequest(expected="a JSON object")
    return Body(fields, large)


async def _read_body(request: Request, limit: int) -> bytes:
    declared = header_values(request.scope, b"content-length")
    if declared and declared[0].isdigit() and int(declared[0][:20]) > limit:
        raise PayloadTooLarge(limit_bytes=limit)
    body, more = bytearray(), True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > limit:
            raise PayloadTooLarge(limit_bytes=limit)
        more = message.get("more_body", False)
    return bytes(body)


def _parse(body: bytes) -> Any:
    try:
        return parse_json(body)
    except NotStrictJson as error:
        raise MalformedRequest(reason=error.reason) from None


def query_of(request: Request, *known: str) -> dict[str, str]:
    """Return the query's parameters, each known and given once; raises `MalformedRequest`.

    A token is not among the known ones: it belongs into the Authorization header.
    """
    query: dict[str, str] = {}
    if not request.scope["query_string"]:
        return query
    for name, value in request.query_params.multi_items():
        if name not in known or name in query:
            message = "The query of this path is not as expected; a token belongs into the Authorization header."
            expected = f"each at most once: {', '.join(known)}" if known else "no query"
            raise MalformedRequest(message, query_parameter=name, expected=expected)
        query[name] = value
    return query


def number_in(query: dict[str, str], name: str, *, highest: int) -> int | None:
    """Return a whole number from 1 to `highest`, None without one; raises `InvalidParameterValue`."""
    if name not in query:
        return None
    text = query[name]
    if not _DIGITS.fullmatch(text) or not 1 <= int(text) <= highest:
        raise InvalidParameterValue(parameter=name, expected=f"a whole number from 1 to {highest}")
    return int(text)
