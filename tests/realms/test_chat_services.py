"""The three chat services on a real store: what they stage, what a caller sees."""

from __future__ import annotations

import copy
import json
import sqlite3

import pytest

from symphainy_platform.errors import IntentError
from symphainy_platform.state.store import ArtifactById, LogRange, load_one

HI = {"role": "user", "content": "hi", "timestamp": "2026-01-27T12:00:00Z"}
HELLO = {"role": "agent", "content": "hello", "timestamp": "2026-01-27T12:00:01Z"}


def rows(chat, session_id):
    with sqlite3.connect(chat.settings.home / "platform.db") as database:
        database.row_factory = sqlite3.Row
        found = database.execute("select * from chat_sessions where chat_session_id = ?", [session_id]).fetchall()
    database.close()
    return [dict(row) for row in found]


async def refused(call):
    with pytest.raises(IntentError) as caught:
        await call
    return caught.value


async def test_a_new_session_is_empty_and_active(chat):
    session_id = await chat.initialize()
    shown = await chat.shown(session_id)
    assert shown["context"] == {}
    assert (shown["version"], shown["lifecycle_state"], shown["active_agent"]) == (1, "ACTIVE", "guide")
    assert (shown["user_id"], shown["tenant_id"], shown["chat_session_id"]) == ("u1", "t1", session_id)
    assert shown["created_at"] == shown["updated_at"]


async def test_a_new_session_keeps_its_initial_context(chat):
    sent = {"conversation_history": [HI, HI, HELLO], "shared_intent": None, "free": [1]}
    shown = await chat.shown(await chat.initialize(sent, "liaison_content"))
    history = shown["context"].pop("conversation_history")
    assert shown["context"] == {"shared_intent": None, "free": [1]}
    assert [message["content"] for message in history] == ["hi", "hello"]
    assert (shown["version"], shown["active_agent"]) == (1, "liaison_content")


async def test_a_new_session_has_its_domain_row(chat):
    session_id = await chat.initialize()
    [row] = rows(chat, session_id)
    assert (row["tenant_id"], row["user_id"], row["lifecycle_state"], row["version"]) == ("t1", "u1", "ACTIVE", 1)


async def test_the_events_name_session_and_version(chat):
    session_id = await chat.initialize()
    result = await chat.update(session_id, {"shared_intent": "x"})
    assert list(result.events) == [
        {"type": "chat_context_updated", "chat_session_id": session_id, "version": 2, "active_agent": "guide"}
    ]


async def test_get_without_any_session(chat):
    result = await chat.get(None)
    assert result.artifacts == {"chat_session": {"exists": False}}
    assert result.events == [{"type": "chat_session_not_found"}]


async def test_get_says_that_the_session_exists_and_stages_nothing(chat):
    session_id = await chat.initialize()
    result = await chat.get(session_id)
    assert result.artifacts["chat_session"].extra == {"exists": True}
    assert result.events == [{"type": "chat_session_retrieved", "chat_session_id": session_id, "version": 1}]
    assert not chat.staged


async def test_foreign_and_unknown_sessions_look_the_same(chat):
    session_id = await chat.initialize()
    unknown = "019bff53-0000-7000-8000-000000000000"
    foreign = await refused(chat.get(session_id, user_id="u2"))
    missing = await refused(chat.get(unknown))
    assert (foreign.code, foreign.details) == (missing.code, missing.details) == ("SESSION_NOT_FOUND", {})
    assert (await refused(chat.update(unknown, {}))).code == "SESSION_NOT_FOUND"


SHARED = {
    "objects merge": (
        {"pillar_context": {"a": {"x": 1}}},
        {"pillar_context": {"a": {"y": 2}}},
        {"a": {"x": 1, "y": 2}},
    ),
    "arrays are values": ({"pillar_context": {"a": [1, 2]}}, {"pillar_context": {"a": [3]}}, {"a": [3]}),
    "null is a value": ({"pillar_context": {"a": 1}}, {"pillar_context": {"a": None}}, {"a": None}),
    "a change of type": ({"pillar_context": {"a": {"x": 1}}}, {"pillar_context": {"a": 5}}, {"a": 5}),
    "and back": ({"pillar_context": {"a": 5}}, {"pillar_context": {"a": {"x": 1}}}, {"a": {"x": 1}}),
    "an empty object": ({"pillar_context": {"a": 1}}, {"pillar_context": {}}, {"a": 1}),
}


@pytest.mark.parametrize(("first", "second", "merged"), SHARED.values(), ids=SHARED)
async def test_shared_keys(chat, first, second, merged):
    session_id = await chat.initialize(first)
    untouched = copy.deepcopy(second)
    await chat.update(session_id, second)
    assert await chat.context(session_id) == {"pillar_context": merged}
    assert second == untouched


UNCHANGED = {
    "nothing": {},
    "an empty history": {"conversation_history": []},
    "what is known": {"conversation_history": [HI], "shared_intent": "x"},
    "a part of it": {"pillar_context": {"content": {}}},
    "an integral float": {"pillar_context": {"content": {"files": 2.0}}},
}


