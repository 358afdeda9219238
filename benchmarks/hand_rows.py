"""The rows of one `initialize_chat_session`, made by hand with the same widths as ours."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from benchmarks.hand_writer import Rows
from benchmarks.opened import TENANT
from symphainy_platform.context import SystemClock, TimeOrderedIds, isoformat

_CLOCK = SystemClock()
_IDS = TimeOrderedIds(_CLOCK)
_INTENT = "initialize_chat_session"
_CONTEXT = '{"shared_intent":"plan a launch"}'
_WINDOW = timedelta(seconds=60)


def hand_rows(user: str) -> Rows:
    """Return the parameters of each statement of the hand-written side."""
    moment = _CLOCK.now()
    now, until = isoformat(moment), isoformat(moment + _WINDOW)
    session, execution = _IDS.new(), f"exec_{_IDS.new()}"
    digest = hashlib.sha256(f"{TENANT}:{user}".encode()).digest()
    row = (user, "ACTIVE", 1, "guide", _CONTEXT, now, now, TENANT, session)
    return (
        (*_execution(user, session, execution, now), digest, digest, until, *_NOTHING * 7, f'["{session}"]'),
        _artifact(user, session, execution, now),
        row,
        row,
        (TENANT, user, execution, _INTENT, "chat_session_initialized", session, _event(session), now),
    )


_NOTHING = (None,)


def _execution(user: str, session: str, execution: str, now: str) -> tuple[str | None, ...]:
    trace = hashlib.md5(execution.encode(), usedforsecurity=False).hexdigest()
    event = f'{{"type":"chat_session_initialized",{_event(session)[1:]}'
    answer = f'{{"artifacts":{{"chat_session":{{"ref":["{session}",1]}}}},"events":[{event}],"answered_by":null}}'
    return (TENANT, execution, user, None, _INTENT, "1.0.0", "completed", trace, now, now, answer, None)


def _artifact(user: str, session: str, execution: str, now: str) -> tuple[str | int | None, ...]:
    payload = (
        f'{{"chat_session_id":"{session}","active_agent":"guide","context":{_CONTEXT},"has_history":false,'
        f'"created_at":"{now}","updated_at":"{now}"}}'
    )
    made = (_INTENT, execution, "[]", "[]", "{}")
    return (TENANT, session, "chat_session", user, 1, "ACTIVE", payload, "{}", *made, now, now, None)


def _event(session: str) -> str:
    return f'{{"chat_session_id":"{session}","version":1,"active_agent":"guide"}}'
