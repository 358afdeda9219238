"""Server-Sent Events: committed events, from now on or after a cursor, without loss or gap.

Written on ASGI rather than on a library: a stream has to end on three occasions (the caller
leaves, the token no longer holds, the server stops), and all three meet in `_Stream.run`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing, contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, cast

from symphainy_platform.errors import InvalidParameterValue, RateLimited
from symphainy_platform.http.answers import to_json
from symphainy_platform.http.credentials import credentials_of
from symphainy_platform.http.request import header_values, query_of
from symphainy_platform.http.token_watch import TokenWatch
from symphainy_platform.state.store import EventFilter

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from symphainy_platform.context import Identity
    from symphainy_platform.platform import Platform
    from symphainy_platform.settings import Settings
    from symphainy_platform.state.records import PublishedEvent

_MAX_CURSOR = 255
_RECONNECT_MILLISECONDS = 1000
_HEARTBEAT = b": heartbeat\n\n"
_HEADERS = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]


@dataclass(slots=True)
class EventStreams:
    """The open streams of one app: how many there may be, and the signal that ends them all."""

    limit: int
    limit_per_user: int
    open: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Per tenant and user."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def of(cls, settings: Settings) -> EventStreams:
        """As many as the settings allow."""
        return cls(settings.max_event_streams, settings.max_event_streams_per_user)

    async def answer(self, platform: Platform, request: Request) -> ASGIApp:
        """GET /api/events: everything that can be wrong is answered before the stream starts."""
        token = credentials_of(platform.settings, request.scope).required()
        identity = await platform.identify(token)
        query = query_of(request, "after", "artifact_id", "type")
        cursor = await _starting_cursor(platform, identity, _given_cursor(request.scope, query))
        self._refuse_too_many(identity)  # nothing is awaited from here until the stream counts itself
        events = platform.events(
            identity=identity, after=cursor, artifact_id=query.get("artifact_id"), type=query.get("type")
        )
        return _Stream(self, TokenWatch(platform, token, identity), cursor, events)

    @contextmanager
    def counted(self, identity: Identity) -> Iterator[None]:
        """Count one as open."""
        user = (identity.tenant_id, identity.user_id)
        self.open[user] += 1
        try:
            yield
        finally:
            self.open[user] -= 1
            if not self.open[user]:
                del self.open[user]

    def _refuse_too_many(self, identity: Identity) -> None:
        if self.open[identity.tenant_id, identity.user_id] >= self.limit_per_user:
            raise RateLimited(expected=f"at most {self.limit_per_user} open event streams of one user")
        if self.open.total() >= self.limit:
            raise RateLimited(expected=f"at most {self.limit} open event streams")


@dataclass(slots=True)
class _Stream:
    """One caller's stream."""

    streams: EventStreams
    watch: TokenWatch
    cursor: str
    events: AsyncIterator[PublishedEvent]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start the answer and, unless it is one to HEAD, send events until an occasion to end."""
        with self.streams.counted(self.watch.identity):
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            if scope["method"] != "HEAD":
                await self._run(receive, send)
            await send({"type": "http.response.body", "body": b""})

    async def _run(self, receive: Receive, send: Send) -> None:
        occasions = {
            asyncio.create_task(self._feed(send)),
            asyncio.create_task(self.watch.times_out()),
            asyncio.create_task(self.watch.is_revoked()),
            asyncio.create_task(_left(receive)),
            asyncio.create_task(self.streams.stopping.wait()),
        }
        try:
            ended, _ = await asyncio.wait(occasions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in occasions:
                task.cancel()
            await asyncio.gather(*occasions, return_exceptions=True)
        for task in ended:
            task.result()

    async def _feed(self, send: Send) -> None:
        """Send events as they come, and heartbeats in between, while the token holds."""
        await _send_text(send, f"retry: {_RECONNECT_MILLISECONDS}\nid: {self.cursor}\n\n".encode())
        async with aclosing(cast("AsyncGenerator[PublishedEvent]", self.events)) as events:
            upcoming = asyncio.ensure_future(anext(events, None))
            try:
                while True:
                    await asyncio.wait({upcoming}, timeout=self.watch.platform.settings.event_heartbeat_seconds)
                    if not await self.watch.holds():  # asked after the wait: it may have ended meanwhile
                        return
                    if not upcoming.done():
                        await _send_text(send, _HEARTBEAT)
                        continue
                    event = upcoming.result()
                    if event is None:  # the platform is stopping
                        return
                    await _send_text(send, _frame(event))
                    upcoming = asyncio.ensure_future(anext(events, None))
            finally:
                upcoming.cancel()
                await asyncio.wait({upcoming})


def _given_cursor(scope: Scope, query: dict[str, str]) -> str | None:
    """Return the caller's cursor: the header of a reconnecting client wins over its first URL."""
    values = header_values(scope, b"last-event-id")
    if len(values) > 1 or any(len(value) > _MAX_CURSOR for value in values):
        raise InvalidParameterValue(parameter="Last-Event-ID", expected="one cursor")
    return values[0].decode("latin-1") if values else query.get("after")


async def _starting_cursor(platform: Platform, identity: Identity, given: str | None) -> str:
    """Return the cursor to start from; "from now on" is fixed before the answer starts.

    Raises what the store says of a cursor that it cannot resume from.
    """
    if given is None:
        return await platform.store.event_cursor()
    await platform.store.events_after(given, EventFilter(tenant_id=identity.tenant_id), limit=1)
    return given


async def _left(receive: Receive) -> None:
    """Return when the caller has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_text(send: Send, text: bytes) -> None:
    await send({"type": "http.response.body", "body": text, "more_body": True})


def _frame(event: PublishedEvent) -> bytes:
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (
        event.cursor.encode(),
        event.type.encode(),
        to_json(_public(event)),
    )


def _public(event: PublishedEvent) -> dict[str, Any]:
    return asdict(event)
