"""A proxy before the Supabase API that answers as failing gateways do, before or after the request went through."""

import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HTML = b"<html><head><title>%s</title></head><body><center><h1>%s</h1></center></body></html>"
ANSWERS = {
    "502": (502, "text/html", HTML % (b"502 Bad Gateway", b"502 Bad Gateway")),
    "503": (503, "application/json", b'{"message":"name resolution failed"}'),
    "503 of PostgREST": (503, "application/json", b'{"code":"PGRST002","message":"Could not query the database"}'),
    "504": (504, "text/html", b""),
    "520": (520, "text/html", HTML % (b"Web server is returning an unknown error", b"520")),
    "429": (429, "application/json", b'{"message":"Too Many Requests"}'),
    "429 in HTML": (429, "text/html", HTML % (b"429", b"Too Many Requests")),
    "500": (500, "text/plain", b"Internal Server Error"),
    "HTML": (200, "text/html", HTML % (b"Welcome to nginx!", b"Welcome to nginx!")),
    "garbage": (200, "application/json", bytes(range(128, 256)) * 9),
    "half a JSON": (200, "application/json", b'[["v",[["a"'),
    "deep JSON": (200, "application/json", b"[" * 100_000),
    "another JSON": (200, "application/json", b'{"status":"ok"}'),
    "a list": (200, "application/json", b"[1, null]"),
    "null": (200, "application/json", b"null"),
    "nothing": (200, "application/json", b""),
    "204": (204, "", b""),
    "redirect": (302, "text/html", b"moved"),
}
NOT_EXPOSED = "a schema that is not exposed"
OF_POSTGREST = {
    NOT_EXPOSED: (
        406,
        "application/json",
        b'{"code":"PGRST106","details":null,"hint":null,"message":"The schema must be one of the following: public"}',
    ),
}
"""What PostgREST says about its own settings: no fault of the way there."""
OTHER_SHAPES = {
    name: (200, "application/json", body)
    for name, body in {
        "outcomes that are none": b'{"committed_at": "2026-01-01T00:00:00Z", "position": null, "outcomes": [1]}',
        "a position that is none": b'{"committed_at": "2026-01-01T00:00:00Z", "position": "x", "outcomes": null}',
        "a time that is none": b'{"committed_at": "yesterday", "position": null, "outcomes": null}',
        "no outcomes": b'{"committed_at": "2026-01-01T00:00:00Z", "position": null, "outcomes": []}',
        "bytes that are none": b'[["b", [[5]]]]',
        "rows that are too short": b'[["vvvv", [["a"]]]]',
        "rows that are none": b'[["v", ["a", 5, null]]]',
        "rows of another statement": b'[["v", [["a"]]]]',
    }.items()
}
"""JSON, and yet no answer to any question."""
THROTTLED = [name for name in ANSWERS if name.startswith("429")]
"""Said before anything is done: nothing is tried again."""
DROPS = ("drop", "half an answer")
FAULTS = (*ANSWERS, *DROPS)
HANG = "hang"


class FaultyProxy:
    """Forwards to the API; the next `times` requests meet `fault`, after they went through when `late`."""

    def __init__(self, target):
        self.target = urlsplit(target)
        self.requests = []
        """(function, headers) of every request that came."""
        self._fault, self._times, self._late = None, 0, False
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._server = _Server(("127.0.0.1", 0), lambda *of_socket: _Handler(self, *of_socket))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def url(self):
        """The address of the project through the proxy."""
        return f"http://127.0.0.1:{self._server.server_port}{self.target.path}"

    def fail(self, fault, times=10**9, *, late=False):
        self._fault, self._times, self._late = fault, times, late

    def heal(self):
        self._times = 0

    def next_fault(self):
        with self._lock:
            if not self._times:
                return None, False
            self._times -= 1
            return self._fault, self._late

    def is_closed(self):
        """Whether connections that are still open get no answer any more."""
        return self._released.is_set()

    def wait(self):
        """Hang until the proxy closes."""
        self._released.wait(60)

    def close(self):
        self._released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 100


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, proxy, *of_socket):
        self.proxy = proxy
        super().__init__(*of_socket)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.proxy.requests.append(
            (self.path.rpartition("/")[2], {name.lower(): value for name, value in self.headers.items()})
        )
        if self.proxy.is_closed():
            self.close_connection = True
            return
        fault, late = self.proxy.next_fault()
        if fault is None or late:
            status, kind, answer = self._forward(body)
        if fault is None:
            self._answer(status, kind, answer)
        else:
            self._fail(fault)

    def _forward(self, body):
        target = HTTPConnection(self.proxy.target.hostname, self.proxy.target.port)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        target.request("POST", self.path, body, headers | {"Accept-Encoding": "identity"})
        answer = target.getresponse()
        content = answer.read()
        target.close()
        return answer.status, answer.getheader("Content-Type", ""), content

    def _fail(self, fault):
        if fault == HANG:
            self.proxy.wait()
        if answer := (ANSWERS | OF_POSTGREST | OTHER_SHAPES).get(fault):
            self._answer(*answer)
            return
        if fault == "half an answer":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'[["v",')
        self.close_connection = True

    def _answer(self, status, kind, content):
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content if status != 204 else b"")

    def log_message(self, *_):
        """Say nothing."""
