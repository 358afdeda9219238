from datetime import timedelta

from symphainy_platform import IntentResult, IntentService


class PutOffTicketService(IntentService):
    """Another due time; without one it is held and never due."""

    intent_type = "put_off_ticket"

    async def execute(self, ctx, params):
        surface = ctx.state_surface
        ticket = await surface.get_artifact(params.ticket_id)
        if params.hours is None:
            return IntentResult({"ticket": surface.set_due(surface.transition(ticket, "HELD"), None)})
        return IntentResult({"ticket": surface.set_due(ticket, ctx.now() + timedelta(hours=params.hours))})
