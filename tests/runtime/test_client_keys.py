"""A client's Idempotency-Key: the stored answer for a day, whatever has happened since."""

import asyncio

import pytest
from runtime_callers import ANN, BOB, EVE, ROBOT, Caller


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


async def test_a_clients_key_replays_after_other_writes(ann, note, database):
    first = await ann("edit_note", "k1", note_id=note, text="A")
    await ann("edit_note", "k2", note_id=note, text="B")
    again = await ann("edit_note", "k1", note_id=note, text="A")
    assert again.to_dict() == {**first.to_dict(), "idempotent_replay": True}
    assert await texts(database, note) == [("B", 3)]


async def test_a_clients_key_survives_that_its_contract_key_is_taken_over(ann, note, database):
    first = await ann("edit_note", "k1", note_id=note, text="A")
    for text in ("B", "A", "B"):
        await ann("edit_note", note_id=note, text=text)
    again = await ann("edit_note", "k1", note_id=note, text="A")
    assert again.to_dict() == {**first.to_dict(), "idempotent_replay": True}
    assert await texts(database, note) == [("B", 5)]


async def test_a_clients_key_is_kept_although_the_contracts_key_answered(ann, clock):
    first = await ann("initialize_chat_session", "k1")
    second = await ann("initialize_chat_session", "k2")
    assert second.execution_id == first.execution_id
    clock.advance(minutes=5)
    again = await ann("initialize_chat_session", "k2")
    assert again.to_dict() == second.to_dict()
    assert session_of(await ann("initialize_chat_session", "k3")) != session_of(first)


async def test_a_clients_key_is_kept_although_nothing_changed(ann, note, database):
    first = await ann("edit_note", "k1", note_id=note, text="first")
    await ann("edit_note", note_id=note, text="second")
    again = await ann("edit_note", "k1", note_id=note, text="first")
    assert again.to_dict() == first.to_dict()
    assert await texts(database, note) == [("second", 2)]


async def test_a_clients_key_of_a_replayed_change_is_not_applied_again(ann, note, database):
    first = await ann("edit_note", note_id=note, text="A")
    await ann("edit_note", "k1", note_id=note, text="A")
    await ann("edit_note", note_id=note, text="B")
    again = await ann("edit_note", "k1", note_id=note, text="A")
    assert again.to_dict() == {**first.to_dict(), "idempotent_replay": True}
    assert await texts(database, note) == [("B", 3)]


REUSES = {
    "other parameters": ("edit_note", {"text": "B"}),
    "one parameter more": ("write_note", {"text": "A", "extra": {}}),
    "another intent": ("write_note", {"text": "A"}),
    "a read": ("read_note", {}),
}


@pytest.mark.parametrize(("intent", "changes"), REUSES.values(), ids=REUSES)
async def test_a_clients_key_with_anything_else_is_refused(ann, note, database, intent, changes):
    await ann("edit_note", "k1", note_id=note, text="A")
    params = {"note_id": note, "text": "A", **changes}
    wanted = {"edit_note": ["note_id", "text"], "write_note": ["text", "extra"], "read_note": ["note_id"]}[intent]
    sent = {name: params[name] for name in wanted if name in params}
    assert await ann.code(intent, "k1", **sent) == "IDEMPOTENCY_KEY_REUSED"
    assert await texts(database, note) == [("A", 2)]


async def test_a_default_that_is_sent_is_another_call(ann):
    """A client's key fingerprints what was sent; contract keys, what was meant."""
    await ann("initialize_chat_session", "k1")
    assert await ann.code("initialize_chat_session", "k1", active_agent="guide") == "IDEMPOTENCY_KEY_REUSED"


@pytest.mark.parametrize(("seconds", "replayed"), [(86_399, True), (86_400, False)])
async def test_a_clients_key_expires_after_a_day(ann, clock, seconds, replayed):
    first = await ann("write_note", "k1", text="x")
    clock.advance(seconds=seconds)
    again = await ann("write_note", "k1", text="x")
    assert (again.execution_id == first.execution_id, again.idempotent_replay) == (replayed, replayed)


async def test_an_expired_clients_key_may_mean_something_else(ann, clock):
    await ann("write_note", "k1", text="x")
    clock.advance(days=1)
    assert not (await ann("write_note", "k1", text="y")).idempotent_replay
    assert await ann.code("write_note", "k1", text="x") == "IDEMPOTENCY_KEY_REUSED"


async def test_a_clients_key_is_each_users_own(platform):
    ids = [(await Caller(platform, who)("write_note", "k1", text="x")).execution_id for who in (ANN, BOB, EVE, ROBOT)]
    assert len(set(ids)) == 4


async def test_a_read_with_a_key_answers_the_same_later(ann, note):
    first = await ann("read_note", "k1", note_id=note)
    await ann("edit_note", note_id=note, text="later")
    again = await ann("read_note", "k1", note_id=note)
    assert again.to_dict() == {**first.to_dict(), "idempotent_replay": True}
    session = await ann("initialize_chat_session")
    read = await ann("get_chat_session", "k2")
    await ann("update_chat_context", context_updates={"k": 1})
    assert answer_of(await ann("get_chat_session", "k2")) == answer_of(read)
    assert session_of(read) == session_of(session)


async def test_duplicates_with_a_clients_key_at_once_are_one(ann, database):
    results = await asyncio.gather(*(ann("write_note", "k1", text="x") for _ in range(20)))
    assert len({result.execution_id for result in results}) == 1
    assert [result.idempotent_replay for result in results].count(False) == 1
    assert database("SELECT count(*) FROM artifacts") == [(1,)]


async def test_different_calls_with_one_key_at_once_are_one_and_refusals(ann):
    calls = (ann("write_note", "k1", text=str(n)) for n in range(10))
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sorted(getattr(result, "code", "fine") for result in results) == ["IDEMPOTENCY_KEY_REUSED"] * 9 + ["fine"]


async def test_a_refused_key_did_nothing_to_its_first_answer(ann):
    first = await ann("write_note", "k1", text="x")
    await ann.code("write_note", "k1", text="y")
    assert (await ann("write_note", "k1", text="x")).execution_id == first.execution_id


async def test_a_clients_key_is_answered_before_anything_is_bound(ann, note, clock):
    """Also when the state that the call was about is gone by now."""
    edited = await ann("edit_note", "k1", note_id=note, text="A")
    await ann("close_note", note_id=note)
    again = await ann("edit_note", "k1", note_id=note, text="A")
    assert again.to_dict() == {**edited.to_dict(), "idempotent_replay": True}
    clock.advance(days=1)
    assert await ann.code("edit_note", "k1", note_id=note, text="A") == "NOTE_NOT_OPEN"
