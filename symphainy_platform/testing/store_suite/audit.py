"""Checks of the audit verbs: chains that only grow, one position for all appenders, no sweep beyond it."""
# ruff: noqa: S101, D102 - checks assert; their names say what they prove

from __future__ import annotations

import asyncio

import pytest

from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.state.records import AuditEntry, AuditPosition
from symphainy_platform.state.store import (
    AuditedEvents,
    AuditHead,
    AuditRange,
    EventFilter,
    Retention,
    Store,
    load_one,
)
from symphainy_platform.testing.store_suite.events import emit
from symphainy_platform.testing.store_suite.samples import (
    OTHER_TENANT,
    TENANT,
    ManualClock,
    StoreChecks,
    StoreFactory,
    digest,
    opened,
)

NOT_BEGUN = AuditPosition()
TYPES = frozenset({"signed_in", "ü"})
OLD = Retention(executions=1e6, outbox=100)


def link(seq: int, tenant_id: str = TENANT, name: str = "") -> AuditEntry:
    """An entry whose event has a name of its own."""
    name = name or f"{tenant_id}-{seq}"
    return AuditEntry(
        tenant_id=tenant_id, seq=seq, event_cursor=name, body=f'{{"text":"ü {name}"}}', digest=digest(name)
    )


def at(cursor: str) -> AuditPosition:
    """A position with the types of these checks."""
    return AuditPosition(cursor, TYPES)


async def chain(store: Store, tenant_id: str = TENANT) -> list[AuditEntry]:
    """All entries of a tenant."""
    return await load_one(store, AuditRange(tenant_id, 1, 100))


async def left(store: Store) -> list[str]:
    """The types of the events that are retained."""
    return [found.type for found in (await store.events_after("0", EventFilter())).events]


