"""HTTP submits on SQLite at 32 callers, against an echo of the same 2 KB on the same server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.http_client import drive_http
from benchmarks.http_sessions import getter, open_session, service, updater
from benchmarks.opened import caller, run, scratch
from benchmarks.pace import Pace
from benchmarks.result import BrokenInvariantError, Result, ratio_of_at_least
from benchmarks.timing import Load, in_turns, median_rate

CALLERS = 32
_STOP_SECONDS = 20
_FOUR_FIFTHS = 1 / 1.2
"""Of the rate, when every request costs 20 % more."""


def measure(pace: Pace) -> list[Result]:
    """Start both servers, each in its own process, and load them in turns."""
    with scratch() as home, _serving("ours", home) as ours, _serving("echo", home) as echo:
        get, get_echo, update, update_echo, service = run(_measured(pace, home, ours, echo))
    lines = (("get_chat_session", get, get_echo, 0.5), ("update_chat_context", update, update_echo, 0.25))
    rows = [
        Result(
            measure=f"HTTP on SQLite, {CALLERS} callers, {intent}",
            ours=median_rate(measured),
            unit="requests/s",
            against="Starlette + pydantic echo",
            theirs=median_rate(echoed),
            target=ratio_of_at_least(target),
        )
        for intent, measured, echoed, target in lines
    ]
    return [*rows, _verification(get, service)]


def _verification(with_session: list[Load], without: list[Load]) -> Result:
    """What looking at the session costs each submit: at most 20 %."""
    return Result(
        measure=f"HTTP get_chat_session under a session's token, {CALLERS} callers",
        ours=median_rate(with_session),
        unit="requests/s",
        against="a service's token, which has no session",
        theirs=median_rate(without),
        target=ratio_of_at_least(_FOUR_FIFTHS),
    )


@contextmanager
def _serving(side: str, home: Path) -> Iterator[int]:
    """Run a server process and give its port; it ends with its input."""
    program = [sys.executable, "-m", "benchmarks.http_server", side, str(home)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:  # noqa: S603 - our own
        try:
            port = server.stdout.readline() if server.stdout else b""
            if not port:
                msg = f"the server process {side} did not start"
                raise BrokenInvariantError(msg)
            yield int(port)
        finally:
            server.communicate(timeout=_STOP_SECONDS)


async def _measured(pace: Pace, home: Path, ours: int, echo: int) -> list[list[Load]]:
    getters = [await open_session(home, ours, caller(f"getter_{number}")) for number in range(CALLERS)]
    updaters = [await open_session(home, ours, caller(f"updater_{number}")) for number in range(CALLERS)]
    services = [await open_session(home, ours, service(f"service_{number}")) for number in range(CALLERS)]
    gets = [getter(session) for session in getters]
    updates = [updater(session) for session in updaters]
    of_services = [getter(session) for session in services]
    return await in_turns(
        pace.rounds,
        lambda: drive_http(ours, pace.seconds, gets),
        lambda: drive_http(echo, pace.seconds, updates),
        lambda: drive_http(ours, pace.seconds, updates),
        lambda: drive_http(echo, pace.seconds, updates),
        lambda: drive_http(ours, pace.seconds, of_services),
    )
