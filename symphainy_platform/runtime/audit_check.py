"""Verifying the audit chains: by themselves, by the events that are retained, by heads that were exported.

A chain that was rewritten with digests that fit is told by the outbox while it retains the events, and
by an exported head for ever.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from symphainy_platform.errors import CursorExpired, InvalidParameterValue
from symphainy_platform.runtime.audit_chain import (
    PAGE,
    chain_of,
    chained_tenants,
    event_body,
    event_type,
    fault_of,
    last_seq,
)
from symphainy_platform.state.records import AuditEntry, AuditPosition, PublishedEvent
from symphainy_platform.state.store import AuditedEvents, AuditRange, EventFilter, Store, load_one

_ALL_RETAINED = "0"


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a chain, as it was exported: its seq, and its digest in hex."""

    seq: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainReport:
    """What was found of one tenant's chain; `problems` are sentences, none when it is whole."""

    tenant_id: str
    entries: int
    digest: str | None
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What was found of all chains; `waiting` events were committed but not taken yet."""

    chains: tuple[ChainReport, ...]
    waiting: int

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong with any chain."""
        return not any(chain.problems for chain in self.chains)


@dataclass(slots=True)
class _Evidence:
    """What the outbox says of one tenant's chain.

    Retained events are the last ones of their type: so are their entries, from `first` on, as many.
    """

    missing: dict[str, PublishedEvent] = field(default_factory=dict)
    differing: list[int] = field(default_factory=list)
    first: dict[str, int] = field(default_factory=dict)
    kept: Counter[str] = field(default_factory=Counter)

    def compare(self, event: PublishedEvent, entry: AuditEntry | None) -> None:
        """Note what the entry of an event is."""
        if entry is None:
            self.missing[event.cursor] = event
        else:
            self.first[event.type] = min(entry.seq, self.first.get(event.type, entry.seq))
            self.kept[event.type] += 1
            if entry.body != event_body(event):
                self.differing.append(entry.seq)

    def problems(self) -> list[str]:
        """What the events say by themselves."""
        found = [f"entry {min(self.differing)} is not the event that was committed"] if self.differing else []
        if event := next(iter(self.missing.values()), None):
            first = f"{event.type} of {event.created_at}, execution {event.execution_id}"
            found.append(f"committed events are missing in it: {len(self.missing)}, the first is {first}")
        return found


