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
"""Request line and headers together, or all trailers; the parser itself knows no bound."""


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a bound on all that is no body, and failures in our words."""

    _pending_bytes = 0
    """How much was read since a head, or a piece of a body, was complete."""
    _in_head = False

    def on_message_begin(self) -> None:
        """Take headers from here on."""
        self._in_head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; drop a trailer, which must not pass for one (RFC 9110, section 6.5.1)."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """End the head."""
        self._in_head, self._pending_bytes = False, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Leave the body to its own bound."""
        self._pending_bytes = 0
        super().on_body(body)

    def data_received(self, data: bytes) -> None:
        """Parse, then refuse a head, or trailers, that are still open after too much."""
        self._pending_bytes += len(data)
        super().data_received(data)
        if self._pending_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
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
