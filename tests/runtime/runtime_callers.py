"""Who submits in these tests, and the clock that only they move."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from symphainy_platform import Identity, IntentError

ANN = Identity("t1", "ann")
BOB = Identity("t1", "bob")
EVE = Identity("t2", "ann")
ROBOT = Identity("t1", "robot", frozenset({"service"}))


@dataclass
class FakeClock:
    moment: datetime = datetime(2026, 1, 27, 12, 0, 30, tzinfo=UTC)

    def now(self):
        return self.moment

    def advance(self, **time):
        self.moment += timedelta(**time)


class Caller:
    """Submits for one identity; `code` and `failure` expect a refusal."""

    def __init__(self, platform, identity):
        self.platform, self.identity = platform, identity

    async def __call__(self, intent, key=None, **params):
        return await self.platform.submit_intent(intent, params, identity=self.identity, idempotency_key=key)

    async def failure(self, intent, key=None, **params):
        with pytest.raises(IntentError) as caught:
            await self(intent, key, **params)
        return caught.value

    async def code(self, intent, key=None, **params):
        return (await self.failure(intent, key, **params)).code

    async def status(self, execution_id):
        return await self.platform.read.execution(execution_id, identity=self.identity)
