"""Idempotency exactly as 10-runtime says it: windows, contract keys, and what is at rest."""

import asyncio
from datetime import UTC, datetime

import pytest
from notebook_realm.script import write_note
from runtime_callers import ANN, BOB, EVE, Caller

from symphainy_platform import IntentError, IntentResult


def session_of(result):
    return result.artifacts["chat_session"]["semantic_payload"]["chat_session_id"]


def answer_of(result):
    return {**result.to_dict(), "idempotent_replay": None}


async def texts(database, note):
    return database(
        "SELECT json_extract(semantic_payload, '$.text'), version FROM artifacts WHERE artifact_id = ?", note
    )


@pytest.fixture
async def note(ann):
    return (await ann("write_note", text="first")).events[0]["note_id"]


# ------------------------------------------------------------------------------------ windows


async def test_the_same_initialize_within_the_window_is_one_session(ann, clock, database):
    first = await ann("initialize_chat_session", active_agent="guide")
    clock.advance(seconds=59)
    again = await ann("initialize_chat_session", active_agent="liaison_data", initial_context={"x": 1})
    assert (first.idempotent_replay, again.idempotent_replay) == (False, True)
    assert answer_of(again) == answer_of(first)
    assert database("SELECT type FROM outbox") == [("chat_session_initialized",)]
    assert database("SELECT count(*) FROM executions") == [(1,)]


async def test_twenty_at_once_are_one_session_and_equal_answers(ann, database):
    results = await asyncio.gather(*(ann("initialize_chat_session") for _ in range(20)))
    assert [result.idempotent_replay for result in results].count(False) == 1
    assert all(answer_of(result) == answer_of(results[0]) for result in results)
    assert database("SELECT type FROM outbox") == [("chat_session_initialized",)]


async def test_a_minutes_edge_separates_nobody(ann, clock):
    clock.moment = datetime(2026, 1, 27, 12, 0, 59, tzinfo=UTC)
    first = await ann("initialize_chat_session")
    clock.moment = datetime(2026, 1, 27, 12, 1, 1, tzinfo=UTC)
    assert session_of(await ann("initialize_chat_session")) == session_of(first)


@pytest.mark.parametrize(("microseconds", "same"), [(59_999_999, True), (60_000_000, False), (60_000_001, False)])
async def test_the_window_ends_sixty_seconds_after_the_commit(ann, clock, microseconds, same):
    first = await ann("initialize_chat_session")
    clock.advance(microseconds=microseconds)
    assert (session_of(await ann("initialize_chat_session")) == session_of(first)) is same


async def test_replays_do_not_extend_the_window(ann, clock):
    first = await ann("initialize_chat_session")
    for _ in range(2):
        clock.advance(seconds=40)
        last = await ann("initialize_chat_session")
    assert session_of(last) != session_of(first)
    clock.advance(seconds=59)
    assert session_of(await ann("initialize_chat_session")) == session_of(last)


async def test_a_window_is_of_one_user_of_one_tenant(platform):
    sessions = {session_of(await Caller(platform, who)("initialize_chat_session")) for who in (ANN, BOB, EVE)}
    assert len(sessions) == 3


async def test_a_duplicate_waits_for_the_first_and_gets_its_answer(ann, scripted):
    started, go = asyncio.Event(), asyncio.Event()

    async def slowly(ctx, params):
        started.set()
        await go.wait()
        return await write_note(ctx, params)

    scripted("keep_note", slowly)
    first = asyncio.create_task(ann("keep_note", name="n", text="x"))
    await started.wait()
    second = asyncio.create_task(ann("keep_note", name="n", text="x"))
    done, _ = await asyncio.wait([second], timeout=0.02)
    assert not done
    go.set()
    assert answer_of(await second) == answer_of(await first)
    assert (await second).idempotent_replay


# ------------------------------------------------------------------------------------ contract keys


async def test_the_same_key_with_other_parameters_is_refused(ann):
    await ann("keep_note", name="n", text="x")
    failure = await ann.failure("keep_note", name="n", text="y")
    assert (failure.code, failure.http_status) == ("IDEMPOTENCY_KEY_REUSED", 422)
    assert (await ann("keep_note", name="n", text="x")).idempotent_replay


async def test_parts_of_a_key_are_not_glued_together(ann):
    await ann("keep_note", name="ab", text="c")
    assert not (await ann("keep_note", name="a", text="bc")).idempotent_replay


async def test_a_key_is_the_same_in_every_spelling(ann):
    await ann("keep_note", name="caf\u00e9", text="x")
    assert (await ann("keep_note", name="cafe\u0301", text="x")).idempotent_replay


async def test_a_key_lives_as_long_as_its_ttl(ann, clock):
    first = await ann("keep_note", name="n", text="x")
    clock.advance(minutes=59)
    assert (await ann("keep_note", name="n", text="x")).execution_id == first.execution_id
    clock.advance(minutes=1)
    assert not (await ann("keep_note", name="n", text="y")).idempotent_replay


async def test_failures_are_not_cached(ann, scripted):
    async def refuse(*_):
        raise IntentError("REFUSED")

    scripted("keep_note", refuse)
    assert await ann.code("keep_note", "key", name="n", text="x") == "REFUSED"
    scripted("keep_note", write_note)
    assert not (await ann("keep_note", "key", name="n", text="x")).idempotent_replay


@pytest.mark.parametrize("key", [None, "key"])
async def test_a_final_failure_is(ann, scripted, key):
    async def settle(*_):
        raise IntentError("SETTLED")

    scripted("keep_note", settle)
    first = await ann.failure("keep_note", key, name="n", text="x")
    scripted("keep_note", write_note)
    again = await ann.failure("keep_note", key, name="n", text="x")
    assert again.to_dict() == first.to_dict()
    assert (first.code, first.http_status) == ("SETTLED", 410)


