"""How large a context may grow (30-chat, rule 9): checked before anything is staged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symphainy_platform import IntentError, Settings
from symphainy_platform.realms.coexistence.canonical_form import canonical
from symphainy_platform.realms.coexistence.chat_history import HistoryUpdate
from symphainy_platform.realms.coexistence.shared_context import Context

MAX_LEVELS = 32
"""How many objects and arrays a context may nest, itself included."""

_LEVELS_ABOVE_A_MESSAGE = 2  # the context and its history


def check_shared(shared: Context, settings: Settings, *, sent: Context) -> bytes:
    """Refuse shared keys of more than `chat_context_max_bytes` canonical bytes, or that nest too deep.

    A merge goes level by level, so it is as deep as what was there or what was `sent`. Returns
    the canonical form.
    """
    _check_depth(sent, MAX_LEVELS)
    form, limit = canonical(shared), settings.chat_context_max_bytes
    if len(form) > limit:
        raise IntentError("CONTEXT_TOO_LARGE", details={"size": len(form), "limit": limit, "unit": "bytes"})
    return form


def check_history(update: HistoryUpdate, settings: Settings) -> None:
    """Refuse messages that nest too deep or have no canonical form, or more than `chat_history_max_messages`."""
    canonical(update.bodies)
    for body in update.bodies:
        _check_depth(body, MAX_LEVELS - _LEVELS_ABOVE_A_MESSAGE)
    limit = settings.chat_history_max_messages
    if update.count > limit:
        raise IntentError("CONTEXT_TOO_LARGE", details={"size": update.count, "limit": limit, "unit": "messages"})


def _check_depth(value: Any, levels: int) -> None:
    level = [value]
    for _ in range(levels):
        level = [inner for node in level for inner in _inside(node)]
        if not level:
            return
    if any(isinstance(node, (dict, list)) for node in level):
        raise IntentError("CONTEXT_MERGE_FAILED", details={"expected": f"at most {MAX_LEVELS} levels"})


def _inside(node: Any) -> Sequence[Any]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else ()
