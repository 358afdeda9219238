"""A real `symphainy serve`, for tests that speak HTTP to it."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import httpx

from symphainy_platform.context import Identity, SystemClock
from symphainy_platform.identity.source import tokens_of
from symphainy_platform.settings import Settings

ORIGIN = "https://app.example"
SUBMIT = "/api/intent/submit"
PASSWORD = "a walk along the river"
MASTER_KEY = {"SYMPHAINY_MASTER_KEY": "bWFzdGVyIGtleSBvZiB0aGUgSFRUUCB0ZXN0cywgMzI"}
SETTINGS = {
    "SYMPHAINY_EVENT_HEARTBEAT_SECONDS": "0.1",
    "SYMPHAINY_CORS_ORIGINS": ORIGIN,
    "SYMPHAINY_MAX_EVENT_STREAMS": "4",
    "SYMPHAINY_PASSWORD_MEMORY_KIB": "19456",
}


@dataclass
class Server:
    """A real `symphainy serve` in its own process and folder."""

    folder: object
    process: subprocess.Popen
    lines: list = field(default_factory=list)
    url: str = ""
    tokens: dict = field(default_factory=dict)

    def token(self, tenant="t1", user="ann", roles=(), ttl=3600):
        """A token of a service; for everybody else the token of a session, which is used once and so settled."""
        who = (tenant, user, frozenset(roles), ttl)
        if who not in self.tokens:
            self.tokens[who] = self.service_token(*who) if "service" in roles else self.open_session(*who)[0]
        return self.tokens[who]

    def service_token(self, tenant, user, roles, ttl):
        identity = Identity(tenant_id=tenant, user_id=user, roles=roles)
        return tokens_of(Settings(home=self.folder / ".symphainy")).mint(identity, ttl_seconds=ttl, clock=SystemClock())

    def open_session(self, tenant="t1", user="ann", roles=(), ttl=3600):
        """Token, id and reference of a new session; nothing that it writes is under way any more."""
        introduced = {"Authorization": f"Bearer {self.service_token(tenant, user, roles, 60)}"}
        answer = self.submit("create_session", {"extend_hours": ttl / 3600}, **introduced)
        assert answer.status_code == 200, answer.text
        session = answer.json()["artifacts"]["session"]["semantic_payload"]
        token = session.get("session_token") or answer.cookies["__Host-session"]
        used = httpx.get(f"{self.url}/api/artifacts", headers={"Authorization": f"Bearer {token}"}, timeout=10)
        assert used.status_code == 200, used.text
        with self.database() as database:
            seen = "SELECT seen FROM sessions WHERE session_ref = ?"
            while not database.execute(seen, (session["session_ref"],)).fetchone()[0]:
                time.sleep(0.001)  # the first use of a token is noted behind the answer
        return token, session["session_id"], session["session_ref"]

    def submit(self, intent, parameters, **headers):
        """An intent over a connection of its own; nobody asks unless the headers say so."""
        body = {"intent_type": intent, "parameters": parameters}
        return httpx.post(f"{self.url}{SUBMIT}", json=body, headers=headers, timeout=10)

    def proof(self, tenant="t1", email="ann@acme.example"):
        """The authentication token of a new or known account."""
        account = {"email": email, "password": PASSWORD}
        made = self.submit("create_user_account", account, **self.bearer(tenant=tenant, user="ops", roles=["service"]))
        assert made.status_code == 200 or made.json()["error_code"] == "EMAIL_TAKEN", made.text
        answer = self.submit("authenticate_user", {"tenant": tenant, **account}, Origin=self.url)
        assert answer.status_code == 200, answer.text
        return answer.json()["artifacts"]["authentication_result"]["semantic_payload"]["authentication_token"]

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
