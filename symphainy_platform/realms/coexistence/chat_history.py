"""The conversation history of one session: what is read for a merge, and what is staged after it.

The decision itself is pure (history_merge); here are the reads around it. A known prefix costs
one digest per 64 messages, a delta two keyed reads, whatever the length of the log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from symphainy_platform import Artifact, ExecutionContext, LogEntry
from symphainy_platform.realms.coexistence.heavy_work import computed, is_large
from symphainy_platform.realms.coexistence.history_blocks import (
    BLOCK,
    Span,
    block_of,
    describe_block,
    leading_run,
    matching_blocks,
    span_of,
    spans_outside,
)
from symphainy_platform.realms.coexistence.history_merge import (
    Arrival,
    HistoryChange,
    Known,
    anchored_prefix,
    decide,
    is_snapshot,
    unplaced,
)
from symphainy_platform.realms.coexistence.messages import Body, Message, collapsed, presented, read_message, same

HISTORY = "conversation_history"
"""The log of messages: one entry each."""
DIGESTS = "history_digests"
"""The log of block digests: one entry for every 64 messages."""

LARGE = 256
"""From this many messages on, whatever their bytes, work on them leaves the event loop."""

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HistoryUpdate:
    """What to stage: the change, the block descriptions that follow from it, and whether all starts anew."""

    change: HistoryChange
    new_blocks: Sequence[tuple[str, dict[str, str]]] = ()
    edited_blocks: Sequence[tuple[LogEntry, dict[str, str]]] = ()
    restart: bool = False
    count: int = 0

    def __bool__(self) -> bool:
        """True when there is anything to write."""
        return self.restart or bool(self.change)

    @property
    def bodies(self) -> list[Body]:
        """Every message in its new wording."""
        return [body for _, body in self.change.appended] + [body for _, body in self.change.edited]


class ChatHistory:
    """Loads and decides; `stage` writes what was decided."""

    def __init__(self, ctx: ExecutionContext, session: Artifact) -> None:
        """Read and write the logs of `session` in the execution `ctx`."""
        self._ctx = ctx
        self._log = ctx.state_surface.log(session, HISTORY)
        self._digests = ctx.state_surface.log(session, DIGESTS)
        self._count = self._log.head.count
        self._heavy = False

    async def merged(self, incoming: Sequence[Body]) -> HistoryUpdate:
        """Decide what a merge of `incoming` changes (rules 5 to 7)."""
        self._weigh(incoming)
        matched = await self._matching(incoming)
        change = await self._decided(incoming, matched)
        if change is None:
            change = await self._decided_in_order(incoming, leading_run(matched))
        return await self._update(change)

    async def replaced(self, incoming: Sequence[Body]) -> HistoryUpdate:
        """Decide what a replacement by `incoming` changes (rule 8): nothing when all is there already."""
        self._weigh(incoming)
        if await self._holds_exactly(incoming):
            return HistoryUpdate(HistoryChange(), count=self._count)
        messages = await self.compute(len(incoming), _distinct, incoming)
        bodies = [message.body for message in messages]
        if len(bodies) < len(incoming) and await self._holds_exactly(bodies):
            return HistoryUpdate(HistoryChange(), count=self._count)
        change = await self.compute(len(bodies), decide, _in_order(messages), Known(), snapshot=True)
        return await self._fresh(change)

    def stage(self, update: HistoryUpdate) -> None:
        """Stage messages and digests; call it in the same execution, after the decision."""
        if update.restart:
            self._log.restart()
            self._digests.restart()
        for entry, body in update.change.edited:
            self._log.revise(entry, body)
        self._log.append(update.change.appended)
        for entry, description in update.edited_blocks:
            self._digests.revise(entry, description)
        self._digests.append(update.new_blocks)

    async def compute(self, size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run pure work here, or off the event loop when it is about many (`size`) or large messages."""
        return await computed(self._ctx, self._heavy or size > LARGE, work, *args, **kwargs)

    def _weigh(self, incoming: Sequence[Body]) -> None:
        self._heavy = len(incoming) > LARGE or is_large(incoming)

    async def _matching(self, incoming: Sequence[Body]) -> frozenset[int]:
        """The full blocks of the log that `incoming` repeats in their place."""
        comparable = min(len(incoming), self._count) // BLOCK
        if not comparable:
            return frozenset()
        descriptions = await self._digests.read(1, comparable)
        return await self.compute(len(incoming), matching_blocks, incoming, descriptions)

    async def _decided(self, incoming: Sequence[Body], matched: AbstractSet[int]) -> HistoryChange | None:
        """Decide with the matched blocks set aside; None when the order of the list forbids that.

        It does when a message stands in the list twice, because the places after the second
        one then shift, and when the list is no snapshot, because anonymous repeats are then new.
        """
        spans = spans_outside(len(incoming), matched)
        arrivals = await self.compute(len(incoming), _arrivals, incoming, spans)
        if not _all_distinct(arrivals):
            return None
        known = await self._places(arrivals, spans)
        snapshot = is_snapshot(anchored_prefix(arrivals, known, len(incoming)), self._count)
        if matched and not snapshot:
            return None
        keys = [arrival.message.key for arrival in unplaced(arrivals, known, snapshot=snapshot)]
        known = Known(self._count, known.by_place, await self._found(keys))
        if matched and _meets(arrivals, known, matched):
            return None
        return await self._settled(arrivals, known, matched, len(incoming), snapshot=snapshot)

    async def _decided_in_order(self, incoming: Sequence[Body], run: AbstractSet[int]) -> HistoryChange:
        """Decide on a list with repeated messages: only the blocks of the leading run are set aside."""
        start = len(run) * BLOCK
        messages = await self.compute(len(incoming), _distinct, incoming[start:])
        found = await self._found([message.key for message in messages])
        arrivals = _after(start, messages, found)
        known = Known(self._count, (await self._read(Span(start + 1, start + len(messages)))), found)
        length = start + sum(1 for arrival in arrivals if arrival.place)
        snapshot = is_snapshot(anchored_prefix(arrivals, known, length), self._count)
        return await self._settled(arrivals, known, run, length, snapshot=snapshot)

    async def _settled(
        self, arrivals: Sequence[Arrival], known: Known, matched: AbstractSet[int], length: int, *, snapshot: bool
    ) -> HistoryChange:
        """Read the texts that anonymous messages may still match, then decide."""
        if snapshot and any(arrival.message.anonymous for arrival in unplaced(arrivals, known, snapshot=True)):
            known = await self._with_rest(known, matched, anchored_prefix(arrivals, known, length))
        while True:
            change = await self.compute(len(arrivals), decide, arrivals, known, snapshot=snapshot)
            taken = await self._found(change.repeats)
            if not taken:
                return change
            known = Known(known.count, known.by_place, {**known.by_key, **taken})

    async def _with_rest(self, known: Known, matched: AbstractSet[int], prefix: int) -> Known:
        rest = await self._read(Span(prefix + 1, self._count))
        spare = {seq: entry for seq, entry in rest.items() if block_of(seq) not in matched}
        return Known(known.count, {**known.by_place, **spare}, known.by_key)

    async def _places(self, arrivals: Sequence[Arrival], spans: Sequence[Span]) -> Known:
        """The entries in the arrivals' places, where a place can matter: for anonymous or many messages."""
        by_place: dict[int, LogEntry] = {}
        if len(arrivals) >= BLOCK or any(arrival.message.anonymous for arrival in arrivals):
            for span in spans:
                by_place.update(await self._read(span))
        return Known(self._count, by_place)

    async def _read(self, span: Span) -> dict[int, LogEntry]:
        if span.first > self._count:
            return {}
        return {entry.seq: entry for entry in await self._log.read(span.first, span.last)}

    async def _found(self, keys: Sequence[str]) -> dict[str, LogEntry]:
        return await self._log.find(list(dict.fromkeys(keys))) if self._count else {}

    async def _holds_exactly(self, bodies: Sequence[Body]) -> bool:
        """Whether the log holds these messages and no others, in this order."""
        if len(bodies) != self._count:
            return False
        for span in spans_outside(len(bodies), await self._matching(bodies)):
            entries = await self._read(span)
            if not await self.compute(len(entries), _equal, span.cut(bodies), list(entries.values())):
                return False
        return True

    async def _update(self, change: HistoryChange) -> HistoryUpdate:
        """Complete a merge with the blocks that it fills and those that it edits."""
        count = self._count + len(change.appended)
        full = self._count // BLOCK
        if not change:
            return HistoryUpdate(change, count=count)
        wordings = {entry.seq: body for entry, body in change.edited}
        edited = [await self._edited_block(k, wordings) for k in sorted({block_of(s) for s in wordings}) if k <= full]
        partial = await self._read(Span(full * BLOCK + 1, self._count)) if count // BLOCK > full else {}
        tail = [_worded(entry, wordings) for entry in partial.values()] + _entries(change, self._count)
        blocks = await self.compute(len(tail), _described, tail, full)
        return HistoryUpdate(change, blocks, edited, count=count)

    async def _fresh(self, change: HistoryChange) -> HistoryUpdate:
        entries = _entries(change, 0)
        blocks = await self.compute(len(entries), _described, entries, 0)
        return HistoryUpdate(change, blocks, restart=self._count > 0, count=len(entries))

    async def _edited_block(self, block: int, wordings: dict[int, Body]) -> tuple[LogEntry, dict[str, str]]:
        span = span_of(block)
        entries = [_worded(entry, wordings) for entry in await self._log.read(span.first, span.last)]
        description = (await self._digests.read(block, block))[0]
        return description, describe_block(entries)


