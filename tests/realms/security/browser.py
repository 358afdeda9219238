"""A browser with two tabs over one token store, as the last paragraph of 40-auth-sessions' rules has it.

The store is under a lock: a tab re-reads it before it refreshes and after any 401. Requests take up to
ten seconds there and back, and get lost; a page may be reloaded while its refresh is under way.
"""

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from signed_in import code_of

from symphainy_platform import IntentError
from symphainy_platform.realms.security.refresh_rules import judge
from symphainy_platform.realms.security.session import Session

TIMEOUT = 10.0
"""After so many seconds a request is over, and a tab asks again."""

FRESH = 11.0
"""Nobody refreshes what was refreshed just now."""

LOST_IN_A_ROW = 3
"""Then the network is back: an answer that stays lost for a minute signs out, as the page says."""

OVERLAP = timedelta(seconds=10)
LOST_ANSWER = timedelta(seconds=60)


@dataclass(frozen=True)
class Flight:
    """How long one request takes in each direction, and what of it gets lost."""

    there: float = 0.1
    back: float = 0.1
    lost: str | None = None


@dataclass(frozen=True)
class Action:
    """What a tab does after a pause: `use`, `refresh` or `reload`."""

    pause: float
    does: str


class Browser:
    """The shared token store, the network, and what the server has handed out."""

    def __init__(self, sessions, time, held, flights):
        self.sessions, self.time = sessions, time
        self.held = held
        self.presented = set()
        self._flights = iter(flights)
        self._lost = 0
        self._locked = False
        self._kept_at = time.clock.now() - timedelta(seconds=FRESH)
        self._issued = [held]
        self._used = set()
        self._rotated_at = time.clock.now()

    @property
    def is_fresh(self):
        return self.time.clock.now() - self._kept_at < timedelta(seconds=FRESH)

    @asynccontextmanager
    async def lock(self):
        while self._locked:
            await self.time.wait(0.5)
        self._locked = True
        try:
            yield
        finally:
            self._locked = False

    def keep(self, held):
        if held != self.held:
            self.held, self._kept_at, self._lost = held, self.time.clock.now(), 0

    def flight(self):
        return next(self._flights, Flight())

    def refresh_flight(self):
        flight = self.flight()
        self._lost += flight.lost is not None
        return flight if self._lost <= LOST_IN_A_ROW else replace(flight, lost=None)

    async def ask(self, send, held, flight):
        """The answer to a request; None when it or its answer got lost."""
        await self.time.wait(flight.there)
        await self.check_generations()
        answer = None if flight.lost == "request" else await send(held)
        await self.time.wait(TIMEOUT - flight.there if flight.lost else flight.back)
        return None if flight.lost else answer

    async def arrives(self, held, flight):
        """A refresh whose page has gone."""
        await self.time.wait(flight.there)
        if flight.lost != "request":
            await self.rotate(held)

    async def rotate(self, held):
        """What the server makes of a refresh: a failure signs the user out, and fails the test."""
        result = await self.sessions.refresh(held)
        successor = held.after(result)
        if not result.idempotent_replay:
            self._rotated_at = self.time.clock.now()
            self._issued.append(successor)
        assert successor == self._issued[-1]
        return successor

    async def use(self, held):
        """Whether the server takes the token; a 401 that says that the session has ended fails the test."""
        if refusal := await code_of(self.sessions.use(held)):
            assert refusal == "UNAUTHENTICATED"
            return refusal
        if held == self._issued[-1]:
            self._used.add(held)
        return "fine"

    async def check_generations(self):
        """The law: beside the current generation only the one before lives, and no longer than its window."""
        recent, now = self.sessions.platform._recent, self.time.clock.now()
        session = Session(await recent.get(self.held.tenant, self.held.ref))
        *older, current = self._issued
        assert (session.state, session.gen) == ("ACTIVE", len(self._issued))
        since = now - self._rotated_at
        for gen, held in enumerate(older, start=1):
            is_before = gen == session.gen - 1
            accepted = is_before and since <= OVERLAP
            refreshes = is_before and (since <= OVERLAP or (since <= LOST_ANSWER and current not in self._used))
            assert (await code_of(self.sessions.identify(held)) is None) == accepted
            assert self._refreshes(session, gen) == refreshes

    def _refreshes(self, session, gen):
        try:
            judge(session, None, gen, self.time.clock.now())
        except IntentError:
            return False
        return True


class Tab:
    """One tab, and what it is going to do."""

    def __init__(self, browser, actions):
        self._browser, self._actions = browser, actions

    async def live(self):
        for action in self._actions:
            await self._browser.time.wait(action.pause)
            await getattr(self, action.does)()

    async def use(self):
        """Ask for something, with another token after a 401."""
        browser = self._browser
        for _ in range(5):
            held = browser.held
            if await browser.ask(browser.use, held, browser.flight()) != "UNAUTHENTICATED":
                return
            if browser.held == held:
                await self.refresh(held)
        message = "the tab has no token that is taken"
        raise AssertionError(message)

    async def refresh(self, failed=None):
        """Refresh what is in the store, or only the token that `failed`, until there is an answer."""
        browser = self._browser
        while True:
            async with browser.lock():
                held = browser.held
                if failed not in (None, held) or browser.is_fresh:
                    return
                browser.presented.add(held)
                successor = await browser.ask(browser.rotate, held, browser.refresh_flight())
                if successor:
                    browser.keep(successor)
                    return
            failed = held
            await browser.time.wait(3)

    async def reload(self):
        """Go while a refresh is under way: its answer goes nowhere, and the lock is free at once. Then refresh anew."""
        browser = self._browser
        async with browser.lock():
            held = browser.held
            if held in browser.presented or browser.is_fresh:
                return
            browser.presented.add(held)
            browser.time.begin(browser.arrives(held, browser.flight()))
        await browser.time.wait(0.1)
        await self.refresh(held)


@dataclass
class Copy:
    """Somebody with a copy of a token that nobody else looks at."""

    sessions: object
    held: object
    presented: dict

    async def use(self):
        return await code_of(self.sessions.use(self.held))

    async def refresh(self):
        gen = self.held.claims["gen"]
        try:
            self.held = await self.sessions.rotate(self.held)
        except IntentError as refused:
            return refused.code
        self.presented.setdefault(gen, self.sessions.clock.now())
        return None
