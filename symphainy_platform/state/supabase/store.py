"""The Supabase store: what the Postgres store does, by the same functions, through the API of the project."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import urlsplit

from symphainy_platform.context import Clock
from symphainy_platform.state.postgres.commit import Committer
from symphainy_platform.state.postgres.connections import Database
from symphainy_platform.state.postgres.faults import DATABASE_ERRORS
from symphainy_platform.state.postgres.migrate import check_current
from symphainy_platform.state.postgres.reads import answer_findable
from symphainy_platform.state.postgres.verbs import Verbs
from symphainy_platform.state.steps import SchemaStep
from symphainy_platform.state.store import Read
from symphainy_platform.state.supabase.api import Api
from symphainy_platform.state.supabase.calls import Calls
from symphainy_platform.state.supabase.faults import at_start
from symphainy_platform.state.supabase.migrate import migrate_project, project_steps
from symphainy_platform.state.supabase.reads import answer_reads
from symphainy_platform.state.supabase.statements import Asked, Row, Statements


class SupabaseStore(Verbs):
    """One project, shared by any number of processes.

    The API cannot change the schema: `migrations` is the direct way to the database, if there is one. A clock
    other than the system's is a test's: its time is then the store's, else the database's own is.
    """

    name = "supabase"

    def __init__(self, url: str, key: str, clock: Clock, *, migrations: Database | None = None) -> None:
        """Keep the address and the secret key; nothing is connected before migrate() or open()."""
        self._place = urlsplit(url).hostname or url
        self._migrations = migrations
        self._calls = Calls(lambda: Api(url, key))
        super().__init__(self._calls, Committer(self._calls), clock)

    async def open(self) -> None:
        """Check the schema, and learn which domain tables there are."""
        await self._check_schema()
        await self._begin()

    async def close(self) -> None:
        """Finish what was handed over, then end every connection. Idempotent."""
        await self._statistics.close()
        await self._calls.close()

    async def migrate(self, *, to: str | None = None, dry_run: bool = False) -> Sequence[str]:
        """Apply the steps that the database lacks over its direct URL; without one they can only be named."""
        return await migrate_project(self._calls, self._place, self._migrations, to=to, dry_run=dry_run)

    async def steps(self) -> Sequence[SchemaStep]:
        """Tell every step of the schema; when the database got it, its direct URL alone knows."""
        return await project_steps(self._calls, self._place, self._migrations)

    async def load(self, reads: Sequence[Read[Any]]) -> list[Any]:
        """Answer the reads from one snapshot, in order, by one rpc."""
        return await answer_findable(reads, lambda asked: answer_reads(asked, self._listings, self._rows))

    async def _check_schema(self) -> None:
        try:
            await self._calls.run(lambda connection: check_current(self._place, connection))
        except DATABASE_ERRORS as error:
            raise at_start(self._place, error) from error

    async def _rows(self, asked: Sequence[Asked]) -> list[list[Row]]:
        return await self._ask(lambda connection: cast("Statements", connection).load(asked))