def _arrivals(incoming: Sequence[Body], spans: Sequence[Span]) -> list[Arrival]:
    return [
        Arrival(place, read_message(body))
        for span in spans
        for place, body in enumerate(span.cut(incoming), start=span.first)
    ]


def _all_distinct(arrivals: Sequence[Arrival]) -> bool:
    keys = [arrival.message.key for arrival in arrivals if not arrival.message.anonymous]
    return len(set(keys)) == len(keys)


def _meets(arrivals: Sequence[Arrival], known: Known, matched: AbstractSet[int]) -> bool:
    """Whether an arrival repeats a message of a matched block."""
    found = (known.by_key.get(arrival.message.key) for arrival in arrivals if not arrival.message.anonymous)
    return any(entry is not None and block_of(entry.seq) in matched for entry in found)


def _distinct(incoming: Sequence[Body]) -> list[Message]:
    return collapsed([read_message(body) for body in incoming])


def _in_order(messages: Sequence[Message]) -> list[Arrival]:
    return [Arrival(place, message) for place, message in enumerate(messages, start=1)]


def _after(start: int, messages: Sequence[Message], found: dict[str, LogEntry]) -> list[Arrival]:
    """Places after `start`; a message that stands before it already has no place of its own."""
    arrivals: list[Arrival] = []
    place = start
    for message in messages:
        entry = None if message.anonymous else found.get(message.key)
        echo = entry is not None and entry.seq <= start
        place += not echo
        arrivals.append(Arrival(0 if echo else place, message))
    return arrivals


def _equal(bodies: Sequence[Body], entries: Sequence[LogEntry]) -> bool:
    pairs = zip(bodies, entries, strict=True)
    return all(same(body, entry.body) or same(body, presented(entry)) for body, entry in pairs)


def _worded(entry: LogEntry, wordings: dict[int, Body]) -> LogEntry:
    return LogEntry(entry.seq, entry.key, wordings.get(entry.seq, entry.body))


def _entries(change: HistoryChange, count: int) -> list[LogEntry]:
    return [LogEntry(seq, key, body) for seq, (key, body) in enumerate(change.appended, start=count + 1)]


def _described(entries: Sequence[LogEntry], full: int) -> list[tuple[str, dict[str, str]]]:
    """Descriptions of the full blocks that `entries` (from the start of block `full` + 1) make up."""
    return [
        (str(full + 1 + start // BLOCK), describe_block(entries[start : start + BLOCK]))
        for start in range(0, len(entries) - BLOCK + 1, BLOCK)
    ]
