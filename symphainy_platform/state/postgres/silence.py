"""A database that answers nobody: who comes in turn does not wait as long as the one before, and the one before that.

A call is given up after 5 s. Writers of one artifact, reads and commits that wait for a lane come one after
another: each would hang for 5 s more. So once a call was given up and nobody has had an answer for half of
that time, all who come then share 0.4 s to find out otherwise, and are refused at once for about another second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from math import inf
from time import monotonic
from typing import TypeVar

import asyncpg

from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.state.postgres.driver import Connection, Runner
from symphainy_platform.state.postgres.faults import is_lost

T = TypeVar("T")
_TRY_SECONDS = 0.4
_REFUSE_SECONDS = 1.1


class Impatient:
    """A way to the database that remembers whether anybody gets an answer there."""

    def __init__(self, way: Runner) -> None:
        """Nobody has asked yet."""
        self._way = way
        self._heard = -inf
        self._given_up = -inf
        self._tried: float | None = None
        self._beside: Impatient | None = None

    def learn_with(self, other: Impatient) -> None:
        """Share what each finds out with another way to the same database; an answer there says nothing of this way."""
        self._beside, other._beside = other, self

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work` on that way, for as long as that way bears it, or less after a silence.

        Raises DatabaseUnavailable at once while there is no hope; nothing was sent then.
        """
        begun = monotonic()
        seconds = self._seconds(begun)
        if seconds is not None and seconds <= 0:
            await asyncio.sleep(0)  # whoever tries again and again shall not keep all others from their turn
            raise DatabaseUnavailable(reason="timeout")
        try:
            async with asyncio.timeout(seconds):
                answer = await self._way.run(work)
        except (TimeoutError, DatabaseUnavailable) as error:
            if seconds is None and _is_silence(error):
                self._note_silence(begun)
            raise
        except asyncpg.PostgresError as error:
            if not is_lost(error):
                self._note_answer()
            raise
        self._note_answer()
        return answer

    def _seconds(self, now: float) -> float | None:
        """How long a call may take that begins now; None: as any. Nobody is refused before somebody has tried."""
        if now - self._given_up >= _TRY_SECONDS + _REFUSE_SECONDS:
            return None
        if self._tried is None:
            self._tried = now
        return _TRY_SECONDS - (now - self._tried)

    def _note_silence(self, begun: float) -> None:
        """Others may have been answered just before the database fell silent."""
        halfway = (begun + monotonic()) / 2
        for way in filter(None, (self, self._beside)):
            way.fall_silent(halfway)

    def fall_silent(self, since: float) -> None:
        """Take it that nobody is answered, unless somebody was since then."""
        if self._heard < since:
            self._given_up, self._tried = monotonic(), None

    def _note_answer(self) -> None:
        self._heard = monotonic()
        self._given_up, self._tried = -inf, None


def _is_silence(error: TimeoutError | DatabaseUnavailable) -> bool:
    return isinstance(error, TimeoutError) or error.details.get("reason") == "timeout"
