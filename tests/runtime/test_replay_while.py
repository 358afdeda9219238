"""`replay_while`: a stored answer is given only while the service stands by it; then it decides anew."""

import asyncio

import pytest
from notebook_realm.script import turn_page
from runtime_callers import ANN, Caller

from symphainy_platform import IntentError


@pytest.fixture
async def words(ann):
    note = (await ann("write_note", text="x")).events[0]["note_id"]
    return f"t1 ann pass-1 {note}"


def note_of(words):
    return words.split(" ")[3]


def text(answer):
    return answer.artifacts["note"]["semantic_payload"]["text"]


async def yes(*_):
    return True


async def no(*_):
    return False


def told(outbox):
    return [kind for (kind,) in outbox("SELECT type FROM outbox WHERE type LIKE 'page_%' ORDER BY id")]


async def test_while_the_service_says_yes_the_stored_answer_is_given(anybody, words, asked, database):
    first = await anybody("turn_page", words=words)
    asked(yes)
    again = await anybody("turn_page", words=words)
    assert again.to_dict() == {**first.to_dict(), "idempotent_replay": True}
    assert told(database) == ["page_turned"]


async def test_the_service_is_not_asked_about_a_first_call(anybody, words, asked):
    asked(lambda *_: pytest.fail("there is no stored answer"))
    await anybody("turn_page", words=words)


async def test_the_service_looks_at_the_present_before_it_answers(anybody, words, asked):
    seen = []

    async def look(ctx, params):
        note = await ctx.state_surface.get_artifact(ctx.facts["note_id"])
        seen.append((note.version, note.semantic_payload["text"], params.words, ctx.user_id))
        return note.version == 2

    asked(look)
    first = await anybody("turn_page", words=words)
    await anybody("turn_page", words=words)
    await anybody("turn_page", words=words.replace("pass-1", "pass-2"))
    late = await anybody("turn_page", words=words)
    assert seen == [(2, "x.", words, "ann"), (3, "x..", words, "ann")]
    assert (text(first), text(late), late.idempotent_replay) == ("x.", "x...", False)


async def test_a_new_decision_takes_the_key_over(anybody, words, asked, database):
    first = await anybody("turn_page", words=words)
    asked(no)
    second = await anybody("turn_page", words=words)
    asked(yes)
    third = await anybody("turn_page", words=words)
    assert second.execution_id != first.execution_id
    assert (third.execution_id, third.idempotent_replay, text(third)) == (second.execution_id, True, "x..")
    rows = database("SELECT execution_id FROM executions WHERE key_digest IS NOT NULL")
    assert rows == [(second.execution_id,)]


async def test_a_new_decision_that_fails_leaves_the_key_where_it_is(platform, anybody, words, asked, scripted):
    first = await anybody("turn_page", words=words)
    asked(no)

    async def refuse(*_):
        raise IntentError("PAGE_STUCK")

    scripted("turn_page", refuse)
    assert await anybody.code("turn_page", words=words) == "PAGE_STUCK"
    await platform.drain()
    asked(yes)
    assert (await anybody("turn_page", words=words)).execution_id == first.execution_id


async def test_a_failure_with_effects_commits_them_once(platform, anybody, words, asked, database):
    await anybody("turn_page", words=words)
    asked(no)
    calls = [anybody.failure("turn_page", words=words, tear=True) for _ in range(8)]
    failures = await asyncio.gather(*calls)
    assert sorted(failure.code for failure in failures) == ["NOTE_NOT_OPEN"] * 7 + ["PAGE_TORN"]
    torn = next(failure.execution_id for failure in failures if failure.code == "PAGE_TORN")
    assert told(database) == ["page_turned", "page_torn"]
    note = await platform.read.artifact(note_of(words), identity=ANN)
    assert (note["lifecycle_state"], note["produced_by"]["execution_id"]) == ("BURNT", torn)


async def test_a_failure_with_effects_is_committed_once_by_two_processes(opened, words, asked, database):
    async with opened() as one, opened() as other:
        callers = [Caller(one, None), Caller(other, None)]
        await callers[0]("turn_page", words=words)
        asked(no)
        failures = await asyncio.gather(*(caller.code("turn_page", words=words, tear=True) for caller in callers * 3))
    assert sorted(failures) == ["NOTE_NOT_OPEN"] * 5 + ["PAGE_TORN"]
    assert told(database) == ["page_turned", "page_torn"]


