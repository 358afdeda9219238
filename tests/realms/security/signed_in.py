"""Sessions on a platform whose clock stands, and what a client does with the one that it holds."""

import asyncio
import base64
import json
import sqlite3
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace

from account_platform import MEMORY, Accounts

from symphainy_platform import Identity, IntentError, Platform, Settings
from symphainy_platform.identity import signatures
from symphainy_platform.realms.security.session import Session
from symphainy_platform.realms.security.session_source import SessionTokens
from symphainy_platform.state.store import ArtifactById, EventFilter, load_one
from symphainy_platform.testing.clock import ManualClock

ANN = Identity("acme", "ann")
HOUR = 3600.0
DAY = 24 * HOUR
GRACE = HOUR
LONGEST = 7 * DAY
UNKNOWN_ID = "sess_" + "A" * 43
INSTANT = 0.000001
"""The least by which this clock tells two moments apart."""

_catalogs = []


@dataclass(frozen=True)
class Held:
    """What a client holds of its session."""

    session_id: str
    token: str
    ref: str
    tenant: str
    user: str

    def with_token(self, token):
        return replace(self, token=token)

    def after(self, result):
        """The same session, with the token that a refresh has answered."""
        return self.with_token(payload(result)["session_token"])

    @property
    def params(self):
        return {"session_id": self.session_id, "session_token": self.token}

    @property
    def owner(self):
        return Identity(self.tenant, self.user, session_ref=self.ref)

    @property
    def claims(self):
        return claims_of(self.token)


@dataclass
class Sessions(Accounts):
    """Submits the intents of sessions, and looks at what they leave behind."""

    async def open(self, identity=ANN, **parameters):
        return self.held(await self.answer("create_session", identity, **parameters))

    def held(self, opened):
        names = ("session_id", "session_token", "session_ref", "tenant_id", "user_id")
        return Held(*(opened[name] for name in names))

    async def refresh(self, held, **parameters):
        return await self.submit("refresh_session", **held.params, **parameters)

    async def rotate(self, held, **parameters):
        """What the client holds after a refresh."""
        return held.after(await self.refresh(held, **parameters))

    async def terminate(self, held):
        return await self.answer("terminate_session", **held.params)

    async def revoke(self, held):
        return await self.answer("revoke_session", held.owner, session_ref=held.ref)

    async def identify(self, held):
        return await self.platform.identify(held.token)

    async def use(self, held):
        """A request with this token, and what it leaves to be done."""
        identity = await self.identify(held)
        await self.settled()
        return identity

    async def settled(self):
        while tasks := [*self.source._acknowledging.values()]:
            await asyncio.wait(tasks)

    @property
    def source(self):
        return next(source for source in self.platform._identity_sources if isinstance(source, SessionTokens))

    async def session(self, held):
        return Session(await load_one(self.platform.store, ArtifactById(held.tenant, held.ref)))

    async def state(self, held):
        return (await self.session(held)).state

    async def happened(self, held):
        """The types of the session's events."""
        await self.platform.drain()
        where, cursor, types, more = EventFilter(tenant_id=held.tenant, artifact_id=held.ref), "0", [], True
        while more:
            page = await self.platform.store.events_after(cursor, where, 10_000)
            types += [event.type for event in page.events]
            cursor, more = page.cursor, page.more
        return types

    async def forged(self, held, **claims):
        """The held token with other claims, whatever they are, under a valid signature of this platform."""
        vault = self.platform.keys._vault
        key = (await vault.keys()).tokens[await vault.current("tokens")]
        return held.with_token(signatures._encoded(key.pair, "sess+jwt", {**held.claims, **claims}))

    def advance(self, seconds):
        self.clock.advance(seconds)


def payload(result):
    return result.artifacts["session"]["semantic_payload"]


def claims_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


async def code_of(call):
    """How a call ends: its code, None for a success."""
    try:
        await call
    except IntentError as error:
        return error.code
    return None


def rows_of(folder):
    """Every row of every table but `executions`, where a refusal after the claim leaves its record."""
    with closing(sqlite3.connect(folder / "platform.db")) as database:
        names = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name != 'executions'")
        return {name: database.execute(f"SELECT * FROM {name}").fetchall() for (name,) in names.fetchall()}  # noqa: S608


@asynccontextmanager
async def signed_in(folder, clock=None, store=None, **settings):
    """Sessions on the database of this folder. Contracts are read once for all tests."""
    given = Settings(home=folder, password_memory_kib=MEMORY, **settings)
    clock = clock or ManualClock()
    known = _catalogs[0] if _catalogs else None
    async with Platform.open(given, clock=clock, store=store, contracts=known) as platform:
        _catalogs[:] = [platform.loaded.catalog]
        yield Sessions(platform, clock)
