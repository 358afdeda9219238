"""HTTP/1.1 on the wire: what is no request gets an envelope, too, and no head is read without end."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from symphainy_platform.errors import MalformedRequest
from symphainy_platform.http.answers import failure_answer
from symphainy_platform.http.layers import EVERY_ANSWER
from symphainy_platform.http.request import new_trace_id

if TYPE_CHECKING:
    from symphainy_platform.errors import IntentError

MAX_HEAD_BYTES = 64 * 1024
"""Request line and headers together; the parser itself knows no bound."""


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a bound on the head of a request, and failures in our words."""

    _head_bytes: int | None = 0
    """How much of a head was read so far; None while there is no head to read."""

    def on_message_begin(self) -> None:
        """Begin to count."""
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Stop counting: the body has its own bound."""
        self._head_bytes = None
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Parse, then refuse a head that is still open after too much."""
        super().data_received(data)
        if self._head_bytes is None or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            message = "The request line and headers are too large."
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, MalformedRequest(message))

    def send_400_response(self, msg: str) -> None:
        """Answer what the parser cannot read."""
        del msg  # the parser's words
        self._refuse(HTTPStatus.BAD_REQUEST, MalformedRequest("This is not an HTTP/1.1 request."))

    def _refuse(self, status: HTTPStatus, error: IntentError) -> None:
        answer = failure_answer(error, new_trace_id())
        headers: list[Any] = [*answer.headers, *EVERY_ANSWER, (b"connection", b"close")]
        lines = [b"%b: %b\r\n" % header for header in headers]
        start = f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode()
        self.transport.write(b"".join([start, *lines, b"\r\n", answer.body]))
        self.transport.close()
