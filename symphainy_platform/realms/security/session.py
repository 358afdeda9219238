"""The session: its artifact, its row, and how answers show it (40-auth-sessions, "Ids and tokens").

Neither its id, which is a secret, nor its token is in it: only a keyed hash of the id, and what
the token of the current generation is made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from symphainy_platform import Artifact, ArtifactView, ExecutionContext, Settings, isoformat, moment
from symphainy_platform.realms.security.session_times import GRACE, LONGEST_LIFE

if TYPE_CHECKING:
    from datetime import datetime

SESSION = "session"
"""Artifact type, and name of the artifact in answers."""

_TABLE = "sessions"
_DAY = 86_400.0
_COLUMNS = ("id_hash", "gen", "iat", "exp", "kid", "rotated_at", "seen", "expires_at", "created_at")


@dataclass(frozen=True, slots=True)
class Session:
    """A stored session, read: what the rules ask. Times are seconds since 1970 (UTC)."""

    artifact: Artifact

    @property
    def ref(self) -> str:
        """The session_ref: names the session in logs and lists, and is no secret."""
        return self.artifact.artifact_id

    @property
    def state(self) -> str:
        """The lifecycle state."""
        return self.artifact.lifecycle_state

    @property
    def gen(self) -> int:
        """The generation of the current token, from 1."""
        gen: int = self._stored["gen"]
        return gen

    @property
    def expires_at(self) -> float:
        """From when on only refresh and terminate are possible."""
        return moment(self._stored["expires_at"]).timestamp()

    @property
    def ends_at(self) -> float:
        """From when on nothing is possible: the grace is over, or the longest life."""
        return min(self.expires_at + GRACE, self.must_end_at)

    @property
    def must_end_at(self) -> float:
        """The end of the longest life."""
        return moment(self._stored["created_at"]).timestamp() + LONGEST_LIFE

    @property
    def rotated_at(self) -> float | None:
        """When the current generation replaced the one before; None for the first."""
        rotated = self._stored["rotated_at"]
        return moment(rotated).timestamp() if rotated else None

    @property
    def seen(self) -> bool:
        """Whether the current generation was used at least once."""
        return bool(self._stored["seen"])

    @property
    def account_id(self) -> str | None:
        """The user account behind it; None for a user whom somebody else knows."""
        return self.artifact.user_id if self._stored["account"] else None

    @property
    def roles(self) -> frozenset[str]:
        """The roles that were granted with it; with an account, the account's count."""
        return frozenset(self._stored["roles"])

    @property
    def epoch(self) -> int | None:
        """The account's epoch that it belongs to."""
        epoch: int | None = self._stored["epoch"]
        return epoch

    def belongs_to(self, account: Artifact | None) -> bool:
        """Whether the account still stands behind it: there, active, and in the same epoch."""
        if self.account_id is None:
            return True
        return (
            account is not None
            and account.lifecycle_state == "ACTIVE"
            and account.semantic_payload["epoch"] == self.epoch
        )

    @property
    def _stored(self) -> Mapping[str, Any]:
        return self.artifact.semantic_payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a new session begins with."""

    session_ref: str
    id_hash: str
    kid: str
    expires_at: float
    remember: bool
    user_agent: str | None
    roles: frozenset[str]
    epoch: int | None


def stage_opened(ctx: ExecutionContext, opened: Opened) -> Artifact:
    """Stage a new session of the caller: generation 1."""
    now = ctx.now()
    payload = {
        "session_ref": opened.session_ref,
        "id_hash": opened.id_hash,
        **_generation(1, now, opened.expires_at, opened.kid),
        "rotated_at": None,
        "seen": False,
        "created_at": isoformat(now),
        "remember": opened.remember,
        "user_agent": opened.user_agent,
        "roles": sorted(opened.roles),
        "account": opened.epoch is not None,
        "epoch": opened.epoch,
    }
    session = ctx.state_surface.register_artifact(
        SESSION,
        payload,
        artifact_id=opened.session_ref,
        semantic_descriptor={"kind": "auth_session"},
        materializations=({"table": _TABLE},),
        due_at=moment(_ends_at(opened.expires_at, now.timestamp())),
    )
    return _with_row(ctx, session)


def stage_rotated(ctx: ExecutionContext, session: Session, *, kid: str, expires_at: float) -> Artifact:
    """Stage the next generation."""
    now = ctx.now()
    payload = {
        **session.artifact.semantic_payload,
        **_generation(session.gen + 1, now, expires_at, kid),
        "rotated_at": isoformat(now),
        "seen": False,
    }
    updated = ctx.state_surface.update_artifact(session.artifact, payload)
    created = session.must_end_at - LONGEST_LIFE
    return _with_row(ctx, ctx.state_surface.set_due(updated, moment(_ends_at(expires_at, created))))


def stage_changed(ctx: ExecutionContext, session: Artifact, **fields: Any) -> Artifact:
    """Stage other values of some fields of the payload."""
    updated = ctx.state_surface.update_artifact(session, {**session.semantic_payload, **fields})
    return _with_row(ctx, updated)


def stage_epoch(ctx: ExecutionContext, session: Artifact, epoch: int) -> Artifact:
    """Let a session live on in a new epoch of its account."""
    return stage_changed(ctx, session, epoch=epoch)


def stage_ended(ctx: ExecutionContext, session: Artifact, state: str, settings: Settings) -> Artifact:
    """Stage the end of a session: EXPIRED, TERMINATED or REVOKED; its purge is due later on."""
    ended = ctx.state_surface.transition(session, state)
    purge_at = ctx.now().timestamp() + settings.session_retention_days * _DAY
    return _with_row(ctx, ctx.state_surface.set_due(ended, moment(purge_at)))


def revoked_event(session: Artifact, reason: str) -> dict[str, Any]:
    """The event of a session that was ended against, or without, its holder."""
    return {"type": "session_revoked", "session_ref": session.artifact_id, "reason": reason}


async def active_sessions(ctx: ExecutionContext, user_id: str) -> list[Artifact]:
    """Every ACTIVE session of a user, newest first."""
    found: list[Artifact] = []
    cursor = None
    while True:
        page = await ctx.state_surface.list_artifacts(
            SESSION, lifecycle_state="ACTIVE", owner=user_id, limit=200, cursor=cursor
        )
        found.extend(page.artifacts)
        if (cursor := page.cursor) is None:
            return found


async def present(view: ArtifactView) -> Mapping[str, Any]:
    """Show a session to its user: nothing of which a token is made."""
    session, stored = view.artifact, view.artifact.semantic_payload
    ended = {"TERMINATED": {"terminated_at": session.updated_at}}.get(session.lifecycle_state, {})
    return {
        "session_ref": session.artifact_id,
        "user_id": session.user_id,
        "tenant_id": session.tenant_id,
        "lifecycle_state": session.lifecycle_state,
        "expires_at": stored["expires_at"],
        "created_at": stored["created_at"],
        "last_refreshed_at": stored["rotated_at"],
        "remember": stored["remember"],
        "user_agent": stored["user_agent"],
        **ended,
    }


def _generation(gen: int, now: datetime, expires_at: float, kid: str) -> dict[str, Any]:
    return {
        "gen": gen,
        "iat": int(now.timestamp()),
        "exp": int(expires_at),
        "kid": kid,
        "expires_at": isoformat(moment(expires_at)),
    }


def _ends_at(expires_at: float, created_at: float) -> float:
    return min(expires_at + GRACE, created_at + LONGEST_LIFE)


def _with_row(ctx: ExecutionContext, session: Artifact) -> Artifact:
    """Stage the row that follows the session."""
    stored = session.semantic_payload
    values = {
        "user_id": session.user_id,
        "lifecycle_state": session.lifecycle_state,
        "version": session.version,
        "updated_at": session.updated_at,
        "execution_id": session.produced_by.execution_id,
        **{column: stored[column] for column in _COLUMNS},
    }
    ctx.state_surface.write_row(_TABLE, {"session_ref": session.artifact_id}, values)
    return session
