"""What every store's platform draws instead of the system's randomness: in the same step the same bytes."""

import asyncio
import os
import random
from contextlib import contextmanager
from contextvars import ContextVar

from symphainy_platform.context import Randomness

_OF_CALL = ContextVar("draws of a call", default=None)


class Draws:
    """A seeded source of ids, salts and nonces while a step runs; the system's own at all other times.

    Calls that run at once draw each from a source of its own, whichever of them a store lets go first;
    what a thread draws for them (the salt of a password) comes from that of the step.
    """

    def __init__(self, monkeypatch):
        """Take the place of every source that the platform draws from."""
        self._system = os.urandom
        self._of_step = None
        monkeypatch.setattr(Randomness, "take", lambda _, count: self.take(count))
        monkeypatch.setattr(os, "urandom", self.take)
        monkeypatch.setattr(random, "_urandom", self.take)  # what the module `secrets` draws from

    def take(self, count):
        source = _OF_CALL.get() or self._of_step
        return self._system(count) if source is None else source.randbytes(count)

    @contextmanager
    def of_step(self, step):
        self._step, self._of_step = step, random.Random(step)  # noqa: S311 - it shall be foreseeable
        try:
            yield
        finally:
            self._of_step = None

    async def at_once(self, *calls):
        """Let calls run at once; returns what came of them, in order."""
        return await asyncio.gather(*(self._alone(number, call) for number, call in enumerate(calls)))

    async def _alone(self, number, call):
        _OF_CALL.set(random.Random(f"{self._step}/{number}"))  # noqa: S311 - in the task that gather makes of this
        return await call
