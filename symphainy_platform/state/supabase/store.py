"""The Supabase store: what the Postgres store does, by the same functions, through the API of the project."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from symphainy_platform.context import Clock, SystemClock
from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.state.artifact import Artifact
from symphainy_platform.state.domain import domain_tables
from symphainy_platform.state.postgres.audit import append_entries, read_position, read_tenants
from symphainy_platform.state.postgres.commit import Committer
from symphainy_platform.state.postgres.connections import Database, Lane
from symphainy_platform.state.postgres.driver import Connection
from symphainy_platform.state.postgres.events import newest_cursor, read_events
from symphainy_platform.state.postgres.faults import DATABASE_ERRORS, unavailable
from symphainy_platform.state.postgres.keys import forget_keys, keep_key, read_keys
from symphainy_platform.state.postgres.migrate import applied_steps, check_current, known_steps
from symphainy_platform.state.postgres.others import OtherWriters
from symphainy_platform.state.postgres.queries import SQL
from symphainy_platform.state.postgres.reads import can_be_found, missing
from symphainy_platform.state.postgres.sweep import Sweep, purge_artifacts
from symphainy_platform.state.records import AuditEntry, AuditPosition, Commit, Outcome, SealedKey
from symphainy_platform.state.steps import SchemaStep
from symphainy_platform.state.store import EventFilter, EventPage, Health, Read, Retention, SweepResult
from symphainy_platform.state.supabase.api import Api
from symphainy_platform.state.supabase.calls import Calls
from symphainy_platform.state.supabase.faults import at_start
from symphainy_platform.state.supabase.migrate import migrate_project, project_steps
from symphainy_platform.state.supabase.reads import answer_reads
from symphainy_platform.state.supabase.statements import Asked, Row, Statements

T = TypeVar("T")
_SECRET_BYTES = 32
_LANES = 2


class SupabaseStore:
    """One project, shared by any number of processes (see the port `Store` for what each verb means).

    The API cannot change the schema: `migrations` is the direct way to the database, if there is one. A clock
    other than the system's is a test's: its time is then the store's, else the database's own is.
    """

    name = "supabase"
    lanes = _LANES

    def __init__(self, url: str, key: str, clock: Clock, *, migrations: Database | None = None) -> None:
        """Keep the address and the secret key; nothing is connected before migrate() or open()."""
        self._place = urlsplit(url).hostname or url
        self._migrations = migrations
        self._clock = None if isinstance(clock, SystemClock) else clock
        self._calls = Calls(lambda: Api(url, key))
        self._committer = Committer(cast("Lane", self._calls))  # of which it uses run() alone
        self._others = OtherWriters(self._committer)
        self._sweep = Sweep()
        self._listings = b""

    async def open(self) -> None:
        """Check the schema, and learn which domain tables there are."""
        await self._check_schema()
        self._committer.tables = domain_tables(await self._ask(lambda each: each.fetch(SQL["domain_columns"])))
        self._listings = await self.secret("cursors of listings")
        await self.changed_elsewhere()

    async def close(self) -> None:
        """Finish what was handed over, then end every connection. Idempotent."""
        await self._calls.close()

    async def migrate(self, *, to: str | None = None, dry_run: bool = False) -> Sequence[str]:
        """Apply the steps that the database lacks over its direct URL; without one they can only be named."""
        return await migrate_project(self._calls, self._place, self._migrations, to=to, dry_run=dry_run)

    async def steps(self) -> Sequence[SchemaStep]:
        """Tell every step of the schema; when the database got it, its direct URL alone knows."""
        return await project_steps(self._calls, self._place, self._migrations)

    async def secret(self, name: str) -> bytes:
        """Return the 32 bytes of this name, made at the first call."""
        key = f"secret:{name}"
        made = secrets.token_bytes(_SECRET_BYTES)

        async def keep(connection: Connection) -> bytes:
            kept: bytes | None = await connection.fetchval(SQL["meta"], key)
            if kept is None:
                await connection.execute(SQL["keep_meta"], key, made)
                kept = cast("bytes", await connection.fetchval(SQL["meta"], key))  # ours, or who was faster
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
        """Write the batch by one rpc of the database's function."""
        return await self._committer.write(batch, self._now()) if batch else []

    async def load(self, reads: Sequence[Read[Any]]) -> list[Any]:
        """Answer the reads from one snapshot, in order, by one rpc."""
        possible = [can_be_found(read) for read in reads]
        asked = [read for read, found in zip(reads, possible, strict=True) if found]
        answers = iter(await answer_reads(asked, self._listings, self._rows) if asked else ())
        return [next(answers) if found else missing(read) for read, found in zip(reads, possible, strict=True)]

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
        return Health(ready=applied == expected, schema_version="".join(applied[-1:]), expected_version=expected[-1])

    async def _check_schema(self) -> None:
        try:
            await self._calls.run(lambda connection: check_current(self._place, connection))
        except DATABASE_ERRORS as error:
            raise at_start(self._place, error) from error

    async def _ask(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Call the API; every error of the way there and of the database is DatabaseUnavailable."""
        try:
            return await self._calls.run(work)
        except DATABASE_ERRORS as error:
            raise unavailable(error) from error

    async def _rows(self, asked: Sequence[Asked]) -> list[list[Row]]:
        return await self._ask(lambda connection: cast("Statements", connection).load(asked))

    def _now(self) -> datetime | None:
        return None if self._clock is None else self._clock.now()
