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


CRASHES = [ValueError("password=hunter2 /etc/passwd SELECT"), KeyError("x"), TimeoutError("mine"), OSError(28, "full")]


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
