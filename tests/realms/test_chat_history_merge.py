"""Rules 5 to 7 of 30-chat-context as cases: what the log holds, what is sent, what it holds then."""

from __future__ import annotations

import pytest
from memory_history import MemoryChat

from symphainy_platform import IntentError
from symphainy_platform.realms.coexistence.chat_history import DIGESTS, HISTORY
from symphainy_platform.realms.coexistence.messages import check_messages, key_of_id, server_id


def said(*texts):
    """Messages with neither id nor timestamp."""
    return [{"role": "user", "content": text} for text in texts]


def stamped(*texts):
    return [{"role": "user", "content": text, "timestamp": f"2026-01-27T12:00:{text}Z"} for text in texts]


def named(*texts):
    return [{"id": text, "role": "user", "content": text} for text in texts]


MERGES = {
    "the first messages": ([], said("a", "b"), ["a", "b"]),
    "an empty array is a no-op": (said("a"), [], ["a"]),
    "the whole history again": (said("a", "b"), said("a", "b"), ["a", "b"]),
    "only the rest of a snapshot is new": (said("a", "b"), said("a", "b", "c"), ["a", "b", "c"]),
    "a stale, shorter snapshot": (said("a", "b", "c", "d"), said("a", "b", "c"), ["a", "b", "c", "d"]),
    "a stale snapshot with news": (said("a", "b", "c", "d"), said("a", "b", "d", "e"), ["a", "b", "c", "d", "e"]),
    "a snapshot of a log of one": (said("a"), said("a", "b"), ["a", "b"]),
    "the only message again": (said("a"), said("a"), ["a"]),
    "a lone repeat in a longer history": (said("yes", "no"), said("yes"), ["yes", "no", "yes"]),
    "a lone repeat that is not the first": (said("a", "yes"), said("yes"), ["a", "yes", "yes"]),
    "a prefix of one does not make a snapshot": (said("a", "b"), said("a", "c"), ["a", "b", "a", "c"]),
    "repeats in one update are all kept": ([], said("ok", "ok", "ok"), ["ok", "ok", "ok"]),
    "repeats in a snapshot": (said("a", "ok"), said("a", "ok", "ok", "ok"), ["a", "ok", "ok", "ok"]),
    "repeats of two tabs are counted": (said("a", "b", "ok"), said("a", "b", "x", "ok"), ["a", "b", "ok", "x"]),
    "ids match anywhere": (named("a", "b"), named("b", "c", "a"), ["a", "b", "c"]),
    "timestamps identify": (stamped("01", "02"), stamped("02", "03"), ["01", "02", "03"]),
    "the same text at another time is new": (stamped("01"), [{**stamped("01")[0], "timestamp": "z"}], ["01", "01"]),
    "a null timestamp is one": ([], [{"role": "u", "content": "a", "timestamp": None}] * 2, ["a"]),
    "ids collapse in one update": ([], [*named("a", "b"), {"id": "a", "content": "A"}], ["A", "b"]),
    "mixed lists match one by one": ([*named("a"), *said("b")], [*named("a"), *said("b", "c")], ["a", "b", "c"]),
    "the string 1 is not the number 1": ([{"id": 1, "content": "n"}], [{"id": "1", "content": "s"}], ["n", "s"]),
}


@pytest.mark.parametrize(("log", "sent", "texts"), MERGES.values(), ids=MERGES)
def test_merge(log, sent, texts):
    chat = MemoryChat()
    chat.merge(log)
    chat.merge(sent)
    assert chat.texts == texts


A = {"id": "a", "role": "agent", "content": "draft", "meta": {"model": "x", "score": 1}}
EDITS = {
    "a new wording": ({"id": "a", "content": "final"}, {**A, "content": "final"}),
    "unsent fields stay": ({"id": "a"}, A),
    "a field is a value, replaced whole": ({"id": "a", "meta": {"score": 2}}, {**A, "meta": {"score": 2}}),
    "null is a value": ({"id": "a", "meta": None}, {**A, "meta": None}),
    "a new field": ({"id": "a", "pinned": True}, {**A, "pinned": True}),
    "true is not 1": ({"id": "a", "meta": {"model": "x", "score": True}}, {**A, "meta": {"model": "x", "score": True}}),
}


@pytest.mark.parametrize(("sent", "stored"), EDITS.values(), ids=EDITS)
def test_edit(sent, stored):
    chat = MemoryChat()
    chat.merge([A, *named("b")])
    update = chat.merge([sent])
    assert chat.stored == [stored, *named("b")]
    assert repr(chat.stored[0]) == repr(stored)
    assert bool(update) == (stored != A or repr(stored) != repr(A))


def test_a_message_without_id_gets_one_that_is_the_hash_of_what_it_says():
    chat = MemoryChat()
    chat.merge(stamped("01"))
    assert chat.shown == [{"id": server_id(stamped("01")[0]), **stamped("01")[0]}]
    assert chat.shown[0]["id"].startswith("msg_")


def test_the_server_s_id_matches_with_and_without():
    chat = MemoryChat()
    chat.merge([*said("a", "a"), *stamped("01")])
    assert not chat.merge(chat.shown)
    assert not chat.merge(chat.shown[1:])
    assert not chat.merge(chat.stored)
    assert len({message["id"] for message in chat.shown}) == 3


def test_a_text_and_its_own_server_id_in_one_update_stay_apart():
    chat = MemoryChat()
    both = [*said("ok"), {"id": server_id(said("ok")[0]), **said("ok")[0]}]
    chat.merge(both)
    assert chat.texts == ["ok", "ok"]
    assert not chat.merge(both)


