"""How an incoming history meets the log: a pure decision over plain data (30-chat, rules 5 to 7).

Identified messages match by key, wherever they stand. Anonymous ones match only when the
incoming list is a snapshot, one that starts as the log starts: in place first, then by text.
What matches nothing is appended.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from symphainy_platform import LogEntry
from symphainy_platform.realms.coexistence.messages import (
    Body,
    Message,
    read_message,
    repeat_key,
    reworded,
    same,
    stands_for,
    text_key,
)

ANCHOR = 2
"""As many messages from the start on (or the whole log) tell a snapshot from a lone repeat."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """An incoming message and its place in the incoming list (from 1; 0: it has none)."""

    place: int
    message: Message


@dataclass(frozen=True, slots=True)
class Known:
    """What was read of the log: its length, entries by place, entries by key."""

    count: int = 0
    by_place: Mapping[int, LogEntry] = field(default_factory=dict)
    by_key: Mapping[str, LogEntry] = field(default_factory=dict)

    def in_place(self, arrival: Arrival) -> LogEntry | None:
        """The entry that stands in the arrival's place, if it is the same message."""
        entry = self.by_place.get(arrival.place)
        return entry if entry is not None and stands_for(arrival.message, entry) else None


@dataclass(frozen=True, slots=True)
class HistoryChange:
    """New entries (key, body) in order, and new wordings of entries."""

    appended: tuple[tuple[str, Body], ...] = ()
    edited: tuple[tuple[LogEntry, Body], ...] = ()

    def __bool__(self) -> bool:
        """True when there is anything to write."""
        return bool(self.appended or self.edited)

    @property
    def repeats(self) -> list[str]:
        """The keys of repeated texts, which depend on their place; a sender may have used one as an id."""
        messages = [(key, read_message(body)) for key, body in self.appended if "timestamp" not in body]
        return [key for key, message in messages if message.anonymous and message.key != key]


def anchored_prefix(arrivals: Iterable[Arrival], known: Known, length: int) -> int:
    """How many messages from the start on are the same in both lists.

    `arrivals` are those of the incoming list (of `length`) that are not known to be in place.
    """
    for arrival in arrivals:
        if arrival.place and known.in_place(arrival) is None:
            return arrival.place - 1
    return min(length, known.count)


def is_snapshot(prefix: int, count: int) -> bool:
    """Whether a list with this anchored prefix repeats a log of `count` messages (rule 6)."""
    return prefix >= min(ANCHOR, count)


def unplaced(arrivals: Iterable[Arrival], known: Known, *, snapshot: bool) -> list[Arrival]:
    """The arrivals that must be looked up by key."""
    return [arrival for arrival in arrivals if _standing(arrival, known, snapshot=snapshot) is None]


def decide(arrivals: Sequence[Arrival], known: Known, *, snapshot: bool) -> HistoryChange:
    """Match every arrival; append what is new and reword what has changed."""
    matches = _matches(arrivals, known, snapshot=snapshot)
    new = [arrival.message for arrival, entry in zip(arrivals, matches, strict=True) if entry is None]
    found = [(arrival.message, entry) for arrival, entry in zip(arrivals, matches, strict=True) if entry]
    taken = {arrival.message.key for arrival in arrivals if not arrival.message.anonymous}
    return HistoryChange(_with_keys(new, known, taken), _edits(found))


def _standing(arrival: Arrival, known: Known, *, snapshot: bool) -> LogEntry | None:
    return known.in_place(arrival) if snapshot or not arrival.message.anonymous else None


def _matches(arrivals: Sequence[Arrival], known: Known, *, snapshot: bool) -> list[LogEntry | None]:
    matches = [_standing(arrival, known, snapshot=snapshot) or _by_key(arrival, known) for arrival in arrivals]
    if not snapshot:
        return matches
    spare = _spare_texts(known, {entry.seq for entry in matches if entry})
    for index, arrival in enumerate(arrivals):
        if matches[index] is None and arrival.message.anonymous and spare[arrival.message.key]:
            matches[index] = spare[arrival.message.key].popleft()
    return matches


def _by_key(arrival: Arrival, known: Known) -> LogEntry | None:
    return None if arrival.message.anonymous else known.by_key.get(arrival.message.key)


def _spare_texts(known: Known, claimed: set[int]) -> defaultdict[str, deque[LogEntry]]:
    """By text, the entries that nothing has matched yet, in order."""
    spare: defaultdict[str, deque[LogEntry]] = defaultdict(deque)
    for seq in sorted(known.by_place.keys() - claimed):
        spare[text_key(known.by_place[seq])].append(known.by_place[seq])
    return spare


def _with_keys(new: Iterable[Message], known: Known, taken: set[str]) -> tuple[tuple[str, Body], ...]:
    appended: list[tuple[str, Body]] = []
    used = taken | known.by_key.keys() | {entry.key for entry in known.by_place.values()}
    for seq, message in enumerate(new, start=known.count + 1):
        key = _free_key(message, seq, used) if message.anonymous else message.key
        used.add(key)
        appended.append((key, message.body))
    return tuple(appended)


def _free_key(message: Message, seq: int, used: set[str]) -> str:
    """The text's own key for its first message; a later one's depends on its place."""
    key, salt = message.key, [seq]
    while key in used:
        key = repeat_key(message.body, *salt)
        salt.append(len(salt))
    return key


def _edits(found: Iterable[tuple[Message, LogEntry]]) -> tuple[tuple[LogEntry, Body], ...]:
    wordings: dict[int, tuple[LogEntry, Body]] = {}
    for message, entry in found:
        body = wordings[entry.seq][1] if entry.seq in wordings else entry.body
        wordings[entry.seq] = (entry, reworded(body, message))
    return tuple((entry, body) for entry, body in wordings.values() if not same(entry.body, body))
