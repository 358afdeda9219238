"""The codes that older clients know: in every envelope of a failure that has one, and in no other."""

import pytest

from symphainy_platform import IntentError
from symphainy_platform.errors import SessionExpired, SessionTerminated


@pytest.fixture
async def closed(ann):
    note = (await ann("write_note", text="x")).events[0]["note_id"]
    await ann("close_note", note_id=note)
    return note


async def test_a_declared_legacy_code_is_in_the_envelope(ann, closed):
    failure = await ann.failure("praise_note", note_id=closed)
    assert failure.to_dict()["legacy_code"] == "N-002"
    assert failure.to_dict()["error_code"] == "NOTE_NOT_OPEN"


async def test_a_failure_without_one_has_no_such_field(ann, closed):
    failure = await ann.failure("edit_note", note_id=closed, text="y")
    assert "legacy_code" not in failure.to_dict()


async def test_a_service_that_raises_the_code_need_not_know_the_older_one(ann, scripted):
    async def refuse(*_):
        raise IntentError("NOTE_NOT_OPEN")

    note = (await ann("write_note", text="x")).events[0]["note_id"]
    scripted("praise_note", refuse)
    failure = await ann.failure("praise_note", note_id=note)
    assert failure.legacy_code == "N-002"
    assert await ann.status(failure.execution_id) == {**failure.to_dict(), "status": "failed"}


async def test_a_final_failure_is_replayed_with_it(ann, scripted, database):
    async def refuse(*_):
        raise IntentError("SETTLED")

    scripted("keep_note", refuse)
    first = await ann.failure("keep_note", name="n", text="x")
    again = await ann.failure("keep_note", name="n", text="x")
    assert first.to_dict()["legacy_code"] == "N-003"
    assert again.to_dict() == {**first.to_dict(), "trace_id": again.trace_id}
    assert again.execution_id == first.execution_id
    assert database("SELECT count(*) FROM executions") == [(1,)]


async def test_the_runtimes_own_legacy_code_is_there_undeclared(anybody, proving):
    async def prove(_):
        raise SessionExpired

    proving(prove)
    failure = await anybody.failure("greet_guest", words="t1 ann pass-1 -")
    assert (failure.code, failure.to_dict()["legacy_code"], failure.http_status) == (
        "SESSION_EXPIRED",
        "E-SESSION-001",
        401,
    )


async def test_and_not_where_the_page_has_none(anybody, proving):
    async def prove(_):
        raise SessionTerminated

    proving(prove)
    failure = await anybody.failure("greet_guest", words="t1 ann pass-1 -")
    assert (failure.code, failure.http_status) == ("SESSION_TERMINATED", 401)
    assert "legacy_code" not in failure.to_dict()
