"""Real `symphainy serve` processes, alone or with workers, that tests may kill; and which process has a connection."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import httpx

START_SECONDS = 60.0
MASTER_KEY = {"SYMPHAINY_MASTER_KEY": "bWFzdGVyIGtleSBvZiB0aGUgcHJvY2VzcyB0ZXN0cyA"}


def until(found, seconds=START_SECONDS, pause=0.02):
    """What `found` returns, once that is something."""
    deadline = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(pause)
    return result


class ServerProcess:
    """One `symphainy serve` on a store, with `workers` processes behind one address."""

    def __init__(self, folder, store, *, workers=1, port=0, **chosen):
        """Start it; `await_url` waits until it serves. `folder` is its data folder, which several may share."""
        self.workers_wanted = workers
        self._chosen = chosen
        self._folder, self._store = folder, store
        self._log = folder / f"server-{time.monotonic_ns()}.log"
        self._said = self._log.with_suffix(".out")
        self.temporary = folder / "temporary"
        self.temporary.mkdir(exist_ok=True)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("SYMPHAINY_")}
        settings = {"SYMPHAINY_HOME": str(folder), "SYMPHAINY_STORE": store, "SYMPHAINY_LOG_FORMAT": "json"}
        settings |= {"TMPDIR": str(self.temporary)}
        words = ["serve", "--port", str(port)] + (["--workers", str(workers)] if workers > 1 else [])
        with self._log.open("wb") as log, self._said.open("wb") as said:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", "symphainy_platform.cli", *words],
                cwd=folder,
                env=clean | MASTER_KEY | settings | chosen,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=log,
            )
        self.url = None

    def await_url(self):
        """Wait until it serves; return itself."""

        def told():
            assert self.process.poll() is None, self.log
            return next((line.split()[-1] for line in self.said if line.startswith("Serving on")), None)

        self.url = until(told)
        return self

    @property
    def said(self):
        return self._said.read_text().splitlines()

    @property
    def log(self):
        return self._log.read_text()

    def events(self, name):
        """Its log lines of this event."""
        lines = (json.loads(line) for line in self.log.splitlines() if line.startswith("{"))
        return [line for line in lines if line["event"] == name]

    def workers(self):
        """The process ids that serve at present, as its log tells; a server without workers is its own."""
        if self.workers_wanted == 1:
            return [self.process.pid]
        ended = {line["pid"] for line in self.events("worker_ended")}
        return [line["pid"] for line in self.events("worker_serves") if line["pid"] not in ended]

    def again(self):
        """Start another one in its place, as a service manager would."""
        port = self.url.rpartition(":")[2]
        return ServerProcess(self._folder, self._store, workers=self.workers_wanted, port=port, **self._chosen)

    def stop(self, number=signal.SIGTERM):
        """End it by a signal; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(START_SECONDS)

    def kill(self):
        """End it without a word; its workers notice."""
        if self.process.poll() is None:
            self.stop(signal.SIGKILL)


@dataclass(frozen=True)
class Member:
    """One serving process, which may be one of several behind the same address."""

    server: ServerProcess
    pid: int

    @asynccontextmanager
    async def client(self, **options):
        """A client whose only connection is to this process: its siblings stood still when it was made."""
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        async with httpx.AsyncClient(base_url=self.server.url, timeout=30, limits=limits, **options) as client:
            with stopped(pid for pid in self.server.workers() if pid != self.pid):
                assert (await client.get("/health/live")).status_code == 200
            yield client


def members_of(servers):
    return [Member(server, pid) for server in servers for pid in server.workers()]


@contextmanager
def stopped(pids):
    """Processes that stand still meanwhile."""
    pids = list(pids)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
