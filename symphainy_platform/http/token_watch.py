"""A token that is watched: an event stream ends with the session that opened it (40-auth-sessions)."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from symphainy_platform.errors import IntentError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from symphainy_platform.context import Identity
    from symphainy_platform.platform import Platform
    from symphainy_platform.state.records import PublishedEvent

_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class TokenWatch:
    """Asks whether a token still holds, and when it ends."""

    platform: Platform
    token: str = field(repr=False)
    identity: Identity

    async def holds(self) -> bool:
        """Whether it proves somebody now; no, when nobody can say so."""
        try:
            await self.platform.identify(self.token)
        except IntentError:
            return False
        return True

    async def times_out(self) -> None:
        """Return when it no longer holds, asked every second: its end has come, or another process ended it."""
        while True:
            await asyncio.sleep(_SECONDS)
            if not await self.holds():
                return

    async def is_revoked(self) -> None:
        """Return at once when something that happened to its session has ended it; never, without a session."""
        about = self.identity.session_ref
        if about is None:
            await asyncio.Event().wait()
        news = self.platform.events(identity=self.identity, artifact_id=about)
        async with aclosing(cast("AsyncGenerator[PublishedEvent]", news)) as happened:
            async for _ in happened:
                if not await self.holds():
                    return
