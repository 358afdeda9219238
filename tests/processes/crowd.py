"""Users who append without end while processes and the database die; they keep count of what they were told."""

import asyncio
import itertools
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import httpx
from streams import Refused, Stream, reading
from users import append, bearer, client_of, sign_in, submit

PAUSE_SECONDS = 0.05
PATIENCE_SECONDS = 90.0


@dataclass
class Writer:
    """One user with a chat session of their own."""

    user: str
    headers: dict
    chat_id: str
    told: dict = field(default_factory=dict)
    """Key of each append that was answered → the answer."""


class Crowd:
    """Writers who go from server to server, and a subscriber who does, too."""

    def __init__(self, clients, writers, stream):
        """`clients` are of addresses, whoever serves there; the stream is of the first writer's events."""
        self._clients = clients
        self._stopping = False
        self.stream = stream
        self.writers = writers
        self.refused = self.unknown = 0

    @property
    def acknowledged(self):
        return sum(len(writer.told) for writer in self.writers)

    async def run(self):
        """Write and listen until `stop`, and until all that was written was heard."""
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(self._listen(self.writers[0]))
            writing = [tasks.create_task(self._write(*each)) for each in enumerate(self.writers)]
            await asyncio.wait(writing)
            await self.stream.until(len(self.writers[0].told))
            listening.cancel()

    def stop(self):
        """Let each finish what it has begun: until then, it asks again with the same key."""
        self._stopping = True

    async def more(self, count):
        """Wait for so many more acknowledgements."""
        enough = self.acknowledged + count
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.acknowledged < enough:
            assert time.monotonic() < deadline, "nobody is served"
            await asyncio.sleep(PAUSE_SECONDS)

    async def _write(self, number, writer):
        for turn in itertools.count():
            if self._stopping:
                return
            await self._append(number + turn, writer, f"{writer.user}/{turn}")

    async def _append(self, place, writer, key):
        """Ask one address after the other, with the same key, until there is an answer."""
        for attempt in itertools.count(place):
            answer = await self._asked(self._clients[attempt % len(self._clients)], writer, key)
            if answer is not None and answer.status_code == 200:
                writer.told[key] = answer.json()
                return
            await asyncio.sleep(PAUSE_SECONDS)

    async def _asked(self, client, writer, key):
        try:
            answer = await append(client, writer.headers, key)
        except httpx.TransportError:
            self.unknown += 1
            return None
        assert answer.status_code in {200, 503}, answer.text
        self.refused += answer.status_code == 503
        return answer

    async def _listen(self, writer):
        """Follow the events, at another address after each end, from where it ended."""
        for client in itertools.cycle(self._clients):
            try:
                await self.stream.read(client, writer.headers, artifact_id=writer.chat_id)
            except (httpx.TransportError, Refused):
                await asyncio.sleep(PAUSE_SECONDS)


async def gathered(stack: AsyncExitStack, folder, servers, users):
    """A crowd whose users have begun their chat sessions, while all is well."""
    clients = [await stack.enter_async_context(client_of(server)) for server in servers]
    writers = [await _begun(clients[0], folder, user) for user in users]
    async with reading(clients[0], writers[0].headers) as now:
        return Crowd(clients, writers, Stream(cursor=now.cursor))


async def _begun(client, folder, user):
    headers = bearer((await sign_in(client, folder, user))["session_token"])
    made = await submit(client, headers, "initialize_chat_session")
    return Writer(user, headers, made["artifacts"]["chat_session"]["semantic_payload"]["chat_session_id"])