def test_an_id_that_the_next_repeat_would_get_is_no_obstacle():
    chat = MemoryChat()
    chat.merge([*said("a"), {"id": "x", "content": "x"}])
    first, second = server_id(said("a")[0], 5), server_id(said("a")[0], 5, 1)
    chat.merge([{"id": first, "content": "forged"}, {"id": second, "content": "too"}])
    chat.merge(said("a"))
    assert chat.texts == ["a", "x", "forged", "too", "a"]


def test_absent_and_null_timestamps_are_two_messages():
    chat = MemoryChat()
    chat.merge([{"role": "u", "content": "a", "timestamp": None}])
    chat.merge([{"role": "u", "content": "a"}])
    assert len(chat.entries) == 2


def test_an_edit_by_the_server_s_id_is_not_undone_by_a_stale_copy():
    chat = MemoryChat()
    chat.merge(stamped("01", "02"))
    stale = chat.stored
    chat.merge([{"id": chat.shown[0]["id"], "content": "better"}])
    assert not chat.merge(stale)
    assert chat.texts == ["better", "02"]


def test_long_ids_have_bounded_keys():
    assert len(key_of_id("x" * 100_000)) < 80
    assert key_of_id("x" * 100_000) != key_of_id("x" * 100_001)


@pytest.mark.parametrize("length", [63, 64, 65, 127, 128, 129, 300])
def test_block_edges(length):
    chat = MemoryChat()
    history = said(*[str(i) for i in range(length)])
    chat.merge(history[:-1])
    chat.merge(history)
    assert chat.stored == history
    assert len(chat.logs[DIGESTS].entries) == length // 64
    assert not chat.merge(history)
    assert not chat.merge(chat.shown)


def test_a_known_prefix_costs_one_digest_per_block():
    chat = MemoryChat()
    history = said(*[str(i) for i in range(5000)])
    chat.merge(history)
    chat.logs[HISTORY].rows_read = chat.logs[DIGESTS].rows_read = 0
    chat.merge(history + said("question", "answer"))
    assert len(chat.entries) == 5002
    assert chat.logs[DIGESTS].rows_read <= 5000 // 64
    assert chat.logs[HISTORY].rows_read <= 2 * 64
    assert chat.calls["matching_blocks"] == 1


def test_only_an_edited_block_is_read():
    chat = MemoryChat()
    history = stamped(*[str(i) for i in range(640)])
    chat.merge(history)
    chat.logs[HISTORY].rows_read = 0
    edited = [*history[:100], {**history[100], "rating": 5}, *history[101:]]
    assert len(chat.merge(edited).change.edited) == 1
    assert chat.logs[HISTORY].rows_read <= 2 * 64
    chat.logs[HISTORY].rows_read = 0
    assert not chat.merge(edited)
    assert chat.logs[HISTORY].rows_read == 0


def test_known_blocks_behind_a_changed_start_are_no_snapshot():
    history = said(*[str(i) for i in range(200)])
    chat = MemoryChat()
    chat.merge(history)
    chat.merge([*said("x"), *history[1:]])
    assert chat.texts == [str(i) for i in range(200)] + ["x"] + [str(i) for i in range(1, 200)]


def test_the_last_wording_wins_also_when_it_is_the_known_one():
    history = named(*[str(i) for i in range(200)])
    chat = MemoryChat()
    chat.merge(history)
    assert not chat.merge([*history[:3], {"id": "100", "content": "early"}, *history[4:]])
    assert chat.texts[100] == "100"
    chat.merge([*history, {"id": "100", "content": "late"}])
    assert chat.texts[100] == "late"


def test_a_delta_reads_what_it_names():
    chat = MemoryChat()
    chat.merge(stamped(*[str(i) for i in range(1000)]))
    chat.logs[HISTORY].rows_read = 0
    chat.merge(stamped("1000", "1001"))
    assert chat.logs[HISTORY].rows_read == 2


def test_a_replacement_opens_a_new_generation():
    chat = MemoryChat()
    chat.merge(said("a", "b"))
    chat.replace(said("b"))
    assert (chat.texts, chat.logs[HISTORY].generation) == (["b"], 2)


def test_a_replacement_by_the_same_changes_nothing():
    chat = MemoryChat()
    chat.merge([*named("a"), *said(*[str(i) for i in range(100)])])
    assert not chat.replace(chat.shown)
    assert not chat.replace(chat.stored)
    assert not chat.replace([*chat.stored, *named("a")])
    assert chat.logs[HISTORY].generation == 1


def test_a_replacement_by_fewer_fields_is_a_change():
    chat = MemoryChat()
    chat.merge([A])
    assert chat.replace([{"id": "a", "content": "draft"}])
    assert chat.stored == [{"id": "a", "content": "draft"}]


NOT_MESSAGES = {
    "a text": (["hi"], "h[0]"),
    "null": ([{}, None], "h[1]"),
    "a list": ([[]], "h[0]"),
    "an id that is true": ([{"id": True}], "h[0].id"),
    "an id that is a fraction": ([{"id": 1.5}], "h[0].id"),
    "an id that is null": ([{"id": None}], "h[0].id"),
    "an id that is an object": ([{"id": {}}], "h[0].id"),
}


@pytest.mark.parametrize(("history", "parameter"), NOT_MESSAGES.values(), ids=NOT_MESSAGES)
def test_what_is_not_a_message(history, parameter):
    with pytest.raises(IntentError) as caught:
        check_messages(history, "h")
    assert caught.value.details["parameter"] == parameter
