"""One HTTP request into the ASGI app of this process: all that the server does, but for the socket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from benchmarks.result import BrokenInvariantError
from symphainy_platform import Identity, Platform
from symphainy_platform.cli.sign_in import open_session
from symphainy_platform.http import create_app

_OK = 200
_HOUR = 3600


async def submitter(platform: Platform, identity: Identity) -> Callable[[bytes], Awaitable[bytes]]:
    """Return a function that submits a JSON body with a session's token and returns the answer's body."""
    return bearing(platform, (await open_session(platform, identity, _HOUR)).token or "")


def bearing(platform: Platform, token: str) -> Callable[[bytes], Awaitable[bytes]]:
    """Return a function that submits a JSON body with this token and returns the answer's body."""
    headers = [
        (b"host", b"127.0.0.1"),
        (b"authorization", f"Bearer {token}".encode()),
        (b"content-type", b"application/json"),
    ]
    app: Any = create_app(platform)

    async def submit(body: bytes) -> bytes:
        exchange = _Exchange(body)
        await app(_scope([*headers, (b"content-length", str(len(body)).encode())]), exchange.receive, exchange.send)
        return exchange.answer()

    return submit


def body_of(intent_type: str, parameters: dict[str, Any]) -> bytes:
    """Write the body of a submission."""
    return orjson.dumps({"intent_type": intent_type, "parameters": parameters})


class _Exchange:
    """The two ends of one request."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._status = 0
        self._answer: list[bytes] = []

    async def receive(self) -> dict[str, Any]:
        return {"type": "http.request", "body": self._body, "more_body": False}

    async def send(self, message: dict[str, Any]) -> None:
        self._status = message.get("status", self._status)
        self._answer.append(message.get("body", b""))

    def answer(self) -> bytes:
        body = b"".join(self._answer)
        if self._status != _OK:
            msg = f"a submission was answered with {self._status}: {body[:300]!r}"
            raise BrokenInvariantError(msg)
        return body


def _scope(headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    path = "/api/intent/submit"
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }
