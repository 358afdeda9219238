"""Who asks a server: a token that was given, or one that this data folder vouches for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from symphainy_platform.cli.remote import IS_IT, unknown_server
from symphainy_platform.cli.sign_in import CLOSE, OPEN, OpenedSession
from symphainy_platform.context import SystemClock
from symphainy_platform.identity.source import tokens_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from symphainy_platform.context import Identity
    from symphainy_platform.settings import Settings

    Submit = Callable[[str, Mapping[str, Any], str], Awaitable[tuple[Mapping[str, Any], Mapping[str, str]]]]
    """Submits an intent under a token; returns the envelope, and the cookies that came with it."""

_MINUTE = 60
_RENEWED_BEFORE_END = timedelta(minutes=1)
_COOKIE = "__Host-session"


class RemoteCaller(Protocol):
    """Gives the token of each request."""

    async def token(self, submit: Submit) -> str:
        """Return the token for a request that is sent now."""

    async def leave(self, submit: Submit) -> None:
        """Give up what was opened for this command."""


class GivenToken:
    """A token of the command line."""

    def __init__(self, token: str) -> None:
        """Use it as it is."""
        self._token = token

    async def token(self, submit: Submit) -> str:
        """Return it."""
        del submit
        return self._token

    async def leave(self, submit: Submit) -> None:
        """Leave it valid."""


class ServiceCaller:
    """A service: its tokens are minted for each request, so that a stream is followed as long as one likes."""

    def __init__(self, settings: Settings, identity: Identity) -> None:
        """Sign with the key of the data folder."""
        self._settings = settings
        self._identity = identity

    async def token(self, submit: Submit) -> str:
        """Return a token of a minute."""
        del submit
        return tokens_of(self._settings).mint(self._identity, ttl_seconds=_MINUTE, clock=SystemClock())

    async def leave(self, submit: Submit) -> None:
        """Leave nothing behind: a minute passes."""


class UserCaller:
    """A user: introduced by a token of the data folder, with a session of this command's own."""

    def __init__(self, settings: Settings, identity: Identity) -> None:
        """Open nothing before the first request."""
        self._introduced_by = ServiceCaller(settings, identity)
        self._session: OpenedSession | None = None
        self._token = ""

    async def token(self, submit: Submit) -> str:
        """Return the session's token; another session is opened when it is about to end."""
        if self._session is None or _ends_soon(self._session):
            await self._open(submit)
        return self._token

    async def _open(self, submit: Submit) -> None:
        envelope, cookies = await submit(OPEN, {}, await self._introduced_by.token(submit))
        try:
            self._session = OpenedSession.of(envelope)
            self._token = self._session.token or cookies[_COOKIE]
        except (KeyError, TypeError, AttributeError) as error:
            raise unknown_server(f"The server opens no session: {IS_IT}") from error

    async def leave(self, submit: Submit) -> None:
        """End the session."""
        if self._session is None:
            return
        shown = {} if self._session.token is None else {"session_token": self._token}
        await submit(CLOSE, {"session_id": self._session.session_id, **shown}, self._token)


def _ends_soon(session: OpenedSession) -> bool:
    return datetime.fromisoformat(session.expires_at) - SystemClock().now() < _RENEWED_BEFORE_END
