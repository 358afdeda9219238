"""Checks of the outbox: order, pages, filters, cursors."""
# ruff: noqa: S101, D102 - checks assert; their names say what they prove

from __future__ import annotations

from typing import Any

import pytest

from symphainy_platform.errors import CursorExpired, InvalidParameterValue
from symphainy_platform.state.records import Commit
from symphainy_platform.state.store import EventFilter, EventPage, Retention, Store
from symphainy_platform.testing.store_suite.samples import (
    OTHER_TENANT,
    TENANT,
    USER,
    ManualClock,
    StoreChecks,
    StoreFactory,
    artifact,
    commit_all,
    event,
    execution,
    opened,
    writing,
)

EVERYTHING = EventFilter()
NOT_CURSORS = ["", "1", "x", "-1", "00", "not a cursor!", "ü", "AAAA", "A" * 23, "1e5"]


def emitting(execution_id: str, *kinds: str, **changes: Any) -> Commit:
    """An execution that emits events of these types."""
    return Commit(execution=execution(execution_id, **changes), events=tuple(event(kind) for kind in kinds))


def kinds(page: EventPage) -> list[str]:
    """The types of the events of a page."""
    return [found.type for found in page.events]


async def emit(store: Store, *names: str) -> None:
    """Emit events, each by an execution of its own."""
    await commit_all(store, *(emitting(f"exec_{name}", name) for name in names))


