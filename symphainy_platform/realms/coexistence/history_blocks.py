"""Digests of full blocks of a history, so that a known one is recognized without a look-up per message.

Entry k of the log `history_digests` describes the messages 64(k-1)+1 … 64k in their newest
wording, twice: as stored (what a frontend that keeps its own copy sends) and as presented
(what one that keeps our answers sends).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from symphainy_platform import LogEntry
from symphainy_platform.realms.coexistence.canonical_form import fingerprint
from symphainy_platform.realms.coexistence.messages import Body, presented

BLOCK = 64
"""Messages in a block."""


@dataclass(frozen=True, slots=True)
class Span:
    """Places `first`..`last` of a history (from 1, inclusive)."""

    first: int
    last: int

    def cut(self, history: Sequence[Any]) -> Sequence[Any]:
        """This part of a history."""
        return history[self.first - 1 : self.last]


def span_of(block: int) -> Span:
    """The places of a block."""
    return Span((block - 1) * BLOCK + 1, block * BLOCK)


def block_of(place: int) -> int:
    """The block of a place."""
    return (place - 1) // BLOCK + 1


def block_digest(bodies: Sequence[Body]) -> str:
    """128 bits of the digest of a block's messages, as hex."""
    return fingerprint(bodies)[:32]


def describe_block(entries: Sequence[LogEntry]) -> dict[str, str]:
    """The body of a block's entry in `history_digests`."""
    return {
        "as_sent": block_digest([entry.body for entry in entries]),
        "with_ids": block_digest([presented(entry) for entry in entries]),
    }


def matching_blocks(history: Sequence[Body], descriptions: Iterable[LogEntry]) -> frozenset[int]:
    """The blocks whose messages stand in `history` in their place, word for word."""
    return frozenset(
        entry.seq
        for entry in descriptions
        if block_digest(span_of(entry.seq).cut(history)) in (entry.body["as_sent"], entry.body["with_ids"])
    )


def leading_run(blocks: AbstractSet[int]) -> frozenset[int]:
    """The blocks from the first one up to the first gap."""
    run = 0
    while run + 1 in blocks:
        run += 1
    return frozenset(range(1, run + 1))


def spans_outside(length: int, blocks: AbstractSet[int]) -> list[Span]:
    """The parts of a history of this length that lie in none of the blocks, in order."""
    spans: list[Span] = []
    for first in range(1, length + 1, BLOCK):
        if block_of(first) in blocks:
            continue
        last = min(first + BLOCK - 1, length)
        if spans and spans[-1].last + 1 == first:
            spans[-1] = Span(spans[-1].first, last)
        else:
            spans.append(Span(first, last))
    return spans