async def test_what_fails_after_a_first_success_is_replayed_while_the_service_says_yes(anybody, words):
    """The key holds what was decided first: an equal key with other parameters gets the stored answer, too."""
    first = await anybody("turn_page", words=words)
    again = await anybody("turn_page", words=words, tear=True)
    assert (again.execution_id, again.idempotent_replay) == (first.execution_id, True)


async def test_many_at_once_turn_one_page(anybody, words, database):
    answers = await asyncio.gather(*(anybody("turn_page", words=words) for _ in range(20)))
    assert len({answer.execution_id for answer in answers}) == 1
    assert sum(not answer.idempotent_replay for answer in answers) == 1
    assert told(database) == ["page_turned"]


async def test_many_at_once_in_two_processes_turn_one_page(opened, words, database):
    async with opened() as one, opened() as other:
        callers = [Caller(one, None), Caller(other, None)] * 5
        answers = await asyncio.gather(*(caller("turn_page", words=words) for caller in callers))
    assert len({answer.execution_id for answer in answers}) == 1
    assert told(database) == ["page_turned"]


async def test_of_many_at_once_the_first_decides_anew_and_the_others_get_its_answer(anybody, words, asked, database):
    first = await anybody("turn_page", words=words)

    async def since_then(ctx, _):
        note = await ctx.state_surface.get_artifact(ctx.facts["note_id"])
        return note.produced_by.execution_id != first.execution_id

    asked(since_then)
    answers = await asyncio.gather(*(anybody("turn_page", words=words) for _ in range(10)))
    assert len({answer.execution_id for answer in answers}) == 1
    assert sum(not answer.idempotent_replay for answer in answers) == 1
    assert told(database) == ["page_turned"] * 2


async def test_a_takeover_by_another_process_is_seen(opened, words, asked, monkeypatch, database):
    """Between our decision and our commit another process takes the key over: we ask again, and replay."""
    async with opened() as one, opened() as other:
        ours, theirs = Caller(one, None), Caller(other, None)
        first = await ours("turn_page", words=words)

        async def since_then(ctx, _):
            note = await ctx.state_surface.get_artifact(ctx.facts["note_id"])
            return note.produced_by.execution_id != first.execution_id

        asked(since_then)
        commit, faster = one.store.commit, []

        async def overtaken(batch):
            if not faster:
                faster.append(await theirs("turn_page", words=words))
            return await commit(batch)

        monkeypatch.setattr(one.store, "commit", overtaken)
        answer = await ours("turn_page", words=words)
    assert (answer.execution_id, answer.idempotent_replay) == (faster[0].execution_id, True)
    assert told(database) == ["page_turned"] * 2


async def test_a_wrong_state_is_not_looked_at_while_the_stored_answer_stands(anybody, ann, words, asked):
    first = await anybody("turn_page", words=words)
    await ann("close_note", note_id=note_of(words))
    assert (await anybody("turn_page", words=words)).execution_id == first.execution_id
    asked(no)
    assert await anybody.code("turn_page", words=words) == "NOTE_NOT_OPEN"


async def test_a_key_that_has_expired_is_not_asked_about(anybody, words, asked, clock, scripted):
    first = await anybody("turn_page", words=words)
    clock.advance(hours=1)
    asked(lambda *_: pytest.fail("it has expired"))
    scripted("turn_page", turn_page)
    assert (await anybody("turn_page", words=words)).execution_id != first.execution_id


REFUSALS = [
    (IntentError("PAGE_STUCK"), "PAGE_STUCK"),
    (IntentError("NOT_IN_THE_CONTRACT"), "CONTRACT_VIOLATION"),
    (ValueError("hunter2"), "HANDLER_ERROR"),
    (SystemExit(3), "HANDLER_ERROR"),
]


@pytest.mark.parametrize(("raised", "code"), REFUSALS, ids=lambda value: getattr(value, "code", None) or str(value))
async def test_a_question_that_fails_is_a_failure(anybody, words, asked, raised, code):
    async def fail(*_):
        raise raised

    await anybody("turn_page", words=words)
    asked(fail)
    failure = await anybody.failure("turn_page", words=words)
    assert failure.code == code
    assert failure.message
    assert "hunter2" not in str(failure.to_dict())
