"""Laws of the history merge, on random conversations: the fast way is the naive way."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_history import MemoryChat
from naive_merge import naive_merge

from symphainy_platform.realms.coexistence import chat_history, history_blocks
from symphainy_platform.realms.coexistence.chat_history import DIGESTS
from symphainy_platform.realms.coexistence.history_blocks import describe_block

texts = st.sampled_from(["yes", "no", "ok", "é"])
extras = st.fixed_dictionaries({}, optional={"mood": st.sampled_from([1, True, 1.0, "calm", None])})
identified = st.builds(
    lambda i, content, extra: {"id": i, "role": "user", "content": content, **extra},
    st.sampled_from(["a", "b", "c", 1, 2, "1", "x" * 200]),
    texts,
    extras,
)
timed = st.builds(
    lambda content, stamp, extra: {"role": "user", "content": content, "timestamp": stamp, **extra},
    texts,
    st.sampled_from(["12:00", "12:01", None]),
    extras,
)
anonymous = st.builds(lambda content, extra: {"role": "user", "content": content, **extra}, texts, extras)
messages = st.lists(st.one_of(identified, timed, anonymous), max_size=9)
bases = st.tuples(st.sampled_from(["none", "stored", "shown", "mixed"]), st.integers(0, 30), st.integers(0, 30))
steps = st.lists(st.tuples(bases, messages, st.booleans()), max_size=6)


@pytest.fixture(autouse=True, scope="module")
def small_blocks():
    """Blocks of three, so that short random lists cross many of their edges."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chat_history, "BLOCK", 3)
        patch.setattr(history_blocks, "BLOCK", 3)
        yield


def sent_by(chat, base, new, *, edits, clashes=True):
    """What a frontend sends: some copy of the history as it knows it, and what is new.

    With `clashes`, now and then the first message says something else, under the id of the last.
    """
    kind, cut, hole = base
    stored, shown = chat.stored, chat.shown
    copies = {"none": [], "stored": stored, "shown": shown, "mixed": shown[:hole] + stored[hole:]}
    known = copies[kind][: len(stored) - cut % 3]
    known = [body for i, body in enumerate(known) if i != hole]
    if edits and known:
        known[hole % len(known)] = {**known[hole % len(known)], "content": "edited"}
    if clashes and cut % 5 == 4 and known:
        known[0] = {**known[-1], "content": "no"}
    return copy.deepcopy(known + new)


def is_repeatable(chat, incoming):
    """Rule 10 leaves out the lone repeat: anonymous messages in a list that is no snapshot."""
    return all("id" in body or "timestamp" in body for body in incoming) or not chat.entries


@given(steps)
@settings(max_examples=150, deadline=None)
def test_the_fast_merge_is_the_naive_merge(conversation):
    chat, naive = MemoryChat(), []
    for base, new, edits in conversation:
        incoming = sent_by(chat, base, new, edits=edits)
        untouched = copy.deepcopy(incoming)
        before = chat.stored
        naive = naive_merge(naive, incoming)
        update = chat.merge(incoming)
        assert [(entry.key, entry.body) for entry in chat.entries] == naive
        assert incoming == untouched
        assert len(chat.entries) >= len(before)
        assert bool(update) == (chat.stored != before or repr(chat.stored) != repr(before))


@given(steps)
@settings(max_examples=150, deadline=None)
def test_the_digests_describe_every_full_block(conversation):
    chat = MemoryChat()
    for base, new, edits in conversation:
        chat.merge(sent_by(chat, base, new, edits=edits))
        blocks = [chat.entries[i : i + 3] for i in range(0, len(chat.entries) - 2, 3)]
        assert [entry.body for entry in chat.logs[DIGESTS].entries] == [describe_block(block) for block in blocks]


@given(steps, messages)
@settings(max_examples=150, deadline=None)
def test_merging_identified_messages_twice_is_merging_them_once(conversation, new):
    chat = MemoryChat()
    for base, known, edits in conversation:
        chat.merge(sent_by(chat, base, known, edits=edits))
    if is_repeatable(chat, new):
        chat.merge(new)
        assert not chat.merge(new)


@given(steps, messages)
@settings(max_examples=150, deadline=None)
def test_a_snapshot_with_news_is_merged_once(conversation, new):
    chat = MemoryChat()
    for base, known, edits in conversation:
        chat.merge(sent_by(chat, base, known, edits=edits))
    whole = chat.stored + new
    chat.merge(whole)
    assert not chat.merge(whole)


@given(steps)
@settings(max_examples=150, deadline=None)
def test_a_copy_of_the_history_changes_nothing(conversation):
    chat = MemoryChat()
    for base, known, edits in conversation:
        chat.merge(sent_by(chat, base, known, edits=edits))
    half = len(chat.entries) // 2
    for copied in (chat.stored, chat.shown, chat.stored[:half] + chat.shown[half:], chat.shown[: max(2, half)]):
        assert not chat.merge(copied)
        assert not copied or len(copied) < len(chat.entries) or not chat.replace(copied)


@given(steps, st.lists(anonymous | timed, max_size=4), st.lists(anonymous | timed, max_size=4))
@settings(max_examples=150, deadline=None)
def test_two_tabs_on_one_base_give_the_union(conversation, mine, theirs):
    """Without edits by id: a message that says what an edited one said at first is that one."""
    chat = MemoryChat()
    for base, known, _ in conversation:
        chat.merge(sent_by(chat, base, known, edits=False, clashes=False))
    base = chat.stored
    chat.merge(base + mine)
    united = chat.stored
    chat.merge(base + theirs)
    assert [told(body) for body in chat.stored[: len(united)]] == [told(body) for body in united]
    assert {told(body) for body in chat.stored} == {told(body) for body in [*base, *mine, *theirs]}


@given(steps, messages)
@settings(max_examples=150, deadline=None)
def test_a_replacement_forgets_what_was_there(conversation, new):
    chat, fresh = MemoryChat(), MemoryChat()
    for base, known, edits in conversation:
        chat.merge(sent_by(chat, base, known, edits=edits))
    chat.replace(new)
    fresh.replace(new)
    assert (chat.stored, chat.logs[DIGESTS].entries) == (fresh.stored, fresh.logs[DIGESTS].entries)
    assert not chat.replace(new)


def told(body):
    return tuple(repr(body.get(name, ...)) for name in ("role", "content", "timestamp"))
