"""The Postgres store: the port's verbs over two connections that commit and a few that read."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from symphainy_platform.context import Clock, SystemClock
from symphainy_platform.errors import DatabaseUnavailable, StartError
from symphainy_platform.state.artifact import Artifact
from symphainy_platform.state.domain import DomainTables, domain_tables
from symphainy_platform.state.postgres.audit import append_entries, read_position, read_tenants
from symphainy_platform.state.postgres.bell import Bell
from symphainy_platform.state.postgres.commit import Committer
from symphainy_platform.state.postgres.connections import Connections, Database, Lane
from symphainy_platform.state.postgres.driver import Connection
from symphainy_platform.state.postgres.events import newest_cursor, read_events
from symphainy_platform.state.postgres.faults import DATABASE_ERRORS, is_of_text, unavailable
from symphainy_platform.state.postgres.keys import forget_keys, keep_key, read_keys
from symphainy_platform.state.postgres.migrate import FirstConnection, applied_steps, known_steps
from symphainy_platform.state.postgres.others import OtherWriters
from symphainy_platform.state.postgres.queries import SQL
from symphainy_platform.state.postgres.reads import answer_reads, can_be_found, missing
from symphainy_platform.state.postgres.shared_reads import SharedReads
from symphainy_platform.state.postgres.sweep import Sweep, purge_artifacts
from symphainy_platform.state.postgres.transfer import PostgresTransfer
from symphainy_platform.state.records import AuditEntry, AuditPosition, Commit, Outcome, SealedKey
from symphainy_platform.state.steps import SchemaStep
from symphainy_platform.state.store import EventFilter, EventPage, Health, Read, Retention, SweepResult

T = TypeVar("T")
_SECRET_BYTES = 32
_LANES = 2
_READERS = 4


class PostgresStore:
    """One database, shared by any number of processes (see the port `Store` for what each verb means).

    `migrations` is the direct way to the database when `database` leads through a pooler. A clock other
    than the system's is a test's: its time is then the store's, else the database's own is.
    """

    name = "postgres"
    lanes = _LANES

    def __init__(self, database: Database, clock: Clock, *, migrations: Database | None = None) -> None:
        """Keep the address; nothing is connected before migrate() or open()."""
        self._database = database
        self._migrations = migrations
        self._first = FirstConnection(database, migrations)
        self._clock = None if isinstance(clock, SystemClock) else clock
        self._connections = Connections(database, _begin_epoch)
        self._general = Lane(self._connections, _READERS)
        self._bell = Bell(database, self._general)
        self._committer = Committer(Lane(self._connections, _LANES), self._bell.ring)
        self._shared = SharedReads(self._alone, self._ask)
        self._others = OtherWriters(self._committer)
        self._sweep = Sweep()
        self._listings = b""

    @property
    def tables(self) -> DomainTables:
        """The domain tables that services may write, once the store is open."""
        return self._committer.tables

    async def open(self) -> None:
        """Connect, check the schema, and learn which domain tables there are."""
        await self._connections.keep(await self._first.checked())
        self._committer.tables = domain_tables(await self._ask(lambda each: each.fetch(SQL["domain_columns"])))
        self._listings = await self.secret("cursors of listings")
        await self.changed_elsewhere()

    async def close(self) -> None:
        """Finish what was handed over, then end every connection. Idempotent."""
        await self._first.close()
        await self._bell.close()
        await self._connections.close()

    async def migrate(self, *, to: str | None = None, dry_run: bool = False) -> Sequence[str]:
        """Apply the steps that the database lacks, all of them or none."""
        return await self._first.migrate(to=to, dry_run=dry_run)

    async def steps(self) -> Sequence[SchemaStep]:
        """Tell every step of the schema, and when the database got it."""
        return await self._first.steps()

    def transfer(self) -> PostgresTransfer:
        """Its raw rows, for copies of the whole store; also while it is not open."""
        return PostgresTransfer(self._database)

    async def secret(self, name: str) -> bytes:
        """Return the 32 bytes of this name, made at the first call."""
        key = f"secret:{name}"
        made = secrets.token_bytes(_SECRET_BYTES)

        async def keep(connection: Connection) -> bytes:
            await connection.execute(SQL["keep_meta"], key, made)
            kept: bytes = await connection.fetchval(SQL["meta"], key)
            return kept

        return await self._ask(keep)

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
        return await self._committer.write(batch, self._now()) if batch else []

    async def load(self, reads: Sequence[Read[Any]]) -> list[Any]:
        """Answer the reads from one snapshot, in order."""
        try:
            return await self._shared.load(reads) if reads else []
        except DatabaseUnavailable as error:
            if not is_of_text(error.__cause__):
                raise
        findable = [read for read in reads if can_be_found(read)]
        answers = iter(await self._alone(findable) if findable else ())
        return [next(answers) if can_be_found(read) else missing(read) for read in reads]

    async def _alone(self, reads: Sequence[Read[Any]]) -> list[Any]:
        return await self._ask(lambda connection: answer_reads(connection, reads, self._listings))

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

    def on_change(self, tell: Callable[[], None]) -> None:
        """Call `tell` when another process says that it has committed; `changed_elsewhere` keeps listening."""
        self._bell.listen(tell)

    async def changed_elsewhere(self) -> bool:
        """Tell whether another process has written events since the last call, or ours had to wait."""
        await self._bell.keep_listening()
        return await self._ask(self._others.have_committed)

    async def sweep(self, now: str, retention: Retention, limit: int = 1000) -> SweepResult:
        """Take one bounded step of the sweep; nothing while another process is at it."""
        return await self._ask(lambda connection: self._sweep.step(connection, now, retention, limit))

    async def purge(self, artifacts: Sequence[Artifact], tables: Mapping[str, Sequence[str]]) -> int:
        """Delete the artifacts, each whole, in one transaction."""
        return await self._ask(lambda connection: purge_artifacts(connection, artifacts, tables))

    async def health(self) -> Health:
        """Compare the database's schema with the code's."""
        expected = list(known_steps())
        try:
            applied = await self._ask(applied_steps)
        except DatabaseUnavailable as error:
            return Health(ready=False, schema_version="", expected_version=expected[-1], detail=error.details["reason"])
        except StartError as error:
            return Health(ready=False, schema_version="", expected_version=expected[-1], detail=str(error))
        return Health(ready=applied == expected, schema_version="".join(applied[-1:]), expected_version=expected[-1])

    async def _ask(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run on a connection for reads; every error of the database is DatabaseUnavailable."""
        try:
            return await self._general.run(work)
        except DATABASE_ERRORS as error:
            raise unavailable(error) from error

    def _now(self) -> datetime | None:
        return None if self._clock is None else self._clock.now()


async def _begin_epoch(connection: Connection) -> None:
    """Before anything else on a new connection: this may be another life of the database."""
    await connection.execute(SQL["begin_epoch"])
