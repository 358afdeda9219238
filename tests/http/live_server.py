"""A real `symphainy serve`, for tests that speak HTTP to it."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import httpx

from symphainy_platform.context import Identity, SystemClock
from symphainy_platform.identity.source import tokens_of
from symphainy_platform.settings import Settings

ORIGIN = "https://app.example"
MASTER_KEY = {"SYMPHAINY_MASTER_KEY": "bWFzdGVyIGtleSBvZiB0aGUgSFRUUCB0ZXN0cywgMzI"}
SETTINGS = {
    "SYMPHAINY_EVENT_HEARTBEAT_SECONDS": "0.1",
    "SYMPHAINY_CORS_ORIGINS": ORIGIN,
    "SYMPHAINY_MAX_EVENT_STREAMS": "4",
}


@dataclass
class Server:
    """A real `symphainy serve` in its own process and folder."""

    folder: object
    process: subprocess.Popen
    lines: list = field(default_factory=list)
    url: str = ""

    def token(self, tenant="t1", user="ann", roles=(), ttl=3600):
        identity = Identity(tenant_id=tenant, user_id=user, roles=frozenset(roles))
        return tokens_of(Settings(home=self.folder / ".symphainy")).mint(identity, ttl_seconds=ttl, clock=SystemClock())

    def bearer(self, **who):
        return {"Authorization": f"Bearer {self.token(**who)}"}

    def client(self, **who):
        return httpx.Client(base_url=self.url, headers=self.bearer(**who), timeout=10)

    def async_client(self, **who):
        return httpx.AsyncClient(base_url=self.url, headers=self.bearer(**who), timeout=10)

    def database(self):
        return closing(sqlite3.connect(self.folder / ".symphainy" / "platform.db", isolation_level=None))

    def state(self):
        """Every row that an intent can write, counted."""
        tables = ("executions", "artifacts", "artifact_versions", "artifact_log", "outbox", "chat_sessions")
        with self.database() as database:
            return {table: database.execute(f"select count(*) from {table}").fetchone()[0] for table in tables}  # noqa: S608

    def stop(self, number=signal.SIGTERM, timeout=15):
        self.process.send_signal(number)
        return self.process.wait(timeout)


def environment(**chosen):
    """This process's environment with other settings: the master key, and what is chosen (None: left out)."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SYMPHAINY_")}
    return clean | {name: value for name, value in (MASTER_KEY | chosen).items() if value is not None}


@contextmanager
def running(folder, *arguments, **chosen):
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "symphainy_platform.cli", "serve", "--port", "0", *arguments],
            cwd=folder,
            env=environment(**SETTINGS | chosen),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    server = Server(folder, process)
    first = process.stdout.readline()
    assert first, (folder / "log").read_text()
    server.url = re.search(r"http://\S+", first)[0]
    server.lines.append(first)
    reader = threading.Thread(target=lambda: server.lines.extend(process.stdout), daemon=True)
    reader.start()
    try:
        yield server
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stdout.close()
