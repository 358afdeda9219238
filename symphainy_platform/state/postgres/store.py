"""The Postgres store: the port's verbs over two connections that commit and a few that read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from symphainy_platform.context import Clock
from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.state.postgres.bell import Bell
from symphainy_platform.state.postgres.commit import Committer
from symphainy_platform.state.postgres.connections import Connections, Database, Lane
from symphainy_platform.state.postgres.driver import Connection
from symphainy_platform.state.postgres.faults import is_of_text
from symphainy_platform.state.postgres.migrate import FirstConnection
from symphainy_platform.state.postgres.queries import SQL
from symphainy_platform.state.postgres.reads import answer_findable, answer_reads
from symphainy_platform.state.postgres.shared_reads import SharedReads
from symphainy_platform.state.postgres.transfer import PostgresTransfer
from symphainy_platform.state.postgres.verbs import Verbs
from symphainy_platform.state.steps import SchemaStep
from symphainy_platform.state.store import Read

_READERS = 4


class PostgresStore(Verbs):
    """One database, shared by any number of processes.

    `migrations` is the direct way to the database when `database` leads through a pooler. A clock other
    than the system's is a test's: its time is then the store's, else the database's own is.
    """

    name = "postgres"

    def __init__(self, database: Database, clock: Clock, *, migrations: Database | None = None) -> None:
        """Keep the address; nothing is connected before migrate() or open()."""
        self._database = database
        self._migrations = migrations
        self._first = FirstConnection(database, migrations)
        self._connections = Connections(database, _begin_epoch)
        general = Lane(self._connections, _READERS)
        self._bell = Bell(database, general)
        super().__init__(general, Committer(Lane(self._connections, self.lanes), self._bell.ring), clock)
        self._shared = SharedReads(self._alone, self._ask)

    async def open(self) -> None:
        """Connect, check the schema, and learn which domain tables there are."""
        await self._connections.keep(await self._first.checked())
        await self._begin()

    async def close(self) -> None:
        """Finish what was handed over, then end every connection. Idempotent."""
        await self._statistics.close()
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

    async def load(self, reads: Sequence[Read[Any]]) -> list[Any]:
        """Answer the reads from one snapshot, in order."""
        try:
            return await self._shared.load(reads) if reads else []
        except DatabaseUnavailable as error:
            if not is_of_text(error.__cause__):
                raise
        return await answer_findable(reads, self._alone)

    async def _alone(self, reads: Sequence[Read[Any]]) -> list[Any]:
        return await self._ask(lambda connection: answer_reads(connection, reads, self._listings))

    def on_change(self, tell: Callable[[], None]) -> None:
        """Call `tell` when another process says that it has committed; `changed_elsewhere` keeps listening."""
        self._bell.listen(tell)

    async def changed_elsewhere(self) -> bool:
        """Tell whether another process has written events since the last call, or ours had to wait."""
        await self._bell.keep_listening()
        return await super().changed_elsewhere()


async def _begin_epoch(connection: Connection) -> None:
    """Before anything else on a new connection: this may be another life of the database."""
    await connection.execute(SQL["begin_epoch"])
