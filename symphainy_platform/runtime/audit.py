"""The audit: events that contracts declare `audit: true`, in one hash chain per tenant.

The chains are built from the outbox, not in the commit: whoever appends reads the events after the
store's one position and moves it by compare-and-set, so that any number of processes make one chain.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence

import structlog

from symphainy_platform.errors import CursorExpired, InvalidParameterValue
from symphainy_platform.runtime.audit_chain import PAGE, chain_of, chained_tenants, entry_after, last_seq
from symphainy_platform.runtime.audit_check import AuditCheck, AuditReport, Head
from symphainy_platform.state.records import AuditEntry, AuditPosition, PublishedEvent
from symphainy_platform.state.store import AuditedEvents, AuditHead, EventFilter, Store

log = structlog.get_logger(__name__)

_ALL_RETAINED = "0"


class Audit:
    """The audit chains of a store: appended to, read and verified.

    Every method raises `DatabaseUnavailable` when the store does not answer; it may simply be called again.
    """

    def __init__(self, store: Store, types: frozenset[str]) -> None:
        """Audit the event types `types`, and all that were audited in this store before."""
        self._store = store
        self._types = types

    async def append(self) -> int:
        """Take the events that were committed so far into the chains; returns how many entries were made."""
        appended, more = 0, True
        while more:
            entries, more = await self._step()
            appended += entries
        return appended

    async def verify(
        self,
        tenant_id: str | None = None,
        *,
        heads: Mapping[str, Head] | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> AuditReport:
        """Compute the chains anew, and compare them with the retained events and with exported heads.

        Of all tenants, or of one. `progress` is told how many entries were looked at. Writes nothing.
        """
        return await AuditCheck(self._store, self._types, progress).run(tenant_id, heads or {})

    def tenants(self) -> AsyncIterator[str]:
        """Every tenant that has a chain."""
        return chained_tenants(self._store)

    async def entries(self, tenant_id: str) -> AsyncIterator[AuditEntry]:
        """The chain of a tenant up to the entry that is the last now, as it is: nothing is verified."""
        last = await last_seq(self._store, tenant_id)
        async for entry in chain_of(self._store, tenant_id, last):
            yield entry

    async def _step(self) -> tuple[int, bool]:
        """Take one page of events; returns the number of new entries, and whether there is more to do."""
        at = await self._store.audit_position()
        types = at.types | self._types
        if not types:
            return 0, False
        if types != at.types:  # what is retained of the new ones belongs into the chains, too
            return await self._start_over(at, types)
        try:
            page = await self._store.events_after(at.cursor, EventFilter(), PAGE)
        except (CursorExpired, InvalidParameterValue):  # events that were not taken may be gone: say so, and go on
            log.error("audit_position_lost", cursor=at.cursor)  # noqa: TRY400 - where it was raised says nothing
            return await self._start_over(at, types)
        if page.cursor == at.cursor:
            return 0, False
        entries = await self._entries([event for event in page.events if event.type in types])
        moved = await self._store.append_audit(entries, after=at, upto=AuditPosition(page.cursor, types))
        return (len(entries), page.more) if moved else (0, True)

    async def _start_over(self, at: AuditPosition, types: frozenset[str]) -> tuple[int, bool]:
        """Go back to the oldest event that is retained; those in the chains already are passed by."""
        await self._store.append_audit((), after=at, upto=AuditPosition(_ALL_RETAINED, types))
        return 0, True

    async def _entries(self, events: Sequence[PublishedEvent]) -> list[AuditEntry]:
        """The next entries of each tenant's chain; none for an event that has one."""
        theirs: dict[str, list[PublishedEvent]] = {}
        for event in events:
            theirs.setdefault(event.tenant_id, []).append(event)
        heads = await self._store.load([AuditHead(tenant_id) for tenant_id in theirs])
        known = await self._store.load([_kept(tenant_id, each) for tenant_id, each in theirs.items()])
        entries: list[AuditEntry] = []
        for head, kept, each in zip(heads, known, theirs.values(), strict=True):
            entries += _continued(head, {entry.event_cursor for entry in kept}, each)
        return entries


def _kept(tenant_id: str, events: Sequence[PublishedEvent]) -> AuditedEvents:
    return AuditedEvents(tenant_id, tuple(event.cursor for event in events))


def _continued(head: AuditEntry | None, kept: set[str], events: Sequence[PublishedEvent]) -> list[AuditEntry]:
    entries = []
    for event in events:
        if event.cursor not in kept:
            head = entry_after(head, event)
            entries.append(head)
    return entries
