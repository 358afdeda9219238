"""A store that fails when a test says so: before a call reaches it, or after its commit is durable."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.state.records import Commit, Outcome
from symphainy_platform.state.store import Read, Store

Verb = Literal["load", "commit"]
Moment = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class StoreStep:
    """One call of the store, counted from 1 since `watch`."""

    verb: Verb
    number: int

    def __str__(self) -> str:
        """As reports name it."""
        return f"{self.verb} {self.number}"


class FaultyStore:
    """Forwards every verb to a real store, remembers the calls of `load` and `commit`, and fails one of them."""

    def __init__(self, inner: Store) -> None:
        """Forward to `inner`; nothing fails until `fail_at`."""
        self._inner = inner
        self.watch()

    def watch(self) -> None:
        """Forget all calls and plans: the next call of each verb is its first."""
        self.steps: list[StoreStep] = []
        self._numbers: Counter[Verb] = Counter()
        self._plan: tuple[StoreStep, Moment] | None = None

    def fail_at(self, step: StoreStep, moment: Moment = "before") -> None:
        """Fail that call once: `before` it does anything, or `after` it (a commit is then durable)."""
        self.watch()
        self._plan = (step, moment)

    @property
    def failed(self) -> bool:
        """Whether the planned fault has happened."""
        return self._plan is not None and self._plan[0] in self.steps

    async def load(self, reads: Sequence[Read[Any]]) -> list[Any]:
        """As the port; counted."""
        step = await self._enter("load")
        loaded = await self._inner.load(reads)
        self._fail(step, "after")
        return loaded

    async def commit(self, batch: Sequence[Commit]) -> Sequence[Outcome]:
        """As the port; counted."""
        step = await self._enter("commit")
        outcomes = await self._inner.commit(batch)
        self._fail(step, "after")
        return outcomes

    def __getattr__(self, name: str) -> Any:
        """Every other verb and attribute is the inner store's."""
        return getattr(self._inner, name)

    async def _enter(self, verb: Verb) -> StoreStep:
        """Count the call; others run meanwhile, as with any store behind a network."""
        self._numbers[verb] += 1
        step = StoreStep(verb, self._numbers[verb])
        self.steps.append(step)
        await asyncio.sleep(0)
        self._fail(step, "before")
        return step

    def _fail(self, step: StoreStep, moment: Moment) -> None:
        if self._plan == (step, moment):
            raise DatabaseUnavailable(reason="injected")


def as_store(store: FaultyStore) -> Store:
    """The same object, typed as the port: verbs that it does not define are forwarded."""
    return cast("Store", store)
