"""Platform: opens a store, loads plugins, submits intents. The only thing most callers touch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

import pluggy

from symphainy_platform.context import Clock, Identity, IdSource, SystemClock, TimeOrderedIds
from symphainy_platform.contract.catalog import Catalog
from symphainy_platform.errors import Unauthenticated
from symphainy_platform.hookspecs import PlatformContext
from symphainy_platform.identity.keyring import KeyRing
from symphainy_platform.plugins import (
    Loaded,
    load_identity_sources,
    load_plugins,
    load_proofs,
    load_realms,
    open_store,
)
from symphainy_platform.reading import Reading
from symphainy_platform.runtime.answer import Answers
from symphainy_platform.runtime.audit import Audit
from symphainy_platform.runtime.dispatcher import Dispatcher
from symphainy_platform.runtime.execution import ExecutionResult, IntentRequest
from symphainy_platform.runtime.key import Keys
from symphainy_platform.runtime.parts import Parts
from symphainy_platform.runtime.publish import EventFeed
from symphainy_platform.runtime.telemetry import Telemetry
from symphainy_platform.runtime.validate import is_large
from symphainy_platform.settings import Settings
from symphainy_platform.state.artifact import Artifact
from symphainy_platform.state.group_commit import GroupCommit
from symphainy_platform.state.pending import PendingWrites
from symphainy_platform.state.recent import RecentArtifacts
from symphainy_platform.state.records import Commit, PublishedEvent
from symphainy_platform.state.store import (
    Announces,
    ArtifactById,
    EventFilter,
    Health,
    Retention,
    Store,
    SweepResult,
    load_one,
)
from symphainy_platform.sweeping import Sweeping

DAY = 86_400.0


class Platform:
    """One running platform. Open it with `async with Platform.open(Settings(...)) as platform`."""

    def __init__(
        self, settings: Settings, clock: Clock, store: Store, loaded: Loaded, manager: pluggy.PluginManager
    ) -> None:
        """Use `Platform.open`."""
        self.settings = settings
        self.clock = clock
        self.store = store
        self.loaded = loaded
        self.keys = KeyRing(store, settings, clock)
        """The platform's own keys: signatures, references, seals."""
        self._recent = RecentArtifacts(store, clock)
        lent = self._lent()
        self._identity_sources = load_identity_sources(manager, lent)
        self._proofs = load_proofs(manager, lent, loaded.served)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: Settings | None = None,
        *,
        clock: Clock | None = None,
        store: Store | None = None,
        plugins: Sequence[object] = (),
        contracts: Catalog | None = None,
    ) -> AsyncIterator[Self]:
        """Open the store (migrating it), load the realms, and close everything at the end.

        `store` replaces the one that the settings name, `plugins` adds plugins without entry
        points, `contracts` is the catalog of another platform with the same plugins, whose files
        need not be read again; all for tests and embedders. Raises StartError with a sentence to act on.
        """
        settings = settings or Settings()
        clock = clock or SystemClock()
        manager = load_plugins(plugins)
        loaded = load_realms(manager, settings, contracts)
        store = store or open_store(manager, settings, clock)
        platform = cls(settings, clock, store, loaded, manager)
        await store.migrate()
        await store.open()
        try:
            await platform._start()
            yield platform
        finally:
            await platform._stop()

    async def submit_intent(  # noqa: PLR0913 - the parts of a request, by keyword
        self,
        intent_type: str,
        parameters: Mapping[str, Any],
        *,
        identity: Identity | None,
        idempotency_key: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        contract_version: str | None = None,
        trace_id: str | None = None,
        solution_id: str | None = None,
    ) -> ExecutionResult:
        """Submit one intent on behalf of `identity`; returns its answer or raises IntentError."""
        return await self.dispatch(
            IntentRequest(
                intent_type=intent_type,
                parameters=parameters,
                identity=identity,
                idempotency_key=idempotency_key,
                metadata=metadata or {},
                contract_version=contract_version,
                trace_id=trace_id,
                solution_id=solution_id,
                large=is_large(parameters),
            )
        )

    async def dispatch(self, request: IntentRequest) -> ExecutionResult:
        """Submit a request that an edge has translated."""
        return await self._dispatcher.dispatch(request)

    async def identify(self, token: str) -> Identity:
        """The identity that a bearer token proves, by the first source that knows its kind; else Unauthenticated.

        So is one that is only `external`: it may open a session, and nothing beside that.
        """
        found = await self._proven_by(token)
        if found.external:
            raise Unauthenticated
        return found

    async def _proven_by(self, token: str) -> Identity:
        for source in self._identity_sources:
            if (found := await source.identify(token)) is not None:
                return found
        raise Unauthenticated

    @property
    def read(self) -> Reading:
        """What callers may look at: executions, artifacts, versions, journeys."""
        return self._reading

    @property
    def contracts(self) -> Catalog:
        """Every contract that is served, and every artifact type, journey and role that was loaded."""
        return self.loaded.served

    @property
    def ids(self) -> IdSource:
        """The one source of identifiers of this platform."""
        return self._parts.ids

    @property
    def telemetry(self) -> Telemetry:
        """Metrics of this platform; `telemetry.registry` is what `/metrics` shows."""
        return self._parts.telemetry

    def events(
        self,
        *,
        identity: Identity,
        after: str | None = None,
        artifact_id: str | None = None,
        type: str | None = None,  # noqa: A002
    ) -> AsyncIterator[PublishedEvent]:
        """The caller's own events (role `service`: the tenant's), after a cursor.

        Without one from the first step of the iteration on, not from this call on.
        """
        where = EventFilter(
            tenant_id=identity.tenant_id,
            user_id=None if identity.is_service else identity.user_id,
            artifact_id=artifact_id,
            type=type,
        )
        return self._parts.feed.subscribe(where, after)

    async def health(self) -> Health:
        """Ready when the store answers and its migrations are current."""
        return await self.store.health()

    @property
    def audit(self) -> Audit:
        """The audit chains: `append` takes the events that were committed, `verify` tells what is wrong."""
        return self._audit

    async def sweep(self, progress: Callable[[SweepResult], None] | None = None) -> SweepResult:
        """Purge what retention gives up, in bounded steps with pauses; returns the totals.

        Artifacts that are due are ended or purged, as their type declares. Events go only after the
        audit has taken them, which it does first; so do signing keys whose tokens have all ended.
        """
        await self.audit.append()
        retention = Retention(
            executions=self.settings.execution_retention_days * DAY, outbox=self.settings.outbox_retention_days * DAY
        )
        await self.keys.prune()
        return await self._sweeping.run(retention, progress)

    def stop_accepting(self) -> None:
        """Refuse new intents with SHUTTING_DOWN, and end event streams."""
        self._dispatcher.stop_accepting()
        self._parts.feed.end()

    async def drain(self) -> None:
        """Wait until every intent that runs has ended and all that was handed to the store is decided."""
        await self._dispatcher.drain()
        await self._parts.writer.settle()

    async def _start(self) -> None:
        self._sweeping = Sweeping(self.store, self.clock, self.loaded.catalog, self.submit_intent)
        self._audit = Audit(self.store, self.loaded.catalog.audited_events)
        ids = TimeOrderedIds(self.clock)
        pending = PendingWrites()
        telemetry = Telemetry(lambda: writer.waiting)
        measured = telemetry.delivered(self.clock)

        def delivered(event: PublishedEvent) -> None:
            self._recent.forget(event.tenant_id, event.artifact_id)  # another process may have changed it
            measured(event)

        feed = EventFeed(self.store, delivered)
        if isinstance(self.store, Announces):
            self.store.on_change(feed.wake)

        def decided(commits: Sequence[Commit]) -> None:
            for commit in commits:
                pending.remove(commit)
            self._recent.committed(commits)
            if any(commit.events for commit in commits):
                feed.wake()

        writer = GroupCommit(self.store, decided=decided)
        answers = Answers(self.store, self.loaded.presenter_of)
        self._parts = Parts(
            store=self.store,
            routes=self.loaded.routes,
            roles=self.loaded.catalog.roles,
            keys=Keys(await self.store.secret("idempotency"), self.settings.client_key_ttl_seconds),
            answers=answers,
            feed=feed,
            telemetry=telemetry,
            clock=self.clock,
            ids=ids,
            identify=self._proven_by,
            proofs=self._proofs,
            key_ring=self.keys,
            lifecycle_of=self.loaded.catalog.lifecycle,
            default_deadline=self.settings.default_deadline_seconds,
            writer=writer,
            pending=pending,
        )
        self._dispatcher = Dispatcher(self._parts)
        self._reading = Reading(self.store, answers, self.loaded.catalog, writer)

    def _lent(self) -> PlatformContext:
        async def artifact(tenant_id: str, artifact_id: str) -> Artifact | None:
            return await load_one(self.store, ArtifactById(tenant_id, artifact_id))

        return PlatformContext(
            settings=self.settings,
            clock=self.clock,
            keys=self.keys,
            recent=self._recent,
            artifact=artifact,
            submit=self.submit_intent,
            identify=self._proven_by,
            permissions_of=self.loaded.catalog.roles.permissions_of,
        )

    async def _stop(self) -> None:
        if hasattr(self, "_dispatcher"):
            self._dispatcher.stop_accepting()
            await self._dispatcher.drain()
            await self._parts.feed.close()
            await self._parts.writer.close()
        await self.store.close()
