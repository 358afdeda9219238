"""What a service raises: declared failures are completed, crashes leak nothing."""

import asyncio

import pytest

from symphainy_platform import IntentError


async def test_a_declared_failure_is_completed_from_the_contract(ann, scripted):
    async def refuse(*_):
        raise IntentError("REFUSED", details={"why": "rain"})

    scripted("write_note", refuse)
    failure = await ann.failure("write_note", text="x")
    assert failure.message == "Not today."
    assert (failure.kind.value, failure.retryable, failure.details) == ("conflict", True, {"why": "rain"})
    assert await ann.status(failure.execution_id) == {**failure.to_dict(), "status": "failed"}


@pytest.mark.parametrize(("code", "answered"), [("SESSION_NOT_ACTIVE", 409), ("NOT_IN_THE_CONTRACT", 500)])
async def test_a_failure_of_a_derived_key_is_the_contracts_too(platform, ann, monkeypatch, code, answered):
    await ann("initialize_chat_session")
    service = platform._parts.routes.resolve("update_chat_context", None).service

    def fail(_):
        raise IntentError(code)

    monkeypatch.setattr(service, "context_hash", fail)
    failure = await ann.failure("update_chat_context", context_updates={})
    assert failure.http_status == answered
    assert failure.code == {409: code, 500: "CONTRACT_VIOLATION"}[answered]
    assert failure.message


CRASHES = [
    ValueError("password=hunter2 /etc/passwd SELECT"),
    KeyError("x"),
    TimeoutError("mine"),
    OSError(28, "full"),
    SystemExit(3),
]


@pytest.mark.parametrize("crash", CRASHES, ids=lambda crash: type(crash).__name__)
async def test_a_crash_of_the_service_leaks_nothing(ann, scripted, database, crash):
    async def fail(ctx, _):
        ctx.state_surface.register_artifact("note", {"text": "x"})
        raise crash

    scripted("write_note", fail)
    failure = await ann.failure("write_note", text="x")
    assert failure.code == "HANDLER_ERROR"
    for told in (failure.to_dict(), await ann.status(failure.execution_id)):
        assert "hunter2" not in str(told)
        assert "passwd" not in str(told)
    assert database("SELECT * FROM artifacts") == []


async def test_a_service_whose_own_task_was_cancelled_has_a_code_too(ann, scripted):
    async def fail(*_):
        inner = asyncio.create_task(asyncio.Event().wait())
        inner.cancel()
        await inner

    scripted("write_note", fail)
    failure = await ann.failure("write_note", text="x")
    assert failure.code == "HANDLER_ERROR"
    assert (await ann.status(failure.execution_id))["status"] == "failed"


async def test_a_presenter_that_crashes_has_a_code_too(ann, shown, database):
    def fail(_):
        raise ValueError("hunter2")

    shown(fail)
    failure = await ann.failure("write_note", text="x")
    assert failure.code == "HANDLER_ERROR"
    assert "hunter2" not in str(failure.to_dict())
    assert "nothing was written" not in failure.message
    assert database("SELECT count(*) FROM artifacts") == [(1,)]
