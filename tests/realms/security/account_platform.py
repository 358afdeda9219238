"""A platform with accounts, and what the tests do on it, in the words of the intents."""

from contextlib import asynccontextmanager
from dataclasses import dataclass

from symphainy_platform import Identity, Platform, Settings
from symphainy_platform.context import Client
from symphainy_platform.runtime.execution import IntentRequest
from symphainy_platform.state.store import EventFilter
from symphainy_platform.testing.clock import ManualClock

EMAIL = "ann@example.com"
PASSWORD = "correct horse battery"
OTHER_PASSWORD = "better horse battery"
SERVICE = Identity("acme", "robot", frozenset({"service"}))
OTHER_SERVICE = Identity("umbrella", "robot", frozenset({"service"}))
MEMORY = 19456


@dataclass
class Accounts:
    """Submits the intents of accounts."""

    platform: Platform
    clock: ManualClock

    async def submit(self, intent, identity=None, *, address=None, bearer=None, **parameters):
        request = IntentRequest(
            intent_type=intent,
            parameters=parameters,
            identity=identity,
            bearer=bearer,
            client=Client(address),
        )
        return await self.platform.dispatch(request)

    async def answer(self, intent, identity=None, **parameters):
        result = await self.submit(intent, identity, **parameters)
        return next(iter(result.artifacts.values()))["semantic_payload"]

    async def create(self, email=EMAIL, password=PASSWORD, *, by=SERVICE, **parameters):
        return await self.answer("create_user_account", by, email=email, password=password, **parameters)

    async def authenticate(self, email=EMAIL, password=PASSWORD, *, tenant="acme", address=None):
        return await self.answer("authenticate_user", tenant=tenant, email=email, password=password, address=address)

    async def proof(self, **parameters):
        return (await self.authenticate(**parameters))["authentication_token"]

    async def sign_in(self, **parameters):
        """The answer of a new session."""
        return await self.answer("create_session", authentication_token=await self.proof(**parameters))

    async def events(self, *types):
        await self.platform.drain()
        found = (await self.platform.store.events_after("0", EventFilter(), 10_000)).events
        return [event for event in found if not types or event.type in types]


def owner_of(account, session_ref=None):
    return Identity(account["tenant_id"], account["user_id"], frozenset(account["roles"]), session_ref=session_ref)


@asynccontextmanager
async def opened(folder, **settings):
    """Accounts on a new database in this folder, or on the one that is there."""
    clock = ManualClock()
    given = Settings(home=folder, password_memory_kib=MEMORY, **settings)
    async with Platform.open(given, clock=clock) as platform:
        yield Accounts(platform, clock)
