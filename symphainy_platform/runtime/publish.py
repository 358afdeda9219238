"""Stage `publish`: committed events from the outbox to subscribers, in order, with a cursor.

One tail per process reads each new event once and hands it to the subscribers that are up to
date; a subscriber that lags reads the outbox for itself until it has caught up.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog

from symphainy_platform.errors import CursorExpired, InvalidParameterValue
from symphainy_platform.state.records import PublishedEvent
from symphainy_platform.state.store import EventFilter, EventPage, Store

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.1
"""How often another process's commits are looked for, while anybody subscribes."""

INBOX = 1_000
"""Events that wait for one subscriber in memory; beyond that it reads the outbox again."""


@dataclass(slots=True, eq=False)
class _Subscriber:
    where: EventFilter
    cursor: str
    inbox: deque[PublishedEvent] = field(default_factory=deque)
    lags: bool = True
    missed: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, before: str, page: EventPage) -> None:
        """Take a page of the tail; only who stood exactly before it may take it from memory."""
        if self.lags or self.cursor != before:
            self.fall_behind()
            return
        mine = [event for event in page.events if _matches(self.where, event)]
        if len(self.inbox) + len(mine) > INBOX:
            self.lags = True
        else:
            self.inbox.extend(mine)
            self.cursor = page.cursor
        if mine:
            self.news.set()

    def fall_behind(self) -> None:
        """Read the outbox (again), also when a read is under way that may not have seen the newest."""
        self.lags = self.missed = True
        self.news.set()


class EventFeed:
    """Where subscribers of this process get their events."""

    def __init__(self, store: Store, delivered: Callable[[PublishedEvent], None]) -> None:
        """Read the outbox of `store`; `delivered` is told of each event that the tail has read."""
        self._store = store
        self._delivered = delivered
        self._subscribers: set[_Subscriber] = set()
        self._news = asyncio.Event()
        self._tail: asyncio.Task[None] | None = None
        self._closed = False

    def wake(self) -> None:
        """Say that something was committed here."""
        self._news.set()

    async def subscribe(self, where: EventFilter, after: str | None = None) -> AsyncIterator[PublishedEvent]:
        """Events that match, after the cursor `after` (None: from now on), until the feed closes.

        Raises InvalidParameterValue or CursorExpired at the first step for a cursor that cannot
        be resumed. A store that does not answer is asked again; no event is skipped.
        """
        cursor = await self._store.event_cursor() if after is None else after
        if after is not None:
            await self._store.events_after(cursor, where, 1)
        subscriber = _Subscriber(where, cursor)
        with self._subscribed(subscriber):
            while not self._closed:
                subscriber.news.clear()
                for event in await self._next(subscriber):
                    yield event
                if not subscriber.inbox and not subscriber.lags and not self._closed:
                    await subscriber.news.wait()

    def end(self) -> None:
        """End all subscriptions; those that come later end at once."""
        self._closed = True
        for subscriber in self._subscribers:
            subscriber.news.set()

    async def close(self) -> None:
        """End all subscriptions and the tail."""
        self.end()
        if self._tail is not None:
            self._tail.cancel()
            await asyncio.wait([self._tail])

    @contextmanager
    def _subscribed(self, subscriber: _Subscriber) -> Iterator[None]:
        self._subscribers.add(subscriber)
        if self._tail is None or self._tail.done():
            self._tail = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            self._subscribers.discard(subscriber)

    async def _next(self, subscriber: _Subscriber) -> list[PublishedEvent]:
        """What waits in memory, else (for one that lags) the next page of the outbox."""
        if subscriber.inbox:
            waiting = list(subscriber.inbox)
            subscriber.inbox.clear()
            return waiting
        if not subscriber.lags:
            return []
        subscriber.missed = False
        page = await self._page(subscriber.cursor, subscriber.where)
        subscriber.cursor = page.cursor
        subscriber.lags = page.more or subscriber.missed
        return list(page.events)

    async def _follow(self) -> None:
        cursor = await self._start()
        while self._subscribers:
            try:
                page = await self._page(cursor, EventFilter())
            except CursorExpired:
                cursor = await self._start()
                continue
            for event in page.events:
                self._delivered(event)
            if page.cursor != cursor:
                for subscriber in self._subscribers:
                    subscriber.offer(cursor, page)
                cursor = page.cursor
            if not page.more:
                await self._wait()

    async def _wait(self) -> None:
        """Until something was committed here or (asked every POLL_SECONDS) elsewhere."""
        while self._subscribers:
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                if not await self._elsewhere():
                    continue
            self._news.clear()
            return

    async def _elsewhere(self) -> bool:
        try:
            return await self._store.changed_elsewhere()
        except Exception:  # noqa: BLE001 - the plugin boundary: reading on will tell, or wait
            return True

    async def _start(self) -> str:
        """The tail's first cursor; what came before it, every subscriber reads for itself."""
        cursor = await self._cursor()
        for subscriber in self._subscribers:
            subscriber.fall_behind()
        return cursor

    async def _cursor(self) -> str:
        pause = _Pause()
        while True:
            try:
                return await self._store.event_cursor()
            except Exception as error:  # noqa: BLE001 - the plugin boundary: a broken store must not end the tail
                await pause.after(error)

    async def _page(self, cursor: str, where: EventFilter) -> EventPage:
        """The next page, from a store that may be away for a while; an empty one once the feed is closed."""
        pause = _Pause()
        while not self._closed:
            try:
                return await self._store.events_after(cursor, where)
            except (CursorExpired, InvalidParameterValue):
                raise
            except Exception as error:  # noqa: BLE001 - the plugin boundary: a broken store must not end the tail
                await pause.after(error)
        return EventPage((), cursor)


class _Pause:
    """Waits before the store is asked again; says so once, not ten times a second."""

    def __init__(self) -> None:
        self._said = False

    async def after(self, reason: Exception) -> None:
        if not self._said:
            log.warning("outbox_unavailable", reason=type(reason).__name__)
            self._said = True
        await asyncio.sleep(POLL_SECONDS)


def _matches(where: EventFilter, event: PublishedEvent) -> bool:
    return where.admits(event.tenant_id, event.user_id, event.artifact_id, event.type)
