"""One platform on one database with a manual clock and a store that can fail: where a check takes place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from symphainy_platform.context import Identity, isoformat
from symphainy_platform.contract.catalog import Catalog
from symphainy_platform.contract.scenario import Fixture
from symphainy_platform.errors import IntentError
from symphainy_platform.platform import Platform
from symphainy_platform.runtime.execution import ExecutionResult
from symphainy_platform.settings import Settings
from symphainy_platform.state.records import Committed, PublishedEvent
from symphainy_platform.state.store import EventFilter
from symphainy_platform.testing.clock import ManualClock
from symphainy_platform.testing.faulty_store import FaultyStore, as_store
from symphainy_platform.testing.fixtures import commit_of
from symphainy_platform.testing.state import State
from symphainy_platform.testing.stores import StoreBinding

TICK = 0.001
"""Seconds between two submissions of a scenario: nothing happens at the same instant by accident."""

STOP_SECONDS = 20.0
"""Real seconds that a platform may take to stop; beyond them an execution is stranded."""

_ALL_EVENTS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One submission, as a value that can be varied and repeated."""

    intent: str
    version: str | None = None
    params: Mapping[str, Any]
    identity: Identity | None
    key: str | None = None

    def sending(self, **params: Any) -> Call:
        """The same call with these parameters set."""
        return replace(self, params={**self.params, **params})

    def omitting(self, *names: str) -> Call:
        """The same call without these parameters."""
        return replace(self, params={name: value for name, value in self.params.items() if name not in names})

    def by(self, identity: Identity | None) -> Call:
        """The same call by somebody else."""
        return replace(self, identity=identity)

    def keyed(self, key: str | None) -> Call:
        """The same call with this Idempotency-Key."""
        return replace(self, key=key)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a submission: an answer or a failure."""

    result: ExecutionResult | None = None
    error: IntentError | None = None

    @property
    def code(self) -> str | None:
        """The failure's code; None for a success."""
        return self.error.code if self.error else None

    @property
    def execution_id(self) -> str | None:
        """The execution that the envelope names."""
        return self.result.execution_id if self.result else self.error.execution_id if self.error else None

    @property
    def is_replay(self) -> bool:
        """Whether it is a success that repeats an earlier one."""
        return self.result is not None and self.result.idempotent_replay

    @property
    def answer(self) -> tuple[Any, Any]:
        """Artifacts and events: what a replay must repeat."""
        return (self.result.artifacts, list(self.result.events)) if self.result else (None, None)

    def __str__(self) -> str:
        """For reports: how it ended, without data."""
        return self.code or ("a replay" if self.is_replay else "a success")


@dataclass(slots=True, kw_only=True)
class World:
    """A running platform that can be restarted, doubled, faulted and looked into."""

    binding: StoreBinding
    folder: Path
    plugins: Sequence[object] = ()
    contracts: Catalog | None = None
    """What the plugins' files say, where somebody has read them already."""
    clock: ManualClock = field(default_factory=ManualClock)
    platform: Platform = field(init=False)
    store: FaultyStore = field(init=False)
    _others: list[Platform] = field(default_factory=list)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self) -> None:
        """Open the platform on the folder's database."""
        self.store = FaultyStore(self.binding.create(self.folder, self.clock))
        self.platform = await self._stack.enter_async_context(self._open(self.store))

    async def stop(self) -> None:
        """Close the platform and everything that was opened beside it; TimeoutError when it does not end."""
        async with asyncio.timeout(STOP_SECONDS):
            await self._stack.aclose()
        self._stack, self._others = AsyncExitStack(), []

    async def restart(self) -> None:
        """Stop the process, so to speak, and start a new one on the same database."""
        await self.stop()
        await self.start()

    async def second_platform(self) -> Platform:
        """Another process on the same database, until this world stops."""
        store = FaultyStore(self.binding.create(self.folder, self.clock))
        other = await self._stack.enter_async_context(self._open(store))
        self._others.append(other)
        return other

    async def put(self, fixtures: Sequence[Fixture], owner: Identity) -> None:
        """Store artifacts and rows as if the owner had made them an hour ago."""
        made_at = isoformat(self.clock.now())
        columns = self.platform.contracts
        for fixture in fixtures:
            commit = commit_of(fixture, owner, made_at, columns)
            (outcome,) = await self.platform.store.commit([commit])
            if not isinstance(outcome, Committed):
                msg = f"the store refuses the fixture {fixture.artifact} {fixture.id}: {outcome}"
                raise TypeError(msg)
            self.clock.advance(TICK)
        self.store.watch()

    async def submit(self, call: Call, *, platform: Platform | None = None) -> Outcome:
        """Submit; a failure is an outcome like any other."""
        try:
            return Outcome(
                result=await (platform or self.platform).submit_intent(
                    call.intent,
                    call.params,
                    identity=call.identity,
                    idempotency_key=call.key,
                    contract_version=call.version,
                )
            )
        except IntentError as error:
            return Outcome(error=error)

    async def state(self) -> State:
        """Everything that is stored, once all that was handed over is."""
        await self._drain()
        return State.of(self.binding.dump(self.folder))

    async def events(self) -> tuple[PublishedEvent, ...]:
        """The whole outbox, in order."""
        await self._drain()
        return (await self.platform.store.events_after("0", EventFilter(), _ALL_EVENTS)).events

    async def _drain(self) -> None:
        for platform in (self.platform, *self._others):
            await platform.drain()

    @asynccontextmanager
    async def _open(self, store: FaultyStore) -> AsyncIterator[Platform]:
        settings = Settings(home=self.folder)
        async with Platform.open(
            settings, clock=self.clock, store=as_store(store), plugins=self.plugins, contracts=self.contracts
        ) as platform:
            store.watch()
            yield platform


@dataclass(slots=True)
class Worlds:
    """Where worlds are made. Each gets a database of its own in a subfolder."""

    folder: Path
    binding: StoreBinding
    plugins: Sequence[object] = ()
    contracts: Catalog | None = None
    _made: int = 0

    @asynccontextmanager
    async def new(self) -> AsyncIterator[World]:
        """A platform on an empty database, stopped at the end."""
        self._made += 1
        folder = self.folder / str(self._made)
        folder.mkdir(parents=True)
        world = World(binding=self.binding, folder=folder, plugins=self.plugins, contracts=self.contracts)
        await world.start()
        try:
            yield world
        finally:
            await world.stop()
