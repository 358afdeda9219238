"""Pages of a history: `history_limit` and `before_seq` in every answer."""

from __future__ import annotations

import pytest

PAGES = {
    "all": ({}, range(1, 11), None),
    "the newest": ({"history_limit": 3}, range(8, 11), (10, 8)),
    "none": ({"history_limit": 0}, [], (10, 11)),
    "more than there are": ({"history_limit": 1000}, range(1, 11), (10, None)),
    "exactly all": ({"history_limit": 10}, range(1, 11), (10, None)),
    "the page before": ({"history_limit": 3, "before_seq": 8}, range(5, 8), (10, 5)),
    "the first page": ({"history_limit": 3, "before_seq": 3}, range(1, 3), (10, None)),
    "before the first": ({"history_limit": 3, "before_seq": 1}, [], (10, None)),
    "beyond the end": ({"history_limit": 2, "before_seq": 99}, range(9, 11), (10, 9)),
    "all before": ({"before_seq": 4}, range(1, 4), (10, None)),
}


@pytest.mark.parametrize(("options", "seqs", "cursor"), PAGES.values(), ids=PAGES)
async def test_pages_of_the_history(chat, options, seqs, cursor):
    messages = [{"id": number, "content": str(number)} for number in range(1, 11)]
    session_id = await chat.initialize({"conversation_history": messages})
    shown = await chat.shown(session_id, **options)
    assert [message["id"] for message in shown["context"]["conversation_history"]] == list(seqs)
    assert (shown.get("history_total"), shown.get("history_before_seq")) == (cursor or (None, None))
    assert ("history_total" in shown) == (cursor is not None)


async def test_a_page_of_a_context_without_history(chat):
    shown = await chat.shown(await chat.initialize(), history_limit=5)
    assert (shown["context"], shown["history_total"], shown["history_before_seq"]) == ({}, 0, None)