class AuditChecks(StoreChecks):
    """What append_audit() and the reads of the chains promise."""

    async def test_a_new_store_has_no_audit(self, store: Store) -> None:
        assert await store.audit_position() == NOT_BEGUN
        assert list(await store.audit_tenants()) == []
        head, entries, kept = await store.load(
            [AuditHead(TENANT), AuditRange(TENANT, 1, 10), AuditedEvents(TENANT, ("x",))]
        )
        assert (head, entries, kept) == (None, [], [])

    async def test_entries_are_kept_as_they_are_and_the_position_moves(self, store: Store) -> None:
        entries = [link(1), link(1, OTHER_TENANT), link(2)]
        assert await store.append_audit(entries, after=NOT_BEGUN, upto=at("c1"))
        assert await store.audit_position() == at("c1")
        assert await chain(store) == [link(1), link(2)]
        assert await chain(store, OTHER_TENANT) == [link(1, OTHER_TENANT)]
        assert await load_one(store, AuditHead(TENANT)) == link(2)

    async def test_the_position_moves_without_entries(self, store: Store) -> None:
        assert await store.append_audit((), after=NOT_BEGUN, upto=at("0"))
        assert await store.append_audit((), after=at("0"), upto=at("c1"))
        assert await store.audit_position() == at("c1")

    @pytest.mark.parametrize("stale", [NOT_BEGUN, at("c0"), AuditPosition("c1"), AuditPosition("c1", frozenset("x"))])
    async def test_who_is_not_at_the_position_writes_nothing(self, store: Store, stale: AuditPosition) -> None:
        await store.append_audit([link(1)], after=NOT_BEGUN, upto=at("c1"))
        assert not await store.append_audit([link(2)], after=stale, upto=at("c2"))
        assert await store.audit_position() == at("c1")
        assert await chain(store) == [link(1)]

    @pytest.mark.parametrize("taken", [link(1, name="another event"), link(3, name=f"{TENANT}-1")])
    async def test_a_seq_and_an_event_are_taken_once(self, store: Store, taken: AuditEntry) -> None:
        await store.append_audit([link(1)], after=NOT_BEGUN, upto=at("c1"))
        with pytest.raises(DatabaseUnavailable):
            await store.append_audit([link(2), taken], after=at("c1"), upto=at("c2"))
        assert await store.audit_position() == at("c1")
        assert await chain(store) == [link(1)]

    async def test_of_appenders_at_once_one_wins(self, store: Store) -> None:
        tries = (store.append_audit([link(1)], after=NOT_BEGUN, upto=at(f"c{n}")) for n in range(5))
        assert sorted(await asyncio.gather(*tries)) == [False] * 4 + [True]
        assert await chain(store) == [link(1)]

    async def test_of_two_stores_on_one_database_one_wins(
        self, store: Store, store_factory: StoreFactory, clock: ManualClock
    ) -> None:
        other = await opened(store_factory, clock)
        tries = (each.append_audit([link(1)], after=NOT_BEGUN, upto=at("c1")) for each in (store, other))
        assert sorted(await asyncio.gather(*tries)) == [False, True]
        assert await other.audit_position() == at("c1")
        await other.close()

    @pytest.mark.parametrize(
        ("first", "limit", "seqs"), [(1, 2, [1, 2]), (3, 100, [3, 4, 5]), (5, 1, [5]), (6, 5, []), (0, 1, [1])]
    )
    async def test_ranges_are_ascending_and_bounded(
        self, store: Store, first: int, limit: int, seqs: list[int]
    ) -> None:
        await store.append_audit([link(seq) for seq in (3, 1, 2, 5, 4)], after=NOT_BEGUN, upto=at("c1"))
        assert [entry.seq for entry in await load_one(store, AuditRange(TENANT, first, limit))] == seqs

    async def test_entries_are_found_by_their_events(self, store: Store) -> None:
        entries = [link(1), link(2), link(1, OTHER_TENANT, f"{TENANT}-2")]
        await store.append_audit(entries, after=NOT_BEGUN, upto=at("c1"))
        cursors = (f"{TENANT}-2", "unknown", f"{OTHER_TENANT}-1", *(f"other {n}" for n in range(1000)))
        assert await load_one(store, AuditedEvents(TENANT, cursors)) == [link(2)]

    async def test_tenants_come_in_pages(self, store: Store) -> None:
        names = [f"t{n}" for n in range(7)]
        entries = [link(seq, name) for name in names for seq in (1, 2)]
        await store.append_audit(entries, after=NOT_BEGUN, upto=at("c1"))
        found: list[str] = []
        while page := await store.audit_tenants(found[-1] if found else "", 3):
            assert len(page) <= len("abc")
            found += page
        assert sorted(found) == names

    async def test_the_audit_outlives_a_restart(
        self, store: Store, store_factory: StoreFactory, clock: ManualClock
    ) -> None:
        await store.append_audit([link(1)], after=NOT_BEGUN, upto=at("c1"))
        await store.close()
        again = await opened(store_factory, clock)
        assert await again.audit_position() == at("c1")
        assert await chain(again) == [link(1)]
        await again.close()

    async def test_without_an_audit_every_old_event_is_swept(self, store: Store, clock: ManualClock) -> None:
        await emit(store, "a", "b")
        clock.advance(100)
        assert (await store.sweep(clock.text, OLD)).events == len("ab")

    async def test_what_the_audit_has_not_taken_is_not_swept(self, store: Store, clock: ManualClock) -> None:
        await emit(store, "a", "b")
        taken = await store.event_cursor()
        await emit(store, "c", "d")
        clock.advance(100)
        await store.append_audit((), after=NOT_BEGUN, upto=at("0"))
        assert (await store.sweep(clock.text, OLD)).events == 0
        await store.append_audit((), after=at("0"), upto=at(taken))
        assert (await store.sweep(clock.text, OLD)).events == len("ab")
        assert await left(store) == ["c", "d"]
        await store.append_audit((), after=at(taken), upto=at(await store.event_cursor()))
        await store.sweep(clock.text, OLD)
        assert await left(store) == []

    async def test_the_audit_is_never_swept(self, store: Store, clock: ManualClock) -> None:
        await emit(store, "a")
        position = at(await store.event_cursor())
        await store.append_audit([link(1)], after=NOT_BEGUN, upto=position)
        clock.advance(1e8)
        await store.sweep(clock.text, OLD)
        assert await chain(store) == [link(1)]
        assert (await store.events_after(position.cursor, EventFilter())).events == ()
