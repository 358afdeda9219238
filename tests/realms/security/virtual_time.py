"""Many lives on one clock that stands: whoever waits for the earliest moment goes on, one at a time."""

import asyncio
import heapq
import itertools
from datetime import timedelta


class VirtualTime:
    """Moves a manual clock from one awaited moment to the next."""

    def __init__(self, clock):
        self.clock = clock
        self._waiting = []
        self._order = itertools.count()
        self._rests = asyncio.Event()
        self._lives = []

    async def wait(self, seconds):
        await self._moment(seconds, self._rests.set)

    def begin(self, life):
        """Let a coroutine live from now on, beside those that do."""
        self._lives.append(asyncio.create_task(self._live(self._moment(0), life)))

    async def run(self):
        """Return when every life has ended; raises what one of them raises."""
        try:
            while self._waiting:
                when, _, woken = heapq.heappop(self._waiting)
                self.clock.advance((when - self.clock.now()).total_seconds())
                self._rests.clear()
                woken.set_result(None)
                await self._rests.wait()
                for life in self._lives:
                    if life.done():
                        life.result()
        finally:
            for life in self._lives:
                life.cancel()
            await asyncio.gather(*self._lives, return_exceptions=True)

    def _moment(self, seconds, then=lambda: None):
        woken = asyncio.get_running_loop().create_future()
        when = self.clock.now() + timedelta(seconds=seconds)
        heapq.heappush(self._waiting, (when, next(self._order), woken))
        then()
        return woken

    async def _live(self, begins, life):
        try:
            await begins
            await life
        finally:
            life.close()
            self._rests.set()
