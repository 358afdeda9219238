"""One platform on one database with a manual clock and a store that can fail: where a check takes place."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from symphainy_platform.context import Identity, isoformat
from symphainy_platform.contract.catalog import Catalog
from symphainy_platform.contract.expansion import expanded, is_from_before
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.scenario import Fixture
from symphainy_platform.errors import IntentError
from symphainy_platform.platform import Platform
from symphainy_platform.runtime.execution import ExecutionResult
from symphainy_platform.settings import Settings
from symphainy_platform.state.artifact import Artifact
from symphainy_platform.state.records import Commit, Committed, PublishedEvent
from symphainy_platform.state.store import ArtifactById, EventFilter, load_one
from symphainy_platform.testing.callers import Cast, Who
from symphainy_platform.testing.clock import ManualClock
from symphainy_platform.testing.faulty_store import FaultyStore, as_store
from symphainy_platform.testing.fixtures import commit_of, successor_of
from symphainy_platform.testing.state import State
from symphainy_platform.testing.stores import StoreBinding
from symphainy_platform.testing.values import secrets_in

TICK = 0.001
"""Seconds between two submissions of a scenario: nothing happens at the same instant by accident."""

STOP_SECONDS = 20.0
"""Real seconds that a platform may take to stop; beyond them an execution is stranded."""

_ALL_EVENTS = 10_000
_FORGETTING_SECONDS = 1.0
"""After this time what a process remembers of another's artifacts is read anew (40-auth-sessions)."""
_MASTER_KEY = SecretStr(base64.urlsafe_b64encode(bytes(range(32))).decode())
_PASSWORD_MEMORY_KIB = 19_456
"""The least that is allowed: the suite hashes many passwords."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One submission, as a value that can be varied and repeated, in one world after another.

    Who the caller is, and what a `$ref` in the params stands for, is the world's to say.
    """

    intent: str
    version: str | None = None
    params: Mapping[str, Any]
    caller: Who = "owner"
    changed: Callable[[Identity], Identity] | None = None
    """What becomes of the caller's identity before it is used."""
    key: str | None = None

    def sending(self, **params: Any) -> Call:
        """The same call with these parameters set."""
        return replace(self, params={**self.params, **params})

    def omitting(self, *names: str) -> Call:
        """The same call without these parameters."""
        return replace(self, params={name: value for name, value in self.params.items() if name not in names})

    def by(self, caller: Who, changed: Callable[[Identity], Identity] | None = None) -> Call:
        """The same call by somebody else, or by somebody who has changed."""
        return replace(self, caller=caller, changed=changed)

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

    @property
    def answers(self) -> dict[str, Any]:
        """What can be saved of it: the payload of every artifact, and the execution_id."""
        artifacts = self.result.artifacts if self.result else {}
        payloads = {name: entry["semantic_payload"] for name, entry in artifacts.items()}
        return {**payloads, "execution_id": self.execution_id}

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
    cast: Cast = field(default_factory=Cast)
    """Who the callers are."""
    saved: dict[str, Any] = field(default_factory=dict)
    """What the setup has saved."""
    secrets: set[str] = field(default_factory=set)
    """Secret texts that were sent, or answered."""
    open: set[str] = field(default_factory=set)
    """Texts that were sent as no secret."""
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
        for fixture in fixtures:
            await self._write(commit_of(fixture, owner, made_at, self.platform.contracts))
        self.store.watch()

    async def alter(self, artifact: Artifact, **changes: Any) -> None:
        """Store the next version of an artifact, or an artifact that is none yet, as something else has made it."""
        await self._write(successor_of(artifact, isoformat(self.clock.now()), changes))
        self.clock.advance(_FORGETTING_SECONDS)
        self.store.watch()

    async def artifact(self, tenant_id: str, artifact_id: str) -> Artifact | None:
        """The current version of an artifact."""
        return await load_one(self.platform.store, ArtifactById(tenant_id, artifact_id))

    async def _write(self, commit: Commit) -> None:
        (outcome,) = await self.platform.store.commit([commit])
        if not isinstance(outcome, Committed):
            artifact = commit.artifacts[0].artifact
            msg = f"the store refuses the {artifact.artifact_type} {artifact.artifact_id}: {outcome}"
            raise TypeError(msg)
        self.clock.advance(TICK)

    def identity(self, call: Call) -> Identity | None:
        """Who submits this call in this world; None: nobody whom we know."""
        contracts = self.platform.contracts
        found = self.cast.identity(call.caller, self._contract(call), contracts.roles)
        return call.changed(found) if call.changed and found else found

    def params(self, call: Call) -> Mapping[str, Any]:
        """What this call sends in this world."""
        if not any(map(is_from_before, call.params.values())):
            return call.params
        return {name: expanded(value, self.known) for name, value in call.params.items()}

    @property
    def known(self) -> dict[str, Any]:
        """What the forms in params stand for in this world."""
        return {**self.saved, **self.cast.facts()}

    def _contract(self, call: Call) -> Contract:
        contracts = self.platform.contracts
        if call.version is None:
            found = contracts.newest(call.intent)
        else:
            found = contracts.contracts[call.intent, int(call.version.partition(".")[0])].value
        if found is None:
            raise LookupError(call.intent)
        return found

    async def submit(self, call: Call, *, platform: Platform | None = None) -> Outcome:
        """Submit; a failure is an outcome like any other."""
        contract, sent = self._contract(call), self.params(call)
        self.secrets.update(secrets_in(contract.params, sent))
        self.open.update(text for name, text in sent.items() if isinstance(text, str) and self._is_open(contract, name))
        try:
            result = await (platform or self.platform).submit_intent(
                call.intent,
                sent,
                identity=self.identity(call),
                idempotency_key=call.key,
                contract_version=call.version,
            )
        except IntentError as error:
            return Outcome(error=error)
        outcome = Outcome(result=result)
        for name, shapes in contract.returns.items():
            self.secrets.update(secrets_in(shapes, outcome.answers.get(name, {})))
        return outcome

    @staticmethod
    def _is_open(contract: Contract, name: str) -> bool:
        return name in contract.params and not contract.params[name].secret

    @property
    def hidden(self) -> set[str]:
        """Secret texts that nobody has sent in the open, too (a password that is the user's address)."""
        return self.secrets - self.open

    async def state(self) -> State:
        """Everything that is stored, once all that was handed over is."""
        await self._drain()
        return State.of(self.binding.dump(self.folder))

    async def at_rest(self) -> str:
        """Every value of every table, as text."""
        await self._drain()
        return repr(self.binding.dump(self.folder))

    async def events(self) -> tuple[PublishedEvent, ...]:
        """The whole outbox, in order."""
        await self._drain()
        return (await self.platform.store.events_after("0", EventFilter(), _ALL_EVENTS)).events

    async def _drain(self) -> None:
        for platform in (self.platform, *self._others):
            await platform.drain()

    @asynccontextmanager
    async def _open(self, store: FaultyStore) -> AsyncIterator[Platform]:
        settings = _settings().model_copy(update={"home": self.folder})
        async with Platform.open(
            settings, clock=self.clock, store=as_store(store), plugins=self.plugins, contracts=self.contracts
        ) as platform:
            store.watch()
            yield platform


@cache
def _settings() -> Settings:
    """The settings of every world but its folder; the environment is read once."""
    return Settings(master_key=_MASTER_KEY, password_memory_kib=_PASSWORD_MEMORY_KIB)


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
            self.binding.remove(folder)
