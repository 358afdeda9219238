"""A real server process that may be killed, and callers who keep count of what it has told them."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field

import httpx

from symphainy_platform import Identity, Settings
from symphainy_platform.context import SystemClock
from symphainy_platform.identity.source import tokens_of

MASTER_KEY = {"SYMPHAINY_MASTER_KEY": "bWFzdGVyIGtleSBvZiB0aGUgY3Jhc2ggdGVzdHMsMzI"}
SERVE = "from symphainy_platform.cli import main; main()"


class Server:
    """`symphainy serve` on a free port, in a process of its own."""

    def __init__(self, home, program=SERVE):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SYMPHAINY_")}
        self._log = (home / "server.log").open("ab")
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-c", program, "serve", "--port", "0"],
            cwd=home,
            env={**environment, **MASTER_KEY, "SYMPHAINY_HOME": str(home), "SYMPHAINY_LOG_LEVEL": "warning"},
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self.url = next(line.split()[-1] for line in self._process.stdout if line.startswith("Serving on"))

    def kill(self):
        self._end(signal.SIGKILL)

    def stop(self):
        return self._end(signal.SIGTERM)

    def _end(self, number):
        self._process.send_signal(number)
        code = self._process.wait(20)
        self._process.stdout.close()
        self._log.close()
        return code


@dataclass
class Book:
    """What was asked for, by Idempotency-Key, and what is known of it."""

    told: dict = field(default_factory=dict)
    unknown: set = field(default_factory=set)


class Callers:
    """Users who each append to a session of their own, over HTTP."""

    def __init__(self, home, users):
        self._tokens = tokens_of(Settings(home=home))
        self._users = users
        self._headers = {}
        self.book = Book()

    async def sign_in(self, client):
        """Open a session for each user; it outlives every server, as what signs its token does."""
        for user in self._users:
            introduction = self._tokens.mint(Identity("t1", user), ttl_seconds=60, clock=SystemClock())
            self._headers[user] = {"Authorization": f"Bearer {introduction}"}
            answer = await self.submit(client, user, f"{user}-sign-in", "create_session")
            token = answer["artifacts"]["session"]["semantic_payload"]["session_token"]
            self._headers[user] = {"Authorization": f"Bearer {token}"}

    async def submit(self, client, user, key, intent, **params):
        """The answer; None when nobody knows whether there will be one."""
        headers = {**self._headers[user], "Idempotency-Key": key}
        try:
            answer = await client.post(
                "/api/intent/submit", json={"intent_type": intent, "parameters": params}, headers=headers
            )
        except httpx.TransportError:
            self.book.unknown.add(key)
            return None
        assert answer.status_code == 200, answer.text
        self.book.unknown.discard(key)
        return self.book.told.setdefault(key, answer.json())

    async def append(self, client, key):
        user = key.split("/")[0]
        message = {"id": key, "role": "user", "content": "x" * 50}
        updates = {"conversation_history": [message], "pillar_context": {key: 1}}
        return await self.submit(client, user, key, "update_chat_context", context_updates=updates, history_limit=0)

    async def load(self, client, keys, enough):
        """Append until the server is gone, or until `enough` is set."""
        for key in keys:
            if await self.append(client, key) is None:
                return
            enough()


def client_of(server):
    return httpx.AsyncClient(base_url=server.url, timeout=10, limits=httpx.Limits(max_connections=50))
