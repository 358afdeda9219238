"""The verbs that are calls of the database's own functions, whichever way leads to them."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar, cast

from symphainy_platform.context import Clock, SystemClock
from symphainy_platform.errors import DatabaseUnavailable, StartError
from symphainy_platform.state.artifact import Artifact
from symphainy_platform.state.domain import DomainTables, domain_tables
from symphainy_platform.state.postgres.audit import append_entries, read_position, read_tenants
from symphainy_platform.state.postgres.commit import Committer
from symphainy_platform.state.postgres.driver import Connection, Runner
from symphainy_platform.state.postgres.events import newest_cursor, read_events
from symphainy_platform.state.postgres.faults import DATABASE_ERRORS, unavailable
from symphainy_platform.state.postgres.keys import forget_keys, keep_key, read_keys
from symphainy_platform.state.postgres.migrate import applied_steps, known_steps
from symphainy_platform.state.postgres.others import OtherWriters
from symphainy_platform.state.postgres.queries import SQL
from symphainy_platform.state.postgres.silence import Impatient
from symphainy_platform.state.postgres.statistics import Statistics
from symphainy_platform.state.postgres.sweep import Sweep, purge_artifacts
from symphainy_platform.state.records import AuditEntry, AuditPosition, Commit, Outcome, SealedKey
from symphainy_platform.state.store import EventFilter, EventPage, Health, Retention, SweepResult

T = TypeVar("T")
_SECRET_BYTES = 32


class Verbs:
    """What the stores on Postgres share (see the port `Store` for what each verb means).

    Each of them opens and closes its own way to the database, and loads over it.
    """

    lanes = 2

    def __init__(self, way: Runner, committer: Committer, clock: Clock) -> None:
        """Ask over `way`. A clock other than the system's is a test's: its time is then the store's."""
        self._way = Impatient(way)
        self._committer = committer
        self._way.learn_with(committer.way)
        self._clock = None if isinstance(clock, SystemClock) else clock
        self._others = OtherWriters(committer)
        self._statistics = Statistics(self._ask)
        self._sweep = Sweep()
        self._listings = b""

    @property
    def tables(self) -> DomainTables:
        """The domain tables that services may write, once the store is open."""
        return self._committer.tables

    async def _begin(self) -> None:
        """Learn from a schema that is current what the verbs need."""
        self._committer.tables = domain_tables(await self._ask(lambda each: each.fetch(SQL["domain_columns"])))
        self._listings = await self.secret("cursors of listings")
        await self.changed_elsewhere()
        await self._statistics.begin()

    async def secret(self, name: str) -> bytes:
        """Return the 32 bytes of this name, made at the first call."""
        return await self._ask(lambda connection: _secret(connection, f"secret:{name}"))

    async def keys(self) -> Sequence[SealedKey]:
        """Return every key that is kept, oldest first."""
        return await self._ask(read_keys)

    async def keep_key(self, new: SealedKey, replaces: str | None) -> bool:
        """Replace the current key of a purpose, if it is `replaces`."""
        return await self._ask(lambda connection: keep_key(connection, new, replaces))

    async def forget_keys(self, kids: Sequence[str]) -> None:
        """Delete rotated keys."""
        await self._ask(lambda connection: forget_keys(connection, kids))

    async def commit(self, batch: Sequence[Commit]) -> Sequence[Outcome]:
        """Write the batch by one call of the database's function."""
        outcomes = await self._committer.write(batch, self._now()) if batch else []
        self._statistics.grown(len(outcomes))
        return outcomes

    async def event_cursor(self) -> str:
        """Return the cursor after the last complete event."""
        return await self._ask(newest_cursor)

    async def events_after(self, cursor: str, where: EventFilter, limit: int = 500) -> EventPage:
        """Return the next page of events; one page looks at a bounded number of rows."""
        page, horizon = await self._ask(lambda connection: read_events(connection, cursor, where, limit))
        self._others.saw(horizon)
        return page

    async def audit_position(self) -> AuditPosition:
        """Tell how far the audit has come."""
        return await self._ask(read_position)

    async def audit_tenants(self, after: str = "", limit: int = 1000) -> Sequence[str]:
        """Return tenants that have an audit chain, behind `after`."""
        return await self._ask(lambda connection: read_tenants(connection, after, limit))

    async def append_audit(self, entries: Sequence[AuditEntry], *, after: AuditPosition, upto: AuditPosition) -> bool:
        """Append entries and move the position, in one transaction."""
        return await self._ask(lambda connection: append_entries(connection, entries, after, upto))

    async def changed_elsewhere(self) -> bool:
        """Tell whether another process has written events since the last call, or ours had to wait."""
        return await self._ask(self._others.have_committed)

    async def sweep(self, now: str, retention: Retention, limit: int = 1000) -> SweepResult:
        """Take one bounded step of the sweep; nothing while another process is at it."""
        injected = self._clock is not None
        return await self._ask(lambda each: self._sweep.step(each, now, retention, limit, injected=injected))

    async def purge(self, artifacts: Sequence[Artifact], tables: Mapping[str, Sequence[str]]) -> int:
        """Delete the artifacts, each whole, in one transaction."""
        return await self._ask(lambda connection: purge_artifacts(connection, artifacts, tables))

    async def health(self) -> Health:
        """Compare the database's schema with the code's; after a commit that it refused, ask whether it still does."""
        expected, applied = list(known_steps()), list[str]()
        try:
            applied = await self._ask(applied_steps)
            detail = await self._committer.refusal() or ""
        except DatabaseUnavailable as error:
            detail = error.details["reason"]
        except StartError as error:
            detail = str(error)
        return Health(
            ready=applied == expected and not detail,
            schema_version="".join(applied[-1:]),
            expected_version=expected[-1],
            detail=detail,
        )

    async def _ask(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work`; every error of the database and of the way there is DatabaseUnavailable."""
        try:
            return await self._way.run(work)
        except DATABASE_ERRORS as error:
            raise unavailable(error) from error

    def _now(self) -> datetime | None:
        return None if self._clock is None else self._clock.now()


async def _secret(connection: Connection, name: str) -> bytes:
    if (kept := await connection.fetchval(SQL["meta"], name)) is None:
        await connection.execute(SQL["keep_meta"], name, secrets.token_bytes(_SECRET_BYTES))
        kept = await connection.fetchval(SQL["meta"], name)  # ours, or who was faster
    return cast("bytes", kept)
