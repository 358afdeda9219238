"""What each service does: the right thing, until a test puts something else in its place."""

from symphainy_platform import IntentError, IntentResult, IntentService


def written(note):
    return {"type": "note_written", "note_id": note.artifact_id}


async def write_note(ctx, params):
    note = ctx.state_surface.register_artifact("note", {"text": params.text})
    return IntentResult({"note": note}, [written(note)])


async def close_note(ctx, params):
    note = await ctx.state_surface.get_artifact(params.note_id)
    closed = ctx.state_surface.transition(note, "CLOSED")
    return IntentResult({"note": closed}, [{"type": "note_closed"}])


async def edit_note(ctx, params):
    note = await ctx.state_surface.get_artifact(params.note_id)
    if note.semantic_payload == {"text": params.text}:
        return IntentResult({"note": note})
    edited = ctx.state_surface.update_artifact(note, {"text": params.text})
    return IntentResult({"note": edited}, [{"type": "note_edited", "version": edited.version}])


async def read_note(ctx, params):
    note = await ctx.state_surface.get_artifact(params.note_id)
    return IntentResult({"note": {"text": note.semantic_payload["text"]}}, [{"type": "note_read"}])


async def sign_note(_ctx, _params):
    return IntentResult({"note": {"text": "signed"}})


async def burn_note(ctx, params):
    note = await ctx.state_surface.get_artifact(params.note_id)
    ctx.state_surface.transition(note, "BURNT")
    raise IntentError("NOTE_STOLEN", events=[{"type": "note_burnt", "why": "stolen"}])


DECIDE = {
    "burn_note": burn_note,
    "write_note": write_note,
    "keep_note": write_note,
    "close_note": close_note,
    "edit_note": edit_note,
    "read_note": read_note,
    "sign_note": sign_note,
    "audit_notes": sign_note,
}


class ScriptedService(IntentService):
    """Does what DECIDE says at the time of the call."""

    async def execute(self, ctx, params):
        return await DECIDE[self.intent_type](ctx, params)
