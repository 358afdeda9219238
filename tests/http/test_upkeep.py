"""What `serve` does regularly goes on, whatever becomes of one round."""

import asyncio

import pytest
import structlog

from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.http.server import _regularly


@pytest.mark.parametrize(
    ("rounds", "logged"),
    [
        ([None, None], []),
        ([DatabaseUnavailable(), None], ["warning"]),
        ([DatabaseUnavailable(), DatabaseUnavailable(), DatabaseUnavailable()], ["warning"]),
        ([DatabaseUnavailable(), None, DatabaseUnavailable()], ["warning", "warning"]),
        ([ValueError("its own way"), ValueError("its own way")], ["error", "error"]),
    ],
)
async def test_a_store_that_is_away_is_asked_again_and_said_once(rounds, logged):
    done, left = asyncio.Event(), list(rounds)

    async def work():
        if not left:
            done.set()
        elif failure := left.pop(0):
            raise failure

    with structlog.testing.capture_logs() as lines:
        task = asyncio.create_task(_regularly("audit", 0, work))
        await done.wait()
        task.cancel()
        await asyncio.wait({task})
    assert [(line["event"], line["log_level"]) for line in lines] == [("audit_failed", level) for level in logged]
