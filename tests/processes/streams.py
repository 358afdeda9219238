"""Event streams over HTTP, as a frontend reads them."""

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass, field


class Refused(Exception):
    """A stream that a server does not open now: its database is away, or it stops."""


@dataclass
class Stream:
    """What one subscriber has received: (cursor, type, data, when) in order."""

    received: list = field(default_factory=list)
    cursor: str | None = None
    started: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def cursors(self):
        return [cursor for cursor, *_ in self.received]

    async def read(self, client, headers, **query):
        """Receive, after the newest cursor that is known, until the stream ends."""
        given = {"Last-Event-ID": self.cursor} if self.cursor else {}
        async with client.stream("GET", "/api/events", params=query, headers=headers | given, timeout=None) as answer:
            if answer.status_code == 503:
                raise Refused
            assert answer.status_code == 200, await answer.aread()
            frame = {}
            async for line in answer.aiter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    frame[name] = value
                else:
                    self._take(frame)
                    frame = {}
        self.ended.set()

    def _take(self, frame):
        self.cursor = frame.get("id", self.cursor)
        self.started.set()
        if "data" in frame:
            self.received.append((frame["id"], frame["event"], json.loads(frame["data"]), time.time()))
            self.news.set()

    async def ended_at(self, seconds=30):
        """Wait for its end; when that was noticed, by the monotonic clock."""
        async with asyncio.timeout(seconds):
            await self.ended.wait()
        return time.monotonic()

    async def until(self, count, seconds=60):
        """Wait until so many events have come."""
        async with asyncio.timeout(seconds):
            while len(self.received) < count:
                self.news.clear()
                await self.news.wait()
        return self.received


@contextlib.asynccontextmanager
async def reading(client, headers, **query):
    """A stream that is read meanwhile, from now on or after a cursor."""
    stream = Stream(cursor=query.pop("after", None))
    task = asyncio.create_task(stream.read(client, headers, **query))
    try:
        async with asyncio.timeout(30):
            await asyncio.wait({task, asyncio.create_task(stream.started.wait())}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        yield stream
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
