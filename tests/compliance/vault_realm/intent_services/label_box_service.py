from symphainy_platform import IntentError, IntentResult, IntentService
from vault_realm import box


class LabelBoxService(IntentService):
    intent_type = "label_box"

    async def execute(self, ctx, params):
        found = await ctx.state_surface.get_artifact(params.box_id)
        labelled = ctx.state_surface.update_artifact(found, {**found.semantic_payload, "label": params.label})
        box.write_row(ctx, labelled)
        if params.label == "forbidden":
            raise IntentError("LABEL_REFUSED")
        return IntentResult({"box": labelled}, [{"type": "box_labelled", "box_id": labelled.artifact_id}])
