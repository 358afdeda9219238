from datetime import timedelta

from symphainy_platform import IntentResult, IntentService


async def expire(ctx, ticket):
    """It is purged a day later."""
    expired = ctx.state_surface.transition(ticket, "EXPIRED")
    return ctx.state_surface.set_due(expired, ctx.now() + timedelta(days=1))


EXPIRE = {"ticket": expire}


class ExpireTicketService(IntentService):
    """Does what EXPIRE says at the time of the call."""

    intent_type = "expire_ticket"

    async def execute(self, ctx, params):
        ticket = await EXPIRE["ticket"](ctx, await ctx.state_surface.get_artifact(params.ticket_id))
        return IntentResult({"ticket": ticket}, [{"type": "ticket_expired", "ticket_id": params.ticket_id}])
