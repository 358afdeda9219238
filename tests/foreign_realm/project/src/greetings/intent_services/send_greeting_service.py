"""Keep a greeting."""

from typing import Any

from symphainy_platform import ExecutionContext, IntentResult, IntentService


class SendGreetingService(IntentService):
    """Registers the greeting."""

    intent_type = "send_greeting"

    async def execute(self, ctx: ExecutionContext, params: Any) -> IntentResult:
        """Decide."""
        text = f"Hello, {params.name}!"
        greeting = ctx.state_surface.register_artifact("greeting", {"text": text})
        return IntentResult({"greeting": greeting}, [{"type": "greeting_sent", "name": params.name}])