class EventChecks(StoreChecks):
    """What events_after() and event_cursor() promise."""

    async def test_event_carries_its_envelope(self, store: Store, clock: ManualClock) -> None:
        await commit_all(store, writing("exec_1", artifact(), events=(event(version=1, text="ü"),)))
        (found,) = (await store.events_after("0", EVERYTHING)).events
        assert (found.tenant_id, found.user_id, found.execution_id) == (TENANT, USER, "exec_1")
        assert (found.intent_type, found.type, found.artifact_id) == (
            "update_chat_context",
            "chat_context_updated",
            "a1",
        )
        assert (found.payload, found.created_at) == ({"version": 1, "text": "ü"}, clock.text)

    async def test_events_stand_in_the_order_of_their_commits(self, store: Store) -> None:
        await commit_all(store, emitting("exec_1", "a", "b"), emitting("exec_2"), emitting("exec_3", "c"))
        await commit_all(store, emitting("exec_4", "d"))
        page = await store.events_after("0", EVERYTHING)
        assert (kinds(page), page.more) == (["a", "b", "c", "d"], False)

    async def test_cursor_of_an_event_resumes_right_after_it(self, store: Store) -> None:
        await emit(store, "a", "b", "c", "d")
        page = await store.events_after("0", EVERYTHING)
        rests = [kinds(await store.events_after(found.cursor, EVERYTHING)) for found in page.events]
        assert rests == [["b", "c", "d"], ["c", "d"], ["d"], []]

    async def test_cursor_of_now_sees_only_what_comes(self, store: Store) -> None:
        assert kinds(await store.events_after(await store.event_cursor(), EVERYTHING)) == []
        await emit(store, "old")
        now = await store.event_cursor()
        assert kinds(await store.events_after(now, EVERYTHING)) == []
        await emit(store, "new")
        assert kinds(await store.events_after(now, EVERYTHING)) == ["new"]

    async def test_cursor_of_an_empty_page_misses_nothing(self, store: Store) -> None:
        empty = await store.events_after("0", EVERYTHING)
        await emit(store, "first")
        assert kinds(await store.events_after(empty.cursor, EVERYTHING)) == ["first"]

    @pytest.mark.parametrize("limit", [1, 2, 7, 50])
    async def test_event_pages_join_without_gap_or_repetition(self, store: Store, limit: int) -> None:
        names = [f"e{n:02d}" for n in range(20)]
        await emit(store, *names)
        seen: list[str] = []
        page = await store.events_after("0", EVERYTHING, limit)
        while page.more:
            assert len(page.events) <= limit
            seen += kinds(page)
            page = await store.events_after(page.cursor, EVERYTHING, limit)
        assert seen + kinds(page) == names

    @pytest.mark.parametrize(
        ("where", "found"),
        [
            (EventFilter(), ["a", "b", "c", "d"]),
            (EventFilter(tenant_id=TENANT), ["a", "b", "c"]),
            (EventFilter(tenant_id=TENANT, user_id=USER), ["a", "c"]),
            (EventFilter(tenant_id=OTHER_TENANT, user_id=USER), ["d"]),
            (EventFilter(tenant_id=TENANT, type="c"), ["c"]),
            (EventFilter(tenant_id=TENANT, user_id=USER, artifact_id="a2"), ["c"]),
            (EventFilter(artifact_id="a1"), ["a", "b", "d"]),
            (EventFilter(tenant_id="nobody"), []),
        ],
    )
    async def test_filter(self, store: Store, where: EventFilter, found: list[str]) -> None:
        await commit_all(
            store,
            emitting("exec_1", "a"),
            emitting("exec_2", "b", user_id="user-2"),
            Commit(execution=execution("exec_3"), events=(event("c", "a2"),)),
            emitting("exec_4", "d", tenant_id=OTHER_TENANT),
        )
        page = await store.events_after("0", where)
        assert (kinds(page), page.more) == (found, False)

    async def test_page_moves_past_what_its_filter_left_out(self, store: Store) -> None:
        await emit(store, *(f"e{n}" for n in range(64)))
        page = await store.events_after("0", EventFilter(tenant_id=OTHER_TENANT), 1)
        while page.more:
            page = await store.events_after(page.cursor, EventFilter(tenant_id=OTHER_TENANT), 1)
        assert kinds(await store.events_after(page.cursor, EVERYTHING)) == []
        await emit(store, "later")
        assert kinds(await store.events_after(page.cursor, EVERYTHING)) == ["later"]

    async def test_event_without_an_artifact(self, store: Store) -> None:
        await commit_all(store, Commit(execution=execution(), events=(event("x", None),)))
        (found,) = (await store.events_after("0", EVERYTHING)).events
        assert (found.artifact_id, found.payload) == (None, {})

    @pytest.mark.parametrize("text", NOT_CURSORS)
    async def test_what_is_no_event_cursor_is_refused(self, store: Store, text: str) -> None:
        with pytest.raises(InvalidParameterValue) as refusal:
            await store.events_after(text, EVERYTHING)
        assert refusal.value.details["parameter"] == "after"

    async def test_cursor_of_another_store_has_expired(
        self, store: Store, store_factory: StoreFactory, clock: ManualClock
    ) -> None:
        other = await opened(store_factory, clock, "other")
        foreign = await other.event_cursor()
        await other.close()
        with pytest.raises(CursorExpired):
            await store.events_after(foreign, EVERYTHING)

    async def test_cursor_expires_when_its_successors_are_swept(self, store: Store, clock: ManualClock) -> None:
        start = await store.event_cursor()
        await emit(store, "a", "b")
        clock.advance(100)
        await emit(store, "c")
        cursors = [start, *(found.cursor for found in (await store.events_after("0", EVERYTHING)).events)]
        await store.sweep(clock.text, Retention(executions=1e6, outbox=100))
        for gone in cursors[:2]:
            with pytest.raises(CursorExpired):
                await store.events_after(gone, EVERYTHING)
        assert [kinds(await store.events_after(kept, EVERYTHING)) for kept in cursors[2:]] == [["c"], []]
        assert kinds(await store.events_after("0", EVERYTHING)) == ["c"]

    async def test_cursor_stays_meaningful_when_everything_is_swept(self, store: Store, clock: ManualClock) -> None:
        await emit(store, "a", "b")
        clock.advance(100)
        await store.sweep(clock.text, Retention(executions=1e6, outbox=1))
        now = await store.event_cursor()
        await emit(store, "c")
        assert kinds(await store.events_after(now, EVERYTHING)) == ["c"]
        assert kinds(await store.events_after("0", EVERYTHING)) == ["c"]
