"""The chat realm on the whole way of an intent: replays, conflicts, concurrent writers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from symphainy_platform import Identity, IntentError, Platform, Settings
from symphainy_platform.realms.coexistence.chat_history import DIGESTS, HISTORY
from symphainy_platform.realms.coexistence.history_blocks import describe_block
from symphainy_platform.state.store import LogRange, load_one

ALICE = Identity(tenant_id="t1", user_id="alice")
BOB = Identity(tenant_id="t1", user_id="bob")
HI = {"role": "user", "content": "hi", "timestamp": "2026-01-27T12:00:00Z"}


@dataclass
class SetClock:
    moment: datetime = datetime(2026, 1, 27, 12, 0, tzinfo=UTC)

    def now(self):
        return self.moment

    def advance(self, **span):
        self.moment += timedelta(**span)


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
async def platform(tmp_path, clock):
    settings = Settings(home=tmp_path, store=f"sqlite:///{tmp_path}/platform.db")
    async with Platform.open(settings, clock=clock) as opened:
        yield opened


async def submit(platform, intent, parameters=None, identity=ALICE):
    return await platform.submit_intent(intent, parameters or {}, identity=identity)


async def session(platform, intent, parameters=None, identity=ALICE):
    result = await submit(platform, intent, parameters, identity)
    return result.artifacts["chat_session"]["semantic_payload"]


async def update(platform, updates, **parameters):
    return await session(platform, "update_chat_context", {"context_updates": updates, **parameters})


async def log(platform, shown, name):
    session_id = shown["chat_session_id"]
    whole = LogRange(tenant_id="t1", artifact_id=session_id, log=name, generation=1, first=1, last=1000)
    return await load_one(platform.store, whole)


async def refusal(call):
    with pytest.raises(IntentError) as caught:
        await call
    return caught.value


async def test_the_seed_s_own_call_uses_the_active_session(platform):
    started = await session(platform, "initialize_chat_session")
    history = [HI, {"role": "agent", "content": "hello", "timestamp": "2026-01-27T12:00:01Z"}]
    shown = await update(platform, {"conversation_history": history, "shared_intent": "greet"})
    assert shown["chat_session_id"] == started["chat_session_id"]
    assert [message["content"] for message in shown["context"]["conversation_history"]] == ["hi", "hello"]
    assert shown["context"]["shared_intent"] == "greet"


async def test_without_a_session_there_is_nothing_to_update(platform):
    assert (await refusal(update(platform, {}))).code == "SESSION_NOT_FOUND"
    assert await session(platform, "get_chat_session") == {"exists": False}


async def test_a_foreign_session_is_an_unknown_one(platform):
    mine = await session(platform, "initialize_chat_session")
    named = {"chat_session_id": mine["chat_session_id"]}
    for parameters in (named, {"chat_session_id": "019bff53-0000-7000-8000-000000000000"}):
        error = await refusal(submit(platform, "get_chat_session", parameters, BOB))
        assert (error.code, error.http_status) == ("SESSION_NOT_FOUND", 404)


async def test_two_clicks_make_one_session(platform, clock):
    first = await submit(platform, "initialize_chat_session")
    clock.advance(seconds=59)
    second = await submit(platform, "initialize_chat_session", {"active_agent": "liaison_content"})
    assert (second.execution_id, second.idempotent_replay) == (first.execution_id, True)
    assert second.artifacts == first.artifacts
    clock.advance(seconds=2)
    third = await submit(platform, "initialize_chat_session")
    assert third.artifacts["chat_session"] != first.artifacts["chat_session"]


async def test_a_b_a_is_three_updates(platform):
    await submit(platform, "initialize_chat_session")
    versions = [(await update(platform, {"shared_intent": intent}))["version"] for intent in ("a", "b", "a")]
    assert versions == [2, 3, 4]


async def test_the_same_update_twice_is_one(platform):
    await submit(platform, "initialize_chat_session")
    parameters = {"context_updates": {"conversation_history": [HI, HI]}}
    first = await submit(platform, "update_chat_context", parameters)
    again = await submit(platform, "update_chat_context", parameters)
    assert (again.execution_id, again.artifacts, again.idempotent_replay) == (first.execution_id, first.artifacts, True)


async def test_an_update_that_changes_nothing_answers_as_a_replay(platform):
    await submit(platform, "initialize_chat_session")
    whole = {"conversation_history": [HI], "shared_intent": "x"}
    first = await submit(platform, "update_chat_context", {"context_updates": whole})
    nothing = await submit(platform, "update_chat_context", {"context_updates": {"shared_intent": "x"}})
    assert (nothing.idempotent_replay, nothing.execution_id, list(nothing.events)) == (True, first.execution_id, [])
    assert nothing.artifacts == first.artifacts


async def test_a_retry_after_a_lost_answer_succeeds_and_a_stale_writer_does_not(platform):
    await submit(platform, "initialize_chat_session")
    first = await update(platform, {"a": 1}, expected_version=1)
    assert await update(platform, {"a": 1}, expected_version=1) == first
    error = await refusal(update(platform, {"a": 2}, expected_version=1))
    assert (error.code, error.details["current_version"]) == ("VERSION_CONFLICT", 2)


async def test_a_message_that_is_none_is_refused_by_name(platform):
    await submit(platform, "initialize_chat_session")
    error = await refusal(update(platform, {"conversation_history": ["hi"]}))
    assert (error.code, error.http_status) == ("INVALID_PARAMETER_TYPE", 422)
    assert error.details["parameter"] == "context_updates.conversation_history[0]"


LIMITS = {
    "one update": ("chat_context_max_bytes", 1024, {"a": "x" * 2000}),
    "the head": ("chat_context_max_bytes", 1024, {"a": "x" * 600}),
    "the log": ("chat_history_max_messages", 1, {"conversation_history": [{"id": 1}]}),
}


@pytest.mark.parametrize(("setting", "limit", "updates"), LIMITS.values(), ids=LIMITS)
async def test_limits(tmp_path, setting, limit, updates):
    store = f"sqlite:///{tmp_path}/platform.db"
    async with Platform.open(Settings(home=tmp_path, store=store, **{setting: limit})) as platform:
        context = {"b": "x" * 600, "conversation_history": [HI]}
        before = await session(platform, "initialize_chat_session", {"initial_context": context})
        error = await refusal(update(platform, updates))
        assert (error.code, error.http_status) == ("CONTEXT_TOO_LARGE", 413)
        after = await session(platform, "get_chat_session")
        assert (after["version"], after["context"]) == (1, before["context"])


async def test_too_deep(platform):
    await submit(platform, "initialize_chat_session")
    value = 1
    for _ in range(33):
        value = {"a": value}
    assert (await refusal(update(platform, value))).code == "CONTEXT_MERGE_FAILED"


async def test_fifty_writers_lose_nothing(platform):
    started = await session(platform, "initialize_chat_session")

    async def writer(name):
        for turn in range(10):
            said = {"role": "user", "content": f"{name}/{turn}", "timestamp": f"{turn}"}
            updates = {"conversation_history": [said], "pillar_context": {"seen": {f"{name}/{turn}": True}}}
            await update(platform, updates, history_limit=0)

    await asyncio.gather(*(writer(name) for name in range(50)))
    shown = await session(platform, "get_chat_session", {"chat_session_id": started["chat_session_id"]})
    said = {f"{name}/{turn}" for name in range(50) for turn in range(10)}
    assert {message["content"] for message in shown["context"]["conversation_history"]} == said
    assert len(shown["context"]["conversation_history"]) == 500
    assert set(shown["context"]["pillar_context"]["seen"]) == said
    assert shown["version"] == 501
    entries, digests = await asyncio.gather(log(platform, shown, HISTORY), log(platform, shown, DIGESTS))
    assert [entry.seq for entry in entries] == list(range(1, 501))
    assert [entry.body for entry in digests] == [describe_block(entries[i : i + 64]) for i in range(0, 448, 64)]
    echo = await update(platform, {"conversation_history": shown["context"]["conversation_history"]})
    assert echo["version"] == 501


async def test_the_history_can_be_paged_from_its_end(platform):
    messages = [{"id": number, "content": "x"} for number in range(10)]
    await submit(platform, "initialize_chat_session", {"initial_context": {"conversation_history": messages}})
    seen, cursor = [], {}
    while True:
        page = await session(platform, "get_chat_session", {"history_limit": 4, **cursor})
        seen = page["context"]["conversation_history"] + seen
        if page["history_before_seq"] is None:
            break
        cursor = {"before_seq": page["history_before_seq"]}
    assert seen == messages


async def test_the_record_describes_the_session_as_its_contract_says(platform):
    started = (await session(platform, "initialize_chat_session"))["chat_session_id"]
    await submit(platform, "update_chat_context", {"context_updates": {}, "active_agent": "liaison_content"})
    record = await platform.read.artifact(started, identity=ALICE)
    assert record["semantic_descriptor"] == {"kind": "conversation", "active_agent": "liaison_content"}
    assert record["materializations"] == [{"table": "chat_sessions"}, {"log": "conversation_history"}]
    first = await platform.read.version(started, 1, identity=ALICE)
    assert first["semantic_descriptor"]["active_agent"] == "guide"
