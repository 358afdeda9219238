"""Whom a command asks: the platform in this process on its store, or a server."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol

from symphainy_platform.cli.remote import RemoteTarget, connected
from symphainy_platform.cli.remote_callers import GivenToken, RemoteCaller, ServiceCaller, UserCaller
from symphainy_platform.context import Identity
from symphainy_platform.errors import Unauthenticated
from symphainy_platform.observability import configure_logs
from symphainy_platform.platform import Platform
from symphainy_platform.state.store import EventFilter

if TYPE_CHECKING:
    from symphainy_platform.cli.options import Caller, Place
    from symphainy_platform.settings import Settings

_ALL_RETAINED = "0"


class Target(Protocol):
    """What commands need of either."""

    async def submit(
        self, intent_type: str, parameters: Mapping[str, Any], idempotency_key: str | None
    ) -> Mapping[str, Any]:
        """Submit an intent; returns the success envelope, raises `IntentError`."""

    def events(self, after: str | None, *, follow: bool) -> AsyncGenerator[Mapping[str, Any], None]:
        """Events after a cursor; without `follow` those that are there already (all, without a cursor)."""


@asynccontextmanager
async def open_target(where: Place, caller: Caller) -> AsyncGenerator[Target, None]:
    """Open what the command line names; logs of this process are warnings only."""
    settings = where.settings(log_level="warning")
    if where.url is not None:
        async with connected(where.url, _remote(settings, caller)) as client:
            yield RemoteTarget(client)
    else:
        async with open_local(settings, caller) as target:
            yield target


@asynccontextmanager
async def open_local(settings: Settings, caller: Caller) -> AsyncGenerator[LocalTarget, None]:
    """Open the platform in this process."""
    configure_logs(settings)
    async with Platform.open(settings) as platform:
        identity = caller.identity if caller.token is None else await platform.identify(caller.token)
        yield LocalTarget(platform, identity)


class LocalTarget:
    """The platform in this process."""

    def __init__(self, platform: Platform, identity: Identity | None) -> None:
        """Act on behalf of `identity`; None for public intents only."""
        self._platform = platform
        self._anybody = identity

    @property
    def _identity(self) -> Identity:
        if self._anybody is None:
            raise Unauthenticated
        return self._anybody

    async def submit(
        self, intent_type: str, parameters: Mapping[str, Any], idempotency_key: str | None
    ) -> Mapping[str, Any]:
        """Submit an intent."""
        result = await self._platform.submit_intent(
            intent_type, parameters, identity=self._anybody, idempotency_key=idempotency_key
        )
        return result.to_dict()

    async def journey(self, name: str) -> dict[str, Any]:
        """Say how far the caller has come on a journey."""
        return await self._platform.read.journey(name, identity=self._identity)

    async def events(self, after: str | None, *, follow: bool) -> AsyncGenerator[Mapping[str, Any], None]:
        """Follow the platform's feed, or read the outbox once."""
        if follow:
            async for event in self._platform.events(identity=self._identity, after=after):
                yield asdict(event)
            return
        user = None if self._identity.is_service else self._identity.user_id
        where = EventFilter(tenant_id=self._identity.tenant_id, user_id=user)
        cursor, more = after or _ALL_RETAINED, True
        while more:
            page = await self._platform.store.events_after(cursor, where)
            cursor, more = page.cursor, page.more
            for event in page.events:
                yield asdict(event)


def _remote(settings: Settings, caller: Caller) -> RemoteCaller | None:
    """The caller's token, or what this data folder vouches for; None for nobody."""
    if caller.identity is None:
        return None if caller.token is None else GivenToken(caller.token)
    return (ServiceCaller if caller.identity.is_service else UserCaller)(settings, caller.identity)