class AuditCheck:
    """One look at the chains of a store. It writes nothing, and chains may grow meanwhile."""

    def __init__(self, store: Store, types: frozenset[str], progress: Callable[[int], None] | None) -> None:
        """Check the entries of `types` and of all types that were audited before."""
        self._store = store
        self._types = types
        self._progress = progress
        self._looked_at = 0

    async def run(self, tenant_id: str | None, heads: Mapping[str, Head]) -> AuditReport:
        """Check the chain of one tenant, or all of them."""
        at = await self._store.audit_position()
        lasts = await self._lasts(tenant_id, heads)
        evidence = await self._evidence(tenant_id, at.types | self._types)
        waiting = await self._let_wait(tenant_id, at, evidence)
        names = sorted({*lasts, *(name for name, each in evidence.items() if each.missing)})
        chains = [await self._chain(name, lasts.get(name, 0), evidence[name], heads.get(name)) for name in names]
        return AuditReport(chains=tuple(chains), waiting=waiting)

    async def _lasts(self, tenant_id: str | None, heads: Mapping[str, Head]) -> dict[str, int]:
        """The last seq of every chain that is there or should be."""
        if tenant_id is not None:
            return {tenant_id: await last_seq(self._store, tenant_id)}
        names = [*heads, *[name async for name in chained_tenants(self._store)]]
        return {name: await last_seq(self._store, name) for name in names}

    async def _evidence(self, tenant_id: str | None, types: frozenset[str]) -> defaultdict[str, _Evidence]:
        """Look for the entry of each retained event; from the start again, when a sweep was faster."""
        while True:
            evidence: defaultdict[str, _Evidence] = defaultdict(_Evidence)
            try:
                async for events in self._events(tenant_id, _ALL_RETAINED, types):
                    for event, entry in await self._with_entries(events):
                        evidence[event.tenant_id].compare(event, entry)
            except CursorExpired:
                continue
            return evidence

    async def _let_wait(self, tenant_id: str | None, at: AuditPosition, evidence: Mapping[str, _Evidence]) -> int:
        """Forgive what the appender has not come to yet; returns how much that is."""
        before = _missing_in(evidence)
        for each in evidence.values():
            each.missing = {cursor: event for cursor, event in each.missing.items() if event.type in at.types}
        try:
            async for events in self._events(tenant_id, at.cursor, at.types):
                for event in events:
                    evidence[event.tenant_id].missing.pop(event.cursor, None)
        except (CursorExpired, InvalidParameterValue):  # the appender will start over, and take them all
            for each in evidence.values():
                each.missing.clear()
        return before - _missing_in(evidence)

    async def _events(
        self, tenant_id: str | None, cursor: str, types: frozenset[str]
    ) -> AsyncIterator[list[PublishedEvent]]:
        where, more = EventFilter(tenant_id=tenant_id), True
        while more:
            page = await self._store.events_after(cursor, where, PAGE)
            cursor, more = page.cursor, page.more
            yield [event for event in page.events if event.type in types]

    async def _with_entries(self, events: Sequence[PublishedEvent]) -> list[tuple[PublishedEvent, AuditEntry | None]]:
        cursors: dict[str, list[str]] = {}
        for event in events:
            cursors.setdefault(event.tenant_id, []).append(event.cursor)
        found = await self._store.load([AuditedEvents(name, tuple(each)) for name, each in cursors.items()])
        entries = {(entry.tenant_id, entry.event_cursor): entry for each in found for entry in each}
        return [(event, entries.get((event.tenant_id, event.cursor))) for event in events]

    async def _chain(self, tenant_id: str, last: int, evidence: _Evidence, head: Head | None) -> ChainReport:
        """Walk along a chain to its first fault, and say what else speaks against it."""
        previous, fault, unproven = None, None, Counter(evidence.kept)
        async for entry in chain_of(self._store, tenant_id, last):
            if fault := fault_of(previous, entry):
                break
            if entry.seq >= evidence.first.get(kind := event_type(entry), entry.seq + 1):
                unproven[kind] -= 1
            previous = entry
            self._count()
        problems = [fault] if fault else _without_event(unproven)
        return ChainReport(
            tenant_id=tenant_id,
            entries=previous.seq if previous else 0,
            digest=previous.digest.hex() if previous and not fault else None,
            problems=(*problems, *evidence.problems(), *await self._against(tenant_id, last, head)),
        )

    async def _against(self, tenant_id: str, last: int, head: Head | None) -> list[str]:
        """Compare with the head that was exported."""
        if head is None:
            return []
        if last == 0:
            return [f"it is gone: the exported head is entry {head.seq}"]
        if last < head.seq:
            return [f"its end was cut off: it ends at entry {last}, the exported head is entry {head.seq}"]
        then = await load_one(self._store, AuditRange(tenant_id, head.seq, 1))
        if not then or then[0].seq != head.seq or then[0].digest.hex() != head.digest:
            return [f"it was rewritten: entry {head.seq} is not the exported head"]
        return []

    def _count(self) -> None:
        self._looked_at += 1
        if self._progress is not None and self._looked_at % PAGE == 0:
            self._progress(self._looked_at)


def _missing_in(evidence: Mapping[str, _Evidence]) -> int:
    return sum(len(each.missing) for each in evidence.values())


def _without_event(unproven: Counter[str]) -> list[str]:
    """Say that entries stand where retained events say that there are none."""
    extra = -sum(count for count in unproven.values() if count < 0)
    return [f"it has entries whose event was not committed: {extra}"] if extra else []
