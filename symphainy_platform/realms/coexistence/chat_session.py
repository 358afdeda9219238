"""The chat session: its artifact, its domain row, and how an answer shows it (30-chat, "Shape")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symphainy_platform import Artifact, ArtifactView, ExecutionContext, IntentError, isoformat
from symphainy_platform.realms.coexistence.chat_history import HISTORY
from symphainy_platform.realms.coexistence.messages import presented
from symphainy_platform.realms.coexistence.shared_context import HISTORY_KEY, Context

CHAT_SESSION = "chat_session"
"""Artifact type, and name of the artifact in every answer."""

_TABLE = "chat_sessions"
_MATERIALIZATIONS = ({"table": _TABLE}, {"log": HISTORY})


@dataclass(frozen=True, slots=True)
class SessionHead:
    """What a version of a session says beside its messages."""

    active_agent: str
    context: Context
    has_history: bool


def head_of(session: Artifact) -> SessionHead:
    """The head of a stored session."""
    stored = session.semantic_payload
    return SessionHead(stored["active_agent"], stored["context"], stored["has_history"])


async def load_session(ctx: ExecutionContext, chat_session_id: str) -> Artifact:
    """The caller's session; unknown and foreign ids are SESSION_NOT_FOUND alike."""
    session = await ctx.state_surface.get_artifact(chat_session_id)
    if session is None:
        raise IntentError("SESSION_NOT_FOUND")
    return session


def stage_new(ctx: ExecutionContext, head: SessionHead) -> Artifact:
    """Stage a new session, artifact and row."""
    session_id, now = ctx.new_id(), isoformat(ctx.now())
    session = ctx.state_surface.register_artifact(
        CHAT_SESSION,
        _payload(session_id, head, created_at=now, updated_at=now),
        artifact_id=session_id,
        semantic_descriptor=_descriptor(head),
        materializations=_MATERIALIZATIONS,
    )
    _stage_row(ctx, session)
    return session


def stage_head(ctx: ExecutionContext, session: Artifact, head: SessionHead) -> Artifact:
    """Stage a new version of a session with this head, artifact and row."""
    created_at = session.semantic_payload["created_at"]
    payload = _payload(session.artifact_id, head, created_at=created_at, updated_at=isoformat(ctx.now()))
    updated = ctx.state_surface.update_artifact(session, payload, semantic_descriptor=_descriptor(head))
    _stage_row(ctx, updated)
    return updated


async def present(view: ArtifactView) -> Mapping[str, Any]:
    """Show a session with its materialized context; `history_limit` and `before_seq` page the history.

    With either, `history_total` counts all messages and `history_before_seq` is the
    `before_seq` of the page before, null at the start.
    """
    session = view.artifact
    head = head_of(session)
    page = _page(view)
    shown = {
        "chat_session_id": session.artifact_id,
        "user_id": session.user_id,
        "tenant_id": session.tenant_id,
        "active_agent": head.active_agent,
        "context": await _materialized(view, head, page),
        "created_at": session.semantic_payload["created_at"],
        "updated_at": session.semantic_payload["updated_at"],
        "version": session.version,
        "lifecycle_state": session.lifecycle_state,
    }
    return {**shown, **page.cursor} if page.asked_for else shown


@dataclass(frozen=True, slots=True)
class _Page:
    """Which messages an answer carries: `first`..`last` of `total`."""

    first: int
    last: int
    total: int
    asked_for: bool

    @property
    def cursor(self) -> dict[str, int | None]:
        before = self.first if self.first > 1 else None
        return {"history_total": self.total, "history_before_seq": before}


def _page(view: ArtifactView) -> _Page:
    limit, before = view.options.get("history_limit"), view.options.get("before_seq")
    total = view.artifact.log_head(HISTORY).count
    last = total if before is None else min(before - 1, total)
    first = 1 if limit is None else max(1, last - limit + 1)
    return _Page(first, last, total, asked_for=limit is not None or before is not None)


async def _materialized(view: ArtifactView, head: SessionHead, page: _Page) -> Context:
    if not head.has_history:
        return head.context
    entries = await view.read_log(HISTORY, page.first, page.last)
    return {HISTORY_KEY: [presented(entry) for entry in entries], **head.context}


def _descriptor(head: SessionHead) -> dict[str, str]:
    return {"kind": "conversation", "active_agent": head.active_agent}


def _payload(session_id: str, head: SessionHead, *, created_at: str, updated_at: str) -> dict[str, Any]:
    return {
        "chat_session_id": session_id,
        "active_agent": head.active_agent,
        "context": head.context,
        "has_history": head.has_history,
        "created_at": created_at,
        "updated_at": updated_at,
    }


def _stage_row(ctx: ExecutionContext, session: Artifact) -> None:
    stored = session.semantic_payload
    columns = ("active_agent", "context", "created_at", "updated_at")
    values = {
        "user_id": session.user_id,
        "lifecycle_state": session.lifecycle_state,
        "version": session.version,
        **{column: stored[column] for column in columns},
    }
    ctx.state_surface.write_row(_TABLE, {"chat_session_id": session.artifact_id}, values)
