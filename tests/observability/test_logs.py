import asyncio
import errno
import json
import logging
import subprocess
import sys

import pytest

from symphainy_platform.observability import _Lines, frames_only, neutralized

SCRIPT = """
import logging, sys, structlog
from symphainy_platform.observability import configure_logs
from symphainy_platform.settings import Settings
configure_logs(Settings(log_format=sys.argv[1], log_level="info"))
log = structlog.get_logger("x")
log.debug("too quiet")
log.info("forged", user="eve\\n{\\"level\\":\\"error\\"}\\x1b[31m\\u2028", number=1)
try:
    int("hunter2")
except ValueError:
    log.exception("failed")
logging.getLogger("uvicorn.error").error("from a library: %s", "a\\nb")
"""


def logged(log_format):
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", SCRIPT, log_format], capture_output=True, text=True, check=True, timeout=20
    )
    assert done.stdout == ""
    return done.stderr


def test_production_logs_are_one_json_object_a_line():
    forged, failed, library = map(json.loads, logged("json").splitlines())
    assert (forged["event"], forged["number"], forged["level"]) == ("forged", 1, "info")
    assert forged["timestamp"].endswith("Z")
    assert failed["error_type"] == "ValueError"
    assert (library["logger"], library["event"]) == ("uvicorn.error", "from a library: a\nb")


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_no_value_forges_a_line_or_moves_the_cursor(log_format):
    text = logged(log_format)
    assert len(text.splitlines()) == 3
    assert "\x1b" not in text


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_an_exception_is_its_type_and_frames_for_its_message_may_quote_data(log_format):
    text = logged(log_format)
    assert "hunter2" not in text
    assert "ValueError" in text
    assert "<module>" in text


def test_an_event_without_an_exception_is_left_alone():
    assert frames_only(None, "info", {"event": "x", "exc_info": None}) == {"event": "x"}
    assert frames_only(None, "info", {"event": "x", "exc_info": True}) == {"event": "x"}


def test_texts_of_other_scripts_are_left_alone():
    assert neutralized(None, "info", {"event": "Grüße, 世界"}) == {"event": "Grüße, 世界"}


def test_the_standard_library_is_not_reconfigured_by_importing():
    assert not any(type(handler).__module__.startswith("symphainy") for handler in logging.getLogger().handlers)


class Full:
    """A disk without room."""

    def write(self, _text):
        raise OSError(errno.ENOSPC, "No space left on device")

    flush = None


async def test_a_log_that_cannot_be_written_is_lost_and_raises_nothing():
    failures = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: failures.append(context))
    lines = _Lines(Full())
    lines.msg(b"x")
    await asyncio.sleep(0)
    await asyncio.to_thread(lines.msg, b"y")
    assert failures == []
