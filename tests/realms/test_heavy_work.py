"""Work on a large context leaves the event loop; work on a small one does not pay for a thread."""

import asyncio

import pytest

LARGE = {"numbers": [1.0] * 100_000}
LONG_MESSAGE = [{"id": "m1", "content": [1.0] * 100_000}]


@pytest.fixture
def in_threads(monkeypatch):
    """The names of what was run in a thread."""
    names, to_thread = [], asyncio.to_thread

    def counted(work, *args, **kwargs):
        names.append(work.__name__)
        return to_thread(work, *args, **kwargs)

    monkeypatch.setattr(asyncio, "to_thread", counted)
    return names


async def test_a_small_update_stays(chat, in_threads):
    session = await chat.initialize({"labels": ["a"]})
    in_threads.clear()  # the store's own
    await chat.update(session, {"labels": ["b"], "conversation_history": [{"id": "m1"}]})
    assert in_threads == []


@pytest.mark.parametrize("strategy", ["merge", "replace"])
@pytest.mark.parametrize(
    ("updates", "work"),
    [(LARGE, "_shared_after"), ({"conversation_history": LONG_MESSAGE}, "check_history")],
    ids=["shared", "history"],
)
async def test_a_large_update_leaves(chat, in_threads, updates, work, strategy):
    session = await chat.initialize()
    await chat.update(session, updates, merge_strategy=strategy)
    assert work in in_threads


@pytest.mark.parametrize(("updates", "strategy"), [({"label": "a"}, "merge"), ({}, "replace")])
async def test_a_small_update_of_a_large_context_leaves(chat, in_threads, updates, strategy):
    session = await chat.initialize(LARGE)
    assert in_threads.pop() == "check_shared"
    await chat.update(session, updates, merge_strategy=strategy)
    assert "_shared_after" in in_threads


async def test_a_turn_of_a_large_context_does_not_touch_it(chat, in_threads):
    session = await chat.initialize(LARGE)
    in_threads.clear()
    await chat.update(session, {"conversation_history": [{"id": "m1"}]})
    assert in_threads == []
