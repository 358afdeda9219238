"""A lean client: raw keep-alive connections, each with its next request when it has its answer.

An HTTP library would cost more than the servers that are measured.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import cycle
from time import perf_counter
from typing import cast

from benchmarks.result import BrokenInvariantError
from benchmarks.timing import Load

NextRequest = Callable[[], bytes]
"""Returns the bytes of one caller's next request."""

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length: "


def request_bytes(token: str, body: bytes) -> bytes:
    """Write a submission with its headers."""
    head = (
        "POST /api/intent/submit HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {token}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def drive_http(port: int, seconds: float, callers: Sequence[NextRequest]) -> Load:
    """Let each caller submit for so long on a connection of its own."""
    return await drive_spread([port], seconds, callers)


async def drive_spread(ports: Sequence[int], seconds: float, callers: Sequence[NextRequest]) -> Load:
    """Do so with the callers dealt out to several servers, the same number to each."""
    latencies: list[float] = []
    began, end = perf_counter(), perf_counter() + seconds
    await asyncio.gather(*[_called(port, end, each, latencies) for port, each in zip(cycle(ports), callers)])
    return Load(len(latencies) / (perf_counter() - began), latencies)


async def ask(port: int, request: bytes) -> bytes:
    """Send one request and return the body of its answer."""
    answers: list[bytes] = []
    await _called(port, 0, lambda: request, [], answers.append)
    return answers[0]


async def _called(
    port: int,
    until: float,
    next_request: NextRequest,
    latencies: list[float],
    keep: Callable[[bytes], None] | None = None,
) -> None:
    connection = _Connection(until, next_request, latencies, keep)
    await asyncio.get_running_loop().create_connection(lambda: connection, "127.0.0.1", port)
    await connection.done


class _Connection(asyncio.Protocol):
    """One caller's connection."""

    def __init__(
        self, until: float, next_request: NextRequest, latencies: list[float], keep: Callable[[bytes], None] | None
    ) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._until = until
        self._next_request = next_request
        self._latencies = latencies
        self._keep = keep
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail when an answer was still to come."""
        if not self.done.done():
            self.done.set_exception(exc or BrokenInvariantError("the server closed a connection that was in use"))

    def data_received(self, data: bytes) -> None:
        """Collect the answer; when it is whole, send the next request."""
        self._received += data
        end = self._received.find(_END_OF_HEAD)
        if end < 0 or len(self._received) < end + len(_END_OF_HEAD) + self._length(end):
            return
        now = perf_counter()
        self._latencies.append(now - self._sent)
        self._take(self._received, end)
        if now < self._until and not self.done.done():
            self._send()
        else:
            self._finish()

    def _send(self) -> None:
        self._received = b""
        request = self._next_request()
        self._sent = perf_counter()
        self._transport.write(request)

    def _length(self, end: int) -> int:
        start = self._received.index(_LENGTH, 0, end) + len(_LENGTH)
        return int(self._received[start : self._received.index(b"\r\n", start)])

    def _take(self, answer: bytes, end: int) -> None:
        body = answer[end + len(_END_OF_HEAD) :]
        if not answer.startswith(b"HTTP/1.1 200 "):
            self.done.set_exception(BrokenInvariantError(f"a request was answered with {answer[:20]!r} {body[:300]!r}"))
        elif self._keep is not None:
            self._keep(body)

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
        self._transport.close()
