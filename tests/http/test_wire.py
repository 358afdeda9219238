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


CHUNKED = (
    b"POST /api/intent/submit HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
BODY = b'{"intent_type":"initialize_chat_session","parameters":{}}'


def test_a_trailer_does_not_pass_for_a_header(server):
    bearer = server.bearer(tenant="trailer")["Authorization"].encode()
    sent = CHUNKED + b"%x\r\n%b\r\n0\r\nAuthorization: %b\r\n\r\n" % (len(BODY), BODY, bearer)
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(sent)
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 401 ")


ENDLESS = {
    "a trailer": b"0\r\nX: ".ljust(TOO_MUCH, b"x"),
    "trailers": (b"0\r\n" + b"X: x\r\n" * 20_000)[:TOO_MUCH],
    "the extension of a chunk": b"1;x=".ljust(TOO_MUCH, b"x"),
}


@pytest.mark.parametrize("endless", ENDLESS.values(), ids=ENDLESS)
def test_what_is_around_a_body_is_bounded_too(server, endless):
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(CHUNKED[:-2] + b"Expect: 100-continue\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        connection.sendall(endless)
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 431 ")


def test_a_large_body_in_small_chunks_is_no_endless_head(server):
    text = b" " * (2 * MAX_HEAD_BYTES) + BODY
    chunks = b"".join(
        b"%x\r\n%b\r\n" % (len(text[at : at + 100]), text[at : at + 100]) for at in range(0, len(text), 100)
    )
    authorization = f"Authorization: {server.bearer(tenant='chunks')['Authorization']}\r\n\r\n".encode()
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(CHUNKED[:-2] + authorization + chunks + b"0\r\n\r\n")
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 200 ")
