"""Group commit: what waits is written together, and no caller's end can take it back."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

import structlog

from symphainy_platform.errors import DatabaseUnavailable, HandlerError, ShuttingDown
from symphainy_platform.faults import frames
from symphainy_platform.state.records import Commit, Failed, Outcome
from symphainy_platform.state.store import Store

log = structlog.get_logger(__name__)

MAX_BATCH = 64
"""Intents per store call: 3 to 5 times the throughput of single commits; more gains nothing."""

PATIENCE = 0.02
"""Seconds that a commit which nobody waits for may wait for company: a flush costs as much as 20 of them.

Others wait as long at the most for a batch that is being written: what gathers meanwhile costs less together than
a second lane wins. That one is for batches that take longer, because they are large or wait for a lock.
"""

APART = 10.0
"""Seconds that writes to an artifact go apart after its lock was not to be had: others shall not wait for it, too."""

_CONTENDED = "contended"
_Item = tuple[Commit, "asyncio.Future[Outcome]"]
_Places = set[tuple[str, str]]


class GroupCommit:
    """Hands commits to a store in batches: whatever somebody waits for goes at once, no timer.

    One artifact is never in two batches at the same time, so its versions keep their order.
    """

    def __init__(
        self, store: Store, *, max_waiting: int = 1_000, decided: Callable[[Sequence[Commit]], None] = lambda _: None
    ) -> None:
        """Write to `store`; `max_waiting` bounds the commits that nobody waits for.

        `decided` is told of each batch whose outcomes are known, right before its waiters are.
        """
        self._decided = decided
        self._room: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._store = store
        self._waiting: deque[_Item] = deque()
        self._lanes: set[asyncio.Task[None]] = set()
        self._running = 0
        self._undecided: set[asyncio.Future[Outcome]] = set()
        self._in_flight: _Places = set()
        self._locked: dict[tuple[str, str], float] = {}
        self._begun: dict[int, float] = {}
        """Since when each batch is being written, on the loop's clock."""
        self._max_waiting = max_waiting
        self._closed = False

    @property
    def waiting(self) -> int:
        """Commits that are handed over and not yet in a batch."""
        return len(self._waiting)

    @property
    def busy(self) -> bool:
        """True while anything that was handed over is not decided yet."""
        return bool(self._undecided)

    def hand_over(self, commit: Commit) -> asyncio.Future[Outcome]:
        """Take the commit over for good and return the future of its outcome.

        The future fails with DatabaseUnavailable when the store does not answer; it is then
        unknown only to this process whether anything was written: ask by execution id.
        """
        outcome = self._accept(commit)
        self._wake()
        return outcome

    async def enqueue(self, commit: Commit) -> None:
        """Take over a commit that no answer waits for; a failure is logged, not raised.

        While `max_waiting` commits wait, the caller waits as well: the store does not keep up,
        and memory must not grow without bound.
        """
        while len(self._waiting) >= self._max_waiting:
            self._room = self._room or asyncio.get_running_loop().create_future()
            await asyncio.shield(self._room)
        self._accept(commit).add_done_callback(_log_failure)
        if len(self._waiting) >= MAX_BATCH:
            self._wake()
            await asyncio.sleep(0)  # a caller that never waits would keep the lanes from running
        else:
            self._wake_later()

    async def settle(self) -> None:
        """Wait until everything that was handed over before this call is decided."""
        if self._undecided:
            self._wake()
            await asyncio.wait(set(self._undecided))

    async def close(self) -> None:
        """Take no more commits and wait for those that were handed over."""
        self._closed = True
        await self.settle()

    def _accept(self, commit: Commit) -> asyncio.Future[Outcome]:
        if self._closed:
            raise ShuttingDown
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._undecided.add(outcome)
        self._waiting.append((commit, outcome))
        return outcome

    def _wake(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._running < self._store.lanes and not self._gathers():
            self._running += 1
            lane = asyncio.create_task(self._run())
            self._lanes.add(lane)
            lane.add_done_callback(self._lanes.discard)

    async def _run(self) -> None:
        """Write until nothing waits; what is handed over from then on, before this task is done, needs a new lane."""
        try:
            while not self._gathers() and (batch := self._take()):
                self._make_room()
                await self._write_batch(batch)
        finally:
            self._running -= 1

    def _gathers(self) -> bool:
        """Whether what waits should wait for the batch of another lane; if so, it is looked at again in time."""
        now = asyncio.get_running_loop().time() if self._begun else 0.0
        gathers = any(now < begun + PATIENCE for begun in self._begun.values())
        if gathers and self._waiting:
            self._wake_later()
        return gathers

    def _wake_later(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PATIENCE, self._wake)

    def _make_room(self) -> None:
        if self._room is not None and len(self._waiting) < self._max_waiting:
            self._room.set_result(None)
            self._room = None

    async def _write_batch(self, batch: Sequence[_Item]) -> None:
        places = [place for commit, _ in batch for place in _places(commit)]
        self._in_flight.update(places)
        commits = [commit for commit, _ in batch]
        self._begun[id(batch)] = asyncio.get_running_loop().time()
        outcomes = await self._write(commits)
        del self._begun[id(batch)]
        self._in_flight.difference_update(places)
        self._tell(batch, outcomes)
        self._note_locks(batch, outcomes)

    def _tell(self, items: Sequence[_Item], outcomes: Sequence[Outcome | Exception]) -> None:
        self._decided([commit for commit, _ in items])
        for (_, future), outcome in zip(items, outcomes, strict=True):
            self._undecided.discard(future)
            _decide(future, outcome)

    def _note_locks(self, batch: Sequence[_Item], outcomes: Sequence[Outcome | Exception]) -> None:
        """Remember whose lock was not to be had; who waits behind such a write waits for the same in vain."""
        until = asyncio.get_running_loop().time() + APART
        for (commit, _), outcome in zip(batch, outcomes, strict=True):
            if _is_contended(outcome):
                self._locked.update(dict.fromkeys(commit.touched, until))
                self._give_up(set(commit.touched))
            elif self._locked:
                for place in commit.touched:
                    self._locked.pop(place, None)

    def _give_up(self, places: _Places) -> None:
        hopeless = [item for item in self._waiting if not places.isdisjoint(item[0].touched)]
        for item in hopeless:
            self._waiting.remove(item)
        if hopeless:
            self._make_room()
            self._tell(hopeless, [DatabaseUnavailable(reason=_CONTENDED) for _ in hopeless])

    def _take(self) -> list[_Item]:
        """The next batch: of what waited for a lock in vain lately, in one lane at a time, or else of all others."""
        self._forget_locks()
        if self._locked and self._in_flight.isdisjoint(self._locked) and (batch := self._take_some(apart=True)):
            return batch
        return self._take_some(apart=False)

    def _forget_locks(self) -> None:
        if self._locked:
            now = asyncio.get_running_loop().time()
            self._locked = {place: until for place, until in self._locked.items() if until > now}

    def _take_some(self, *, apart: bool) -> list[_Item]:
        """Up to MAX_BATCH items in order, leaving those whose artifact another lane is writing."""
        batch: list[_Item] = []
        left: deque[_Item] = deque()
        held: _Places = set()
        while self._waiting and len(batch) < MAX_BATCH:
            item = self._waiting.popleft()
            places = _places(item[0])
            not_now = bool(self._locked) and any(place in self._locked for place in item[0].touched) is not apart
            if not_now or any(place in self._in_flight or place in held for place in places):
                held.update(places)
                left.append(item)
            else:
                batch.append(item)
        self._waiting.extendleft(reversed(left))
        return batch

    async def _write(self, commits: list[Commit]) -> Sequence[Outcome | Exception]:
        try:
            return await self._store.commit(commits)
        except DatabaseUnavailable as error:
            return [DatabaseUnavailable(error.message, **error.details) for _ in commits]
        except Exception as error:  # noqa: BLE001 - the plugin boundary: a broken store must not strand its callers
            log.error(  # noqa: TRY400 - a traceback may show parameters
                "store_failed", store=self._store.name, error_type=type(error).__name__, at=frames(error)
            )
            return [_wrapped(error) for _ in commits]


def _wrapped(cause: Exception) -> HandlerError:
    error = HandlerError("The store failed in a way that it does not declare.")
    error.__cause__ = cause
    return error


def _places(commit: Commit) -> list[tuple[str, str]]:
    return [(commit.execution.tenant_id, write.artifact.artifact_id) for write in commit.artifacts]


def _is_contended(outcome: Outcome | Exception) -> bool:
    error = outcome.error if isinstance(outcome, Failed) else outcome
    return isinstance(error, DatabaseUnavailable) and error.details.get("reason") == _CONTENDED


def _decide(future: asyncio.Future[Outcome], outcome: Outcome | Exception) -> None:
    if future.cancelled():  # whoever waited for it is gone; the others of the batch are not
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
        future.exception()  # marked as seen: the caller may be gone by now
    else:
        future.set_result(outcome)


def _log_failure(future: asyncio.Future[Outcome]) -> None:
    error = future.exception()
    if error is None and isinstance(outcome := future.result(), Failed):
        error = outcome.error
    if error is not None:
        log.warning("execution_not_recorded", reason=getattr(error, "code", type(error).__name__))
