"""One platform for each store, led through the same steps: one clock, equal draws, equal keys."""

import asyncio
import hashlib
from contextlib import AsyncExitStack
from dataclasses import dataclass

from symphainy_platform import IntentError, Platform
from symphainy_platform.identity.ring_keys import PURPOSES
from symphainy_platform.realms.security.session_source import SessionTokens
from symphainy_platform.runtime.execution import IntentRequest
from symphainy_platform.state.store import EventFilter

TICK = 1.0
"""Seconds between two steps: sessions of one second end together, in whatever order."""
DAY = 86_400.0


class SharedSecrets:
    """A store whose secrets are those of every other one, so that keys and names are equal."""

    def __init__(self, inner):
        self._inner = inner

    async def secret(self, name):
        return hashlib.sha256(name.encode()).digest()

    def __getattr__(self, name):
        return getattr(self._inner, name)


@dataclass
class Side:
    """One store with its platform; `stored` reads a tenant's rows beside it."""

    name: str
    store: object
    stored: object
    platform: Platform = None

    async def open(self, stack, settings, clock, first):
        """Open the platform; the keys of the `first` side are those of all."""
        contracts = first.platform.loaded.catalog if first else None
        self.platform = await stack.enter_async_context(
            Platform.open(settings, clock=clock, store=SharedSecrets(self.store), contracts=contracts)
        )
        if first is None:
            for purpose in PURPOSES:
                await self.platform.keys.current(purpose)
        for key in await first.store.keys() if first else ():
            await self.store.keep_key(key, None)

    async def dispatch(self, intent, identity, parameters, key=None):
        """The envelope of a submission: an answer or a failure."""
        request = IntentRequest(intent_type=intent, parameters=parameters, identity=identity, idempotency_key=key)
        return await envelope(self.platform.dispatch(request))

    async def identify(self, token):
        """Who a token proves, once what its use leaves to be done is done."""
        found = await self.platform.identify(token)
        source = next(each for each in self.platform._identity_sources if isinstance(each, SessionTokens))
        while tasks := [*source._acknowledging.values()]:
            await asyncio.wait(tasks)
        return found

    async def events(self, tenant):
        """All retained events of the tenant, without their cursors, page by page."""
        where, cursor, events, more = EventFilter(tenant_id=tenant), "0", [], True
        while more:
            page = await self.platform.store.events_after(cursor, where, 7)
            events += [{name: getattr(event, name) for name in _OF_EVENTS} for event in page.events]
            cursor, more = page.cursor, page.more
        return events


_OF_EVENTS = ("tenant_id", "user_id", "execution_id", "intent_type", "type", "artifact_id", "payload", "created_at")


async def envelope(call):
    """What comes of a call, as a value: a result's envelope, an error's, or whatever else it returns."""
    try:
        result = await call
    except IntentError as error:
        return error.to_dict()
    return result.to_dict() if hasattr(result, "to_dict") else result


def _by_artifact(rows):
    """Each artifact's in their order; what stands for itself in any."""
    plain = [{name: value for name, value in row.items() if name != "seq" or "body" not in row} for row in rows]
    return sorted(plain, key=_artifact_of)


def _artifact_of(row):
    told = row.get("body", row)
    return told.get("artifact_id") or repr(row)


def _difference(one, other, place=""):
    """Where two values differ first, and how."""
    if type(one) is type(other) and isinstance(one, (dict, list)) and len(one) == len(other):
        names = one.keys() if isinstance(one, dict) and one.keys() == other.keys() else range(len(one))
        different = [name for name in names if isinstance(one, list) or name in one if one[name] != other[name]]
        if different:
            return _difference(one[different[0]], other[different[0]], f"{place}[{different[0]!r}]")
    return f"{place}\n  {one!r}\n  {other!r}"


class Lockstep:
    """Leads all sides through one step after the other, and compares what comes of it."""

    def __init__(self, runner, sides, clock, draws):
        self._runner = runner
        self._sides = sides
        self._draws = draws
        self._steps = 0
        self._stack = AsyncExitStack()
        self.clock = clock
        self.sequences = 0

    def open(self, settings):
        first = None
        for side in self._sides:
            self._runner.run(side.open(self._stack, settings, self.clock, first))
            first = first or side

    def close(self):
        for side in self._sides:
            self._runner.run(side.stored.close())
        self._runner.run(self._stack.aclose())

    def begin(self):
        """A tenant that no sequence had; its day begins when those of all others have passed."""
        self.sequences += 1
        self.clock.advance(DAY)
        return f"tenant{self.sequences}"

    def step(self, work):
        """Do the same on each side; returns what came of it, which is the same everywhere."""
        self.clock.advance(TICK)
        self._steps += 1
        return self._same(work)

    def _same(self, work):
        first, *others = ((side.name, self._runner.run(self._done(side, work))) for side in self._sides)
        for name, found in others:
            assert found == first[1], f"{name} differs from {first[0]}: {_difference(found, first[1])}"
        return first[1]

    async def _done(self, side, work):
        with self._draws.of_step(self._steps):
            result = await envelope(work(side))
            await side.platform.drain()
        return result

    def at_once(self, calls):
        """Submit all `calls` at once, on each side."""
        return self.step(lambda side: self._draws.at_once(*(call(side) for call in calls)))

    def check(self, tenant, *, ordered):
        """The same rows, events and audit chains are everywhere.

        With `ordered` everything has happened in one order; else only what happened to the same artifact.
        """

        async def state(side):
            await side.platform.audit.append()
            report = await side.platform.audit.verify(tenant)
            assert report.whole, side.name
            found = {**await side.stored.rows(tenant), "events": await side.events(tenant)}
            return found if ordered else {name: _by_artifact(rows) for name, rows in found.items()}

        return self._same(state)
