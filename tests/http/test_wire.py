"""What is no HTTP request, and what is one in an unusual way."""

import json
import socket
from urllib.parse import urlsplit

import pytest

from symphainy_platform.http.protocol import MAX_HEAD_BYTES

TOO_MUCH = MAX_HEAD_BYTES + 1
GOOD = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
NO_REQUEST = {
    "another protocol": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "words": (b"hello there\r\n\r\n", 400),
    "a header without a name": (GOOD + b": x\r\n\r\n", 400),
    "two lengths": (GOOD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    "a length and chunks": (GOOD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    "a negative length": (GOOD + b"Content-Length: -1\r\n\r\n", 400),
    "a line break within a header": (GOOD + b"X: a\rb\r\n\r\n", 400),
    "an endless header": ((GOOD + b"X: ").ljust(TOO_MUCH, b"x"), 431),
    "endless headers": ((GOOD + b"X: x\r\n" * 20_000)[:TOO_MUCH], 431),
    "an endless path": (b"GET /".ljust(TOO_MUCH, b"x"), 431),
}


@pytest.mark.parametrize(("sent", "status"), NO_REQUEST.values(), ids=NO_REQUEST)
def test_what_is_no_request_gets_an_envelope_and_the_line_is_closed(server, sent, status):
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(sent)
        answer = connection.makefile("rb").read()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"cache-control: no-store" in head
    assert json.loads(body)["error_code"] == "MALFORMED_REQUEST"


def test_requests_in_one_packet_are_answered_in_order(server):
    address = urlsplit(server.url)
    last = b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall((GOOD + b"\r\n") * 3 + last)
        answer = connection.makefile("rb").read()
    assert answer.count(b"HTTP/1.1 200") == 3
    assert answer.rindex(b"HTTP/1.1 200") < answer.index(b"HTTP/1.1 404")
