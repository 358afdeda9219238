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


ROW = {"user_id": "u", "active_agent": "a", "context": {}, "lifecycle_state": "X", "version": 1}
ROW |= {"created_at": "2026", "updated_at": "2026"}


async def copy_note(ctx, params):
    note = await ctx.state_surface.get_artifact(params.note_id)
    copy = ctx.state_surface.register_artifact("note", note.semantic_payload)
    ctx.state_surface.write_row("chat_sessions", {"chat_session_id": copy.artifact_id}, ROW)
    return IntentResult({"note": copy}, [{"type": "note_copied"}])


async def burn_note(ctx, params):
    note = await ctx.state_surface.get_artifact(params.note_id)
    ctx.state_surface.transition(note, "BURNT")
    raise IntentError("NOTE_STOLEN", events=[{"type": "note_burnt", "why": "stolen"}])


DECIDE = {
    "copy_note": copy_note,
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
