"""The shared keys of a chat context, beside its history: reserved types and merge (30-chat)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symphainy_platform import IntentError
from symphainy_platform.realms.coexistence.messages import Body, check_messages

Context = Mapping[str, Any]

HISTORY_KEY = "conversation_history"

_RESERVED: dict[str, tuple[tuple[type, ...], str]] = {
    HISTORY_KEY: ((list,), "array"),
    "pillar_context": ((dict,), "object"),
    "agent_metadata": ((dict,), "object"),
    "shared_intent": ((str, type(None)), "string or null"),
}


@dataclass(frozen=True, slots=True)
class SentContext:
    """A context as sent: its shared keys, and its history (None when the key is absent)."""

    shared: Context
    history: Sequence[Body] | None


def read_context(context: Context, parameter: str) -> SentContext:
    """Check the reserved keys of `parameter` and part them; raises INVALID_PARAMETER_TYPE (rules 4 and 5)."""
    for key, (types, expected) in _RESERVED.items():
        if key in context and not isinstance(context[key], types):
            raise IntentError(
                "INVALID_PARAMETER_TYPE", details={"parameter": f"{parameter}.{key}", "expected": expected}
            )
    history = context.get(HISTORY_KEY)
    check_messages(history or (), f"{parameter}.{HISTORY_KEY}")
    return SentContext({key: value for key, value in context.items() if key != HISTORY_KEY}, history)


def merged(existing: Context, updates: Context) -> Context:
    """Merge objects recursively; anything else is a value that the update replaces (rules 1 to 3)."""
    if not updates:
        return existing
    result = dict(existing)
    for key, value in updates.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result
