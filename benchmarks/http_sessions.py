"""Chat sessions behind a server process, and the requests of their callers."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from benchmarks.asgi_call import body_of
from benchmarks.chats import message
from benchmarks.http_client import NextRequest, ask, request_bytes
from benchmarks.opened import caller, settings_in
from symphainy_platform.context import Identity, SystemClock
from symphainy_platform.identity.source import tokens_of

BODY_BYTES = 2048
_PLACE = b"@@@@@@@@"


class HttpSession(NamedTuple):
    """One caller's token and chat session."""

    token: str
    session_id: str


async def open_session(home: Path, port: int, who: Identity) -> HttpSession:
    """Start a chat session whose answers are about as large as the echo's: two messages, 2 KB."""
    token = await _token(home, port, who)
    params = {"initial_context": _updates("m0", "m1")}
    answer = await _answered(port, token, "initialize_chat_session", params)
    return HttpSession(token, answer["chat_session"]["semantic_payload"]["chat_session_id"])


def service(name: str) -> Identity:
    """A service of the one tenant that the benchmarks know."""
    return Identity(caller(name).tenant_id, name, frozenset({"service"}))


def getter(session: HttpSession) -> NextRequest:
    """Return requests that read the session."""
    params = {"chat_session_id": session.session_id}
    request = request_bytes(session.token, body_of("get_chat_session", params))
    return lambda: request


def updater(session: HttpSession) -> NextRequest:
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


def _updates(*ids: str) -> dict[str, Any]:
    size = BODY_BYTES // len(ids) - 150
    history = [{"id": id_, **message(number, size=size)} for number, id_ in enumerate(ids)]
    return {"conversation_history": history, "shared_intent": "plan the launch"}