async def test_a_b_a_is_three_changes(ann, note, database):
    for text in ("A", "B", "A"):
        assert not (await ann("edit_note", note_id=note, text=text)).idempotent_replay
    assert await texts(database, note) == [("A", 4)]
    assert database("SELECT count(*) FROM outbox WHERE type = 'note_edited'") == [(3,)]


async def test_a_repeated_change_is_a_replay_until_the_next_write(ann, note):
    first = await ann("edit_note", note_id=note, text="A")
    again = await ann("edit_note", note_id=note, text="A")
    assert again.to_dict() == {**first.to_dict(), "idempotent_replay": True}


async def test_an_unchanged_update_answers_as_a_replay_of_the_producer(ann, note, clock, database):
    produced = await ann("edit_note", note_id=note, text="A")
    clock.advance(hours=25)
    unchanged = await ann("edit_note", note_id=note, text="A")
    assert unchanged.to_dict() == {**produced.to_dict(), "events": [], "idempotent_replay": True}
    assert await texts(database, note) == [("A", 2)]


async def test_an_update_that_changes_nothing_of_a_new_note_answers_as_its_creation(ann, note, database):
    unchanged = await ann("edit_note", note_id=note, text="first")
    assert unchanged.events == []
    assert unchanged.idempotent_replay
    assert database("SELECT execution_id FROM executions") == [(unchanged.execution_id,)]


async def test_an_intent_that_ends_a_state_answers_its_duplicates(ann, note):
    first, again = await ann("close_note", note_id=note), await ann("close_note", note_id=note)
    assert again.to_dict() == {**first.to_dict(), "idempotent_replay": True}


async def test_a_replay_reaches_no_other_user(ann, bob, note):
    await ann("edit_note", note_id=note, text="A")
    assert await bob.code("edit_note", note_id=note, text="A") == "NOTE_NOT_FOUND"


async def test_no_key_is_computed_from_parameters_that_only_shape_the_answer(ann):
    await ann("initialize_chat_session", initial_context={"conversation_history": [{"content": "hi", "id": "1"}]})
    first = await ann("update_chat_context", context_updates={"k": 1}, history_limit=0)
    again = await ann("update_chat_context", context_updates={"k": 1}, history_limit=1)
    assert (again.execution_id, again.idempotent_replay) == (first.execution_id, True)
    assert len(again.artifacts["chat_session"]["semantic_payload"]["context"]["conversation_history"]) == 1


# ------------------------------------------------------------------------------------ expected_version


async def test_a_stale_expected_version_is_refused_with_the_current_one(ann):
    await ann("initialize_chat_session")
    await ann("update_chat_context", context_updates={"k": 1}, expected_version=1)
    failure = await ann.failure("update_chat_context", context_updates={"k": 2}, expected_version=1)
    assert failure.code == "VERSION_CONFLICT"
    assert failure.details["current_version"] == 2
    assert (failure.http_status, failure.retryable) == (409, False)  # the same call can never succeed
    assert "read it and decide anew" in failure.message


async def test_a_retry_after_a_lost_answer_succeeds(ann):
    await ann("initialize_chat_session")
    first = await ann("update_chat_context", context_updates={"k": 1}, expected_version=1)
    again = await ann("update_chat_context", context_updates={"k": 1}, expected_version=1)
    assert again.to_dict() == {**first.to_dict(), "idempotent_replay": True}


async def test_of_writers_with_one_expected_version_one_wins(ann):
    await ann("initialize_chat_session")
    updates = (ann("update_chat_context", context_updates={"k": n}, expected_version=1) for n in range(10))
    results = await asyncio.gather(*updates, return_exceptions=True)
    codes = sorted(getattr(result, "code", "fine") for result in results)
    assert codes == ["VERSION_CONFLICT"] * 9 + ["fine"]


# ------------------------------------------------------------------------------------ at rest


async def test_a_restart_changes_nothing(opened):
    async with opened() as platform:
        first = await Caller(platform, ANN)("keep_note", "k1", name="n", text="x")
    async with opened() as platform:
        again = await Caller(platform, ANN)("keep_note", "k1", name="n", text="x")
        by_contract = await Caller(platform, ANN)("keep_note", name="n", text="x")
    assert again.to_dict() == by_contract.to_dict() == {**first.to_dict(), "idempotent_replay": True}


async def test_keys_are_stored_as_digests_alone(ann, tmp_path):
    await ann("keep_note", "the-clients-own-key", name="the-name-of-it", text="x")
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("platform.db*"))
    assert b"the-clients-own-key" not in stored
    assert b"the-name-of-it" not in stored


async def test_a_crash_after_the_commit_and_before_the_answer_is_only_a_delay(ann, shown, database):
    def fail(_):
        raise ValueError

    shown(fail)
    failure = await ann.failure("keep_note", "k1", name="n", text="x")
    shown(lambda view: dict(view.artifact.semantic_payload))
    again = await ann("keep_note", "k1", name="n", text="x")
    assert (again.execution_id, again.idempotent_replay) == (failure.execution_id, True)
    assert database("SELECT count(*) FROM artifacts") == [(1,)]


async def test_a_replayed_plain_answer_equals_the_first(ann, scripted):
    async def mixed(ctx, params):
        result = await write_note(ctx, params)
        return IntentResult({"note": {"text": "plain"}}, result.events)

    scripted("keep_note", mixed)
    first = await ann("keep_note", name="n", text="x")
    assert answer_of(await ann("keep_note", name="n", text="x")) == answer_of(first)
