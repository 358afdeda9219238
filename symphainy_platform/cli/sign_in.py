"""Sessions that the operator of a data folder opens for a user: nobody asks for a password."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from symphainy_platform.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from symphainy_platform.context import Identity
    from symphainy_platform.platform import Platform

OPEN, CLOSE = "create_session", "terminate_session"
_HOUR = 3600


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """What its holder needs. `token` is None where the answer has put it into a cookie."""

    session_id: str = field(repr=False)
    session_ref: str
    token: str | None = field(repr=False)
    expires_at: str

    @classmethod
    def of(cls, envelope: Mapping[str, Any]) -> OpenedSession:
        """Read the answer to OPEN."""
        payload = envelope["artifacts"]["session"]["semantic_payload"]
        names = ("session_id", "session_ref", "session_token", "expires_at")
        return cls(*(payload.get(name) for name in names))


def hours(seconds: int) -> dict[str, float]:
    """The parameters of OPEN for a session of so many seconds."""
    return {"extend_hours": seconds / _HOUR}


async def open_session(platform: Platform, identity: Identity, seconds: int) -> OpenedSession:
    """Open a session in this process; raises `IntentError`, also for a length that no session may have."""
    result = await platform.submit_intent(OPEN, hours(seconds), identity=identity)
    return OpenedSession.of(result.to_dict())


async def roles_of(platform: Platform, identity: Identity) -> Collection[str]:
    """The roles in a session of this user: the account's, if there is one, else those that were asked for."""
    try:
        account = await platform.read.artifact(identity.user_id, identity=identity)
    except NotFound:
        return identity.roles
    roles: Collection[str] = account["semantic_payload"]["roles"]
    return roles
