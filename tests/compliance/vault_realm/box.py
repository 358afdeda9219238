"""Boxes: their artifact, and the row that follows it."""

from datetime import timedelta

from symphainy_platform import ArtifactAnswer
from vault_realm.box_key import box_key

LIFETIME = timedelta(hours=2)


def until(ctx):
    return (ctx.now() + LIFETIME).isoformat().replace("+00:00", "Z")


def write_row(ctx, box):
    """Boxes lie in the table of another realm: one of tests has no migrations."""
    row = {"user_id": box.user_id, "active_agent": "guide", "context": {}, "lifecycle_state": box.lifecycle_state}
    moments = {"version": box.version, "created_at": box.created_at, "updated_at": box.updated_at}
    ctx.state_surface.write_row("chat_sessions", {"chat_session_id": box.artifact_id}, {**row, **moments})


async def answer(ctx, box):
    return {"box": ArtifactAnswer(box, {"token": await current_key(ctx, box)})}


async def current_key(ctx, box):
    return await box_key(ctx.keys, ctx.tenant_id, box.artifact_id, box.semantic_payload["gen"])