@pytest.mark.parametrize("updates", UNCHANGED.values(), ids=UNCHANGED)
async def test_an_update_that_changes_nothing_stages_nothing(chat, updates):
    context = {"conversation_history": [HI], "shared_intent": "x", "pillar_context": {"content": {"files": 2}}}
    session_id = await chat.initialize(context)
    result = await chat.update(session_id, updates)
    assert not chat.staged
    assert list(result.events) == []
    assert result.artifacts["chat_session"].version == 1


CHANGED = {
    "true for 1": {"flag": True},
    "another text": {"shared_intent": "y"},
    "null for a text": {"shared_intent": None},
    "a null that nobody set": {"agent_metadata": {"mood": None}},
    "a message": {"conversation_history": [HI, HELLO]},
}


@pytest.mark.parametrize("updates", CHANGED.values(), ids=CHANGED)
async def test_an_update_makes_one_version(chat, updates):
    session_id = await chat.initialize({"conversation_history": [HI], "shared_intent": "x", "flag": 1})
    result = await chat.update(session_id, updates)
    assert result.artifacts["chat_session"].version == 2
    assert len(chat.staged.artifacts) == len(chat.staged.rows) == 1


async def test_a_change_of_agent_is_a_change(chat):
    session_id = await chat.initialize()
    await chat.update(session_id, {}, active_agent="liaison_content")
    assert (await chat.shown(session_id))["active_agent"] == "liaison_content"
    await chat.update(session_id, {}, active_agent="liaison_content")
    assert not chat.staged


async def test_keys_that_nobody_set_stay_absent(chat):
    session_id = await chat.initialize()
    await chat.update(session_id, {"conversation_history": [], "free": 1})
    assert await chat.context(session_id) == {"free": 1}


WRONG = {
    "history": ({"conversation_history": {}}, "context_updates.conversation_history"),
    "a null history": ({"conversation_history": None}, "context_updates.conversation_history"),
    "message": ({"conversation_history": [HI, "hi"]}, "context_updates.conversation_history[1]"),
    "message id": ({"conversation_history": [{"id": 1.5}]}, "context_updates.conversation_history[0].id"),
    "intent": ({"shared_intent": 1}, "context_updates.shared_intent"),
    "pillars": ({"pillar_context": []}, "context_updates.pillar_context"),
    "metadata": ({"agent_metadata": None}, "context_updates.agent_metadata"),
}


@pytest.mark.parametrize("strategy", ["merge", "replace"])
@pytest.mark.parametrize(("updates", "parameter"), WRONG.values(), ids=WRONG)
async def test_reserved_keys_keep_their_types(chat, updates, parameter, strategy):
    session_id = await chat.initialize({"conversation_history": [HI]})
    error = await refused(chat.update(session_id, updates, merge_strategy=strategy))
    assert (error.code, error.details["parameter"]) == ("INVALID_PARAMETER_TYPE", parameter)
    assert (await chat.shown(session_id))["version"] == 1


async def test_initial_context_is_checked_alike(chat):
    error = await refused(chat.initialize({"conversation_history": [1]}))
    assert error.details["parameter"] == "initial_context.conversation_history[0]"


async def test_replace_swaps_everything_and_the_old_stays_readable(chat):
    session_id = await chat.initialize({"conversation_history": [HI, HELLO], "a": 1})
    await chat.update(session_id, {"b": 2}, merge_strategy="replace")
    assert await chat.context(session_id) == {"b": 2}
    old = await load_one(chat.store, ArtifactById("t1", session_id, 1))
    log = LogRange(
        tenant_id="t1",
        artifact_id=session_id,
        log="conversation_history",
        generation=old.log_head("conversation_history").generation,
        first=1,
        last=9,
        version=1,
    )
    assert [entry.body for entry in await load_one(chat.store, log)] == [HI, HELLO]


async def test_replace_with_an_empty_history_keeps_the_key(chat):
    session_id = await chat.initialize({"conversation_history": [HI]})
    await chat.update(session_id, {"conversation_history": []}, merge_strategy="replace")
    assert await chat.context(session_id) == {"conversation_history": []}
    await chat.update(session_id, {"conversation_history": []}, merge_strategy="replace")
    assert not chat.staged


async def test_replace_by_the_same_stages_nothing(chat):
    context = {"conversation_history": [HI, HELLO], "a": {"b": 1}}
    session_id = await chat.initialize(context)
    await chat.update(session_id, context, merge_strategy="replace")
    assert not chat.staged


async def test_replace_and_merge_again(chat):
    session_id = await chat.initialize({"conversation_history": [HI]})
    for strategy, sent in [("replace", [HELLO]), ("merge", [HELLO, HI]), ("replace", [HI]), ("merge", [HI, HELLO])]:
        await chat.update(session_id, {"conversation_history": sent}, merge_strategy=strategy)
    assert [message["content"] for message in await chat.history(session_id)] == ["hi", "hello"]


async def test_a_stale_writer_is_told_the_current_version(chat):
    session_id = await chat.initialize()
    await chat.update(session_id, {"a": 1}, expected_version=1)
    error = await refused(chat.update(session_id, {"a": 1}, expected_version=1))
    assert (error.code, error.details["current_version"]) == ("VERSION_CONFLICT", 2)


