from symphainy_platform import IntentResult, IntentService
from vault_realm import box


class OpenBoxService(IntentService):
    intent_type = "open_box"

    async def execute(self, ctx, params):
        box_id = ctx.new_id()
        payload = {"box_id": box_id, "label": params.label, "gen": 1, "until": box.until(ctx)}
        opened = ctx.state_surface.register_artifact("box", payload, artifact_id=box_id)
        box.write_row(ctx, opened)
        return IntentResult(await box.answer(ctx, opened), [{"type": "box_opened", "box_id": box_id}])

    async def restore(self, ctx, _params, _name, artifact):
        return {"token": await box.current_key(ctx, artifact)}
