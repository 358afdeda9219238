from datetime import datetime

from symphainy_platform import IntentError, IntentResult, IntentService
from vault_realm import box


class TurnKeyService(IntentService):
    intent_type = "turn_key"

    async def execute(self, ctx, _params):
        found = await ctx.state_surface.get_artifact(ctx.facts["box_id"])
        self.check_open(ctx, found)
        payload = found.semantic_payload
        if ctx.facts["gen"] > payload["gen"]:
            raise IntentError("BAD_KEY")
        if ctx.facts["gen"] < payload["gen"]:
            self.end(ctx, found, "SEALED", "KEY_REUSED", "box_sealed")
        turned = ctx.state_surface.update_artifact(
            found, {**payload, "gen": payload["gen"] + 1, "until": box.until(ctx)}
        )
        box.write_row(ctx, turned)
        event = {"type": "key_turned", "box_id": turned.artifact_id}
        return IntentResult(await box.answer(ctx, turned), [event])

    def check_open(self, ctx, found):
        if found.lifecycle_state == "SEALED":
            raise IntentError("BOX_SEALED")
        if found.lifecycle_state == "LOST":
            raise IntentError("BOX_LOST")
        if ctx.now() >= datetime.fromisoformat(found.semantic_payload["until"]):
            self.end(ctx, found, "LOST", "BOX_LOST", "box_lost")

    def end(self, ctx, found, state, code, event):
        self.move(ctx, found, state)
        raise IntentError(code, events=self.events(event, found))

    def move(self, ctx, found, state):
        box.write_row(ctx, ctx.state_surface.transition(found, state))

    def events(self, event, found):
        return [{"type": event, "box_id": found.artifact_id}]

    async def may_replay(self, ctx, _params):
        """The stored answer stands while the key that it gave is the current one."""
        found = await ctx.state_surface.get_artifact(ctx.facts["box_id"])
        is_open = found.lifecycle_state == "OPEN" and ctx.now() < datetime.fromisoformat(
            found.semantic_payload["until"]
        )
        return is_open and found.semantic_payload["gen"] == ctx.facts["gen"] + 1

    async def restore(self, ctx, _params, _name, artifact):
        return {"token": await box.current_key(ctx, artifact)}
