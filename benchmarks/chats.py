"""Chat sessions for the rows about chat turns: messages as the frontend of seed 003 sends them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from benchmarks.opened import caller
from symphainy_platform import ExecutionResult, Identity, Platform

_WORDS = "We looked at the launch plan and agreed to move the review by a week, since two files are late. "


def message(number: int, role: str = "user", size: int = 160) -> dict[str, str]:
    """Return a message without an id, told apart by its time."""
    minutes, seconds = divmod(number, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{number}: {_WORDS * (size // len(_WORDS) + 1)}"[:size]
    return {
        "role": role,
        "content": text,
        "timestamp": f"2026-01-{1 + hours // 24:02}T{hours % 24:02}:{minutes:02}:{seconds:02}.000Z",
    }


@dataclass(slots=True)
class Chat:
    """One session as its frontend knows it: everything that was said so far."""

    session_id: str
    identity: Identity
    messages: list[dict[str, str]] = field(default_factory=list)

    def turn(self, *, full: bool, history_limit: int | None) -> dict[str, Any]:
        """Say two more messages; return the parameters of the update, with the delta or everything."""
        place = len(self.messages)
        new = [message(place, "user"), message(place + 1, "agent")]
        self.messages += new
        updates = {
            "conversation_history": list(self.messages) if full else new,
            "shared_intent": f"plan the launch, step {place}",
        }
        params: dict[str, Any] = {"chat_session_id": self.session_id, "context_updates": updates}
        return params if history_limit is None else {**params, "history_limit": history_limit}


async def start_chat(platform: Platform, user: str, length: int) -> Chat:
    """Start a session that holds `length` messages already."""
    messages = [message(number, "agent" if number % 2 else "user") for number in range(length)]
    context = {
        "conversation_history": messages,
        "shared_intent": "plan the launch",
        "pillar_context": {"content": {"files": 3}},
    }
    identity = caller(user)
    made = await platform.submit_intent("initialize_chat_session", {"initial_context": context}, identity=identity)
    return Chat(made.artifacts["chat_session"]["semantic_payload"]["chat_session_id"], identity, messages)


async def send(platform: Platform, chat: Chat, params: dict[str, Any]) -> ExecutionResult:
    """Send a turn, in this process."""
    return await platform.submit_intent("update_chat_context", params, identity=chat.identity)