async def test_an_edit_keeps_the_old_wording_in_the_old_version(chat):
    named = {"id": "m", "role": "agent", "content": "draft"}
    session_id = await chat.initialize({"conversation_history": [named]})
    await chat.update(session_id, {"conversation_history": [{"id": "m", "content": "final"}]})
    assert await chat.history(session_id) == [{**named, "content": "final"}]
    read = LogRange(
        tenant_id="t1", artifact_id=session_id, log="conversation_history", generation=1, first=1, last=1, version=1
    )
    assert [entry.body for entry in await load_one(chat.store, read)] == [named]


async def test_the_history_is_stored_in_the_log_alone(chat):
    session_id = await chat.initialize({"conversation_history": [HI], "a": 1})
    await chat.update(session_id, {"conversation_history": [HI, HELLO]})
    [row] = rows(chat, session_id)
    assert json.loads(row["context"]) == {"a": 1}
    [write] = chat.staged.artifacts.values()
    assert write.artifact.semantic_payload["context"] == {"a": 1}
    assert [entry.body for entry in chat.staged.entries] == [json.dumps(HELLO, separators=(",", ":"))]


def nested(levels):
    value = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


async def test_32_levels_are_merged_and_33_are_not(chat):
    session_id = await chat.initialize()
    await chat.update(session_id, nested(32))
    assert (await refused(chat.update(session_id, nested(33)))).code == "CONTEXT_MERGE_FAILED"
    assert await chat.context(session_id) == nested(32)


async def test_32_levels_count_a_message_s_place(chat):
    session_id = await chat.initialize()
    await chat.update(session_id, {"conversation_history": [nested(30)]})
    error = await refused(chat.update(session_id, {"conversation_history": [nested(31)]}))
    assert error.code == "CONTEXT_MERGE_FAILED"


NFC, NFD = "\u00e9", "e\u0301"
ONE_KEY_TWICE = {
    "in the update": {NFC: 1, NFD: 2},
    "with the context": {NFD: 2},
    "in a new message": {"conversation_history": [{NFC: 1, NFD: 2}]},
    "in an edited message": {"conversation_history": [{"id": 1, NFD: 2}]},
}


@pytest.mark.parametrize("updates", ONE_KEY_TWICE.values(), ids=ONE_KEY_TWICE)
async def test_keys_that_are_one_key_in_nfc_cannot_be_merged(chat, updates):
    session_id = await chat.initialize({NFC: 1, "conversation_history": [{"id": 1, NFC: 1}]})
    assert (await refused(chat.update(session_id, updates))).code == "CONTEXT_MERGE_FAILED"


async def test_the_head_has_a_limit(chat):
    chat.settings = chat.settings.model_copy(update={"chat_context_max_bytes": 100})
    session_id = await chat.initialize({"a": "x" * 80})
    error = await refused(chat.update(session_id, {"b": "x" * 80}))
    assert (error.code, error.details["limit"]) == ("CONTEXT_TOO_LARGE", 100)
    await chat.update(session_id, {"conversation_history": [{**HI, "content": "x" * 500}]})
    assert (await chat.shown(session_id))["version"] == 2


async def test_the_log_has_its_own_limit(chat):
    chat.settings = chat.settings.model_copy(update={"chat_history_max_messages": 2})
    session_id = await chat.initialize({"conversation_history": [HI, HELLO]})
    error = await refused(chat.update(session_id, {"conversation_history": [{"id": 1}]}))
    assert (error.code, error.details["limit"]) == ("CONTEXT_TOO_LARGE", 2)
    assert len(await chat.history(session_id)) == 2


async def test_messages_that_come_without_an_id_get_one(chat):
    session_id = await chat.initialize({"conversation_history": [HI]})
    [message] = await chat.history(session_id)
    assert message.pop("id").startswith("msg_")
    assert message == HI


async def test_the_whole_history_in_every_call_writes_only_what_is_new(chat):
    session_id = await chat.initialize()
    history = []
    for turn in range(70):
        history += [{"role": "user", "content": f"q{turn}"}, {"role": "agent", "content": f"a{turn}"}]
        await chat.update(session_id, {"conversation_history": history})
        assert len(chat.staged.entries) <= 3
    assert [message["content"] for message in await chat.history(session_id)] == [m["content"] for m in history]


async def test_bytes_written_per_turn_do_not_grow(chat):
    async def turn_bytes(length):
        history = [{"role": "user", "content": f"message {i:06}", "timestamp": f"{i:06}"} for i in range(length)]
        session_id = await chat.initialize({"conversation_history": history})
        history += [{"role": "user", "content": "new", "timestamp": "n"}]
        await chat.update(session_id, {"conversation_history": history})
        [write] = chat.staged.artifacts.values()
        return len(repr(write.artifact.semantic_payload)) + sum(len(entry.body) for entry in chat.staged.entries)

    assert await turn_bytes(2000) <= 1.2 * await turn_bytes(10)
