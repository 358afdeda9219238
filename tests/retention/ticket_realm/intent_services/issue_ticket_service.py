from datetime import timedelta

from symphainy_platform import IntentResult, IntentService

ROW = {"active_agent": "a", "context": {}, "lifecycle_state": "X", "version": 1}


class IssueTicketService(IntentService):
    intent_type = "issue_ticket"

    async def execute(self, ctx, params):
        surface, now = ctx.state_surface, ctx.now()
        ticket = surface.register_artifact(
            "ticket",
            {"name": params.name},
            lifecycle_state="HELD" if params.held else "OPEN",
            due_at=None if params.hours is None else now + timedelta(hours=params.hours),
        )
        ticket = surface.append(ticket, "stamps", [("first", {"stamp": 1})])
        times = {"user_id": ctx.user_id, "created_at": now.isoformat(), "updated_at": now.isoformat()}
        surface.write_row("chat_sessions", {"chat_session_id": ticket.artifact_id}, ROW | times)
        return IntentResult({"ticket": ticket}, [{"type": "ticket_issued", "ticket_id": ticket.artifact_id}])
