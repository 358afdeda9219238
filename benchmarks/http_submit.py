"""HTTP submits on SQLite at 32 callers, against an echo of the same 2 KB on the same server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from benchmarks.asgi_call import body_of
from benchmarks.chats import message
from benchmarks.http_client import NextRequest, ask, drive_http, request_bytes
from benchmarks.opened import caller, run, scratch, settings_in
from benchmarks.pace import Pace
from benchmarks.result import BrokenInvariantError, Result, ratio_of_at_least
from benchmarks.timing import Load, in_turns, median_rate
from symphainy_platform.context import Identity, SystemClock
from symphainy_platform.identity.source import tokens_of

CALLERS = 32
BODY_BYTES = 2048
_PLACE = b"@@@@@@@@"
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
    getters = [await _session(home, ours, caller(f"getter_{number}")) for number in range(CALLERS)]
    updaters = [await _session(home, ours, caller(f"updater_{number}")) for number in range(CALLERS)]
    services = [await _session(home, ours, _service(f"service_{number}")) for number in range(CALLERS)]
    gets = [_getter(session) for session in getters]
    updates = [_updater(session) for session in updaters]
    of_services = [_getter(session) for session in services]
    return await in_turns(
        pace.rounds,
        lambda: drive_http(ours, pace.seconds, gets),
        lambda: drive_http(echo, pace.seconds, updates),
        lambda: drive_http(ours, pace.seconds, updates),
        lambda: drive_http(echo, pace.seconds, updates),
        lambda: drive_http(ours, pace.seconds, of_services),
    )


class _Session(NamedTuple):
    token: str
    session_id: str


async def _session(home: Path, port: int, who: Identity) -> _Session:
    """Start a chat session whose answers are about as large as the echo's: two messages, 2 KB."""
    token = await _token(home, port, who)
    params = {"initial_context": _updates("m0", "m1")}
    answer = await _answered(port, token, "initialize_chat_session", params)
    return _Session(token, answer["chat_session"]["semantic_payload"]["chat_session_id"])


async def _token(home: Path, port: int, who: Identity) -> str:
    """A service's own token; for a user that of a session which it opens."""
    minted = tokens_of(settings_in(home)).mint(who, ttl_seconds=3600, clock=SystemClock())
    if who.is_service:
        return minted
    session: str = (await _answered(port, minted, "create_session", {}))["session"]["semantic_payload"]["session_token"]
    return session


async def _answered(port: int, token: str, intent: str, params: dict[str, Any]) -> Any:
    """The artifacts of an intent's answer."""
    return orjson.loads(await ask(port, request_bytes(token, body_of(intent, params))))["artifacts"]


def _service(name: str) -> Identity:
    return Identity(caller(name).tenant_id, name, frozenset({"service"}))


def _updates(*ids: str) -> dict[str, Any]:
    size = BODY_BYTES // len(ids) - 150
    history = [{"id": id_, **message(number, size=size)} for number, id_ in enumerate(ids)]
    return {"conversation_history": history, "shared_intent": "plan the launch"}


def _getter(session: _Session) -> NextRequest:
    params = {"chat_session_id": session.session_id}
    request = request_bytes(session.token, body_of("get_chat_session", params))
    return lambda: request


def _updater(session: _Session) -> NextRequest:
    """Return requests that each say two new messages; the answer carries the newest two."""
    place = _PLACE.decode()
    params = {
        "chat_session_id": session.session_id,
        "context_updates": _updates(f"{place}u", f"{place}a"),
        "history_limit": 2,
    }
    request = request_bytes(session.token, body_of("update_chat_context", params))
    numbers = count()
    return lambda: request.replace(_PLACE, b"%08d" % next(numbers))
