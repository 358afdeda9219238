"""The service that decides nothing."""

from __future__ import annotations

from typing import Any

from symphainy_platform import ExecutionContext, IntentResult, IntentService

_ANSWER = IntentResult({"nothing": {"done": True}}, [{"type": "nothing_done"}])


class DoNothingService(IntentService):
    """Answers at once, with what its contract declares."""

    intent_type = "do_nothing"

    async def execute(self, ctx: ExecutionContext, params: Any) -> IntentResult:
        """Return the one answer."""
        del ctx, params
        return _ANSWER
