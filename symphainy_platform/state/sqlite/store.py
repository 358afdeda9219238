"""The SQLite store: the port's verbs over one writer thread and a few readers."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from symphainy_platform.context import Clock
from symphainy_platform.errors import DatabaseUnavailable, StoreRefusedError
from symphainy_platform.state.artifact import Artifact
from symphainy_platform.state.records import AuditEntry, AuditPosition, Commit, Outcome, SealedKey
from symphainy_platform.state.sqlite.audit import append_entries, read_position, read_tenants
from symphainy_platform.state.sqlite.commit import write_batch
from symphainy_platform.state.sqlite.connection import DatabaseFile, transaction
from symphainy_platform.state.sqlite.domain import DomainTables, read_domain_tables
from symphainy_platform.state.sqlite.epochs import begin_epoch
from symphainy_platform.state.sqlite.events import newest_cursor, read_events
from symphainy_platform.state.sqlite.faults import at_start
from symphainy_platform.state.sqlite.keys import forget_keys, keep_key, read_keys
from symphainy_platform.state.sqlite.migrate import (
    applied_steps,
    check_current,
    check_sqlite,
    file_steps,
    known_steps,
    migrate_file,
    use_wal,
)
from symphainy_platform.state.sqlite.others import OtherWriters
from symphainy_platform.state.sqlite.purge import purge_artifacts
from symphainy_platform.state.sqlite.queries import SQL
from symphainy_platform.state.sqlite.readers import Readers
from symphainy_platform.state.sqlite.reads import answer_read, is_long, is_one_statement
from symphainy_platform.state.sqlite.sweep import Sweep
from symphainy_platform.state.sqlite.transfer import SqliteTransfer
from symphainy_platform.state.sqlite.writer import WriterThread
from symphainy_platform.state.steps import SchemaStep
from symphainy_platform.state.store import EventFilter, EventPage, Health, Read, Retention, SweepResult

_SECRET_BYTES = 32


class SqliteStore:
    """One database file (see the port `Store` for what each verb means).

    WAL, `synchronous=FULL`, one commit (one fsync) per batch. Other processes may use the file at
    the same time. `prepare` sees every new connection; tests limit the disk with it.
    """

    name = "sqlite"
    lanes = 1

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        prepare: Callable[[sqlite3.Connection], None] | None = None,
    ) -> None:
        """Keep the path; nothing is touched before migrate() or open()."""
        self._file = DatabaseFile(path, prepare)
        self._clock = clock
        self._writer = WriterThread(self._file.connect)
        self._readers = Readers(self._file)
        self._tables = DomainTables({})
        self._others = OtherWriters()
        self._sweep = Sweep()
        self._place: tuple[int, int] | None = None

    async def open(self) -> None:
        """Connect, check that the file can be used as it is, and begin an epoch in it."""
        await asyncio.to_thread(self._begin)
        self._place = self._file.place()
        self._writer.start()
        self._tables = await self._writer.run(read_domain_tables)
        await self.changed_elsewhere()

    def _begin(self) -> None:
        check_sqlite()
        if not self._file.path.exists():
            msg = f"There is no store at {self._file.path} yet: run `symphainy migrate`."
            raise StoreRefusedError(msg)
        try:
            connection = self._file.connect()
            try:
                check_current(self._file.path, connection)
                use_wal(self._file.path, connection)
                begin_epoch(connection)
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise at_start(self._file.path, error) from error

    async def close(self) -> None:
        """Finish what was handed over, then close every connection. Idempotent."""
        await self._writer.close()
        await self._readers.close()

    async def migrate(self, *, to: str | None = None, dry_run: bool = False) -> Sequence[str]:
        """Create the file if there is none, and apply the steps that it lacks."""
        return await asyncio.to_thread(migrate_file, self._file, self._clock, to=to, dry_run=dry_run)

    async def steps(self) -> Sequence[SchemaStep]:
        """Tell every step of the schema, and when the file got it; makes no file."""
        return await asyncio.to_thread(file_steps, self._file)

    def transfer(self) -> SqliteTransfer:
        """Its raw rows, for copies of the whole store; also while it is not open."""
        return SqliteTransfer(self._file)

    async def secret(self, name: str) -> bytes:
        """Return the 32 bytes of this name, made at the first call."""
        key = f"secret:{name}"

        def keep(connection: sqlite3.Connection) -> bytes:
            with transaction(connection):
                connection.execute(SQL["keep_meta"], (key, secrets.token_bytes(_SECRET_BYTES)))
                kept: bytes = connection.execute(SQL["meta"], (key,)).fetchone()[0]
            return kept

        return await self._writer.run(keep)

    async def keys(self) -> Sequence[SealedKey]:
        """Return every key, oldest first."""
        return await self._readers.run_short(read_keys)

    async def keep_key(self, new: SealedKey, replaces: str | None) -> bool:
        """Replace the current key of a purpose, unless somebody was faster."""

        def keep(connection: sqlite3.Connection) -> bool:
            self._check_in_place()
            return keep_key(connection, new, replaces)

        return await self._writer.run(keep)

    async def forget_keys(self, kids: Sequence[str]) -> None:
        """Delete rotated keys."""
        await self._writer.run(lambda connection: forget_keys(connection, kids))

    async def commit(self, batch: Sequence[Commit]) -> Sequence[Outcome]:
        """Write the batch on the writer's thread; also when the caller is cancelled meanwhile."""

        def write(connection: sqlite3.Connection) -> Sequence[Outcome]:
            self._check_in_place()
            return write_batch(connection, batch, self._clock.now(), self._tables)

        return await self._writer.run(write)

    def _check_in_place(self) -> None:
        """Refuse to write into a file that was moved away or replaced: nobody would find it again."""
        if self._file.place() != self._place:
            raise DatabaseUnavailable(reason="moved")

    async def load(self, reads: Sequence[Read[Any]]) -> list[Any]:
        """Answer the reads from one snapshot, in order."""

        def answer(connection: sqlite3.Connection) -> list[Any]:
            if len(reads) == 1 and is_one_statement(reads[0]):
                return [answer_read(connection, reads[0])]
            with transaction(connection, "BEGIN"):
                return [answer_read(connection, read) for read in reads]

        if any(map(is_long, reads)):
            return await self._readers.run_long(answer)
        return await self._readers.run_short(answer)

    async def event_cursor(self) -> str:
        """Return the cursor after the last event."""

        def cursor(connection: sqlite3.Connection) -> str:
            with transaction(connection, "BEGIN"):
                return newest_cursor(connection)

        return await self._readers.run_short(cursor)

    async def events_after(self, cursor: str, where: EventFilter, limit: int = 500) -> EventPage:
        """Return the next page of events; one page looks at a bounded number of rows."""

        def page(connection: sqlite3.Connection) -> EventPage:
            with transaction(connection, "BEGIN"):
                return read_events(connection, cursor, where, limit)

        return await self._readers.run_long(page)

    async def audit_position(self) -> AuditPosition:
        """Return how far the audit has come."""
        return await self._readers.run_short(read_position)

    async def audit_tenants(self, after: str = "", limit: int = 1000) -> Sequence[str]:
        """Return the next tenants that have a chain."""
        return await self._readers.run_long(lambda connection: read_tenants(connection, after, limit))

    async def append_audit(self, entries: Sequence[AuditEntry], *, after: AuditPosition, upto: AuditPosition) -> bool:
        """Append to the chains and move the position, unless somebody was faster."""

        def append(connection: sqlite3.Connection) -> bool:
            self._check_in_place()
            return append_entries(connection, entries, after, upto)

        return await self._writer.run(append)

    async def changed_elsewhere(self) -> bool:
        """Tell whether another connection than the writer's has committed since the last call."""
        return await self._writer.run(self._others.have_committed)

    async def sweep(self, now: str, retention: Retention, limit: int = 1000) -> SweepResult:
        """Take one bounded step of the sweep; one transaction."""
        return await self._writer.run(lambda connection: self._sweep.step(connection, now, retention, limit))

    async def purge(self, artifacts: Sequence[Artifact], tables: Mapping[str, Sequence[str]]) -> int:
        """Delete the artifacts, each whole, in one transaction."""
        return await self._writer.run(lambda connection: purge_artifacts(connection, artifacts, tables, self._tables))

    async def health(self) -> Health:
        """Compare the file's schema with the code's."""
        expected = list(known_steps())
        try:
            self._check_in_place()
            applied = await self._readers.run_long(applied_steps)
        except DatabaseUnavailable as error:
            return Health(ready=False, schema_version="", expected_version=expected[-1], detail=error.details["reason"])
        return Health(ready=applied == expected, schema_version="".join(applied[-1:]), expected_version=expected[-1])
