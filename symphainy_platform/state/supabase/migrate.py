"""The schema of a project: what it has is asked through the API, what it lacks comes over the direct URL."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import asyncpg

from symphainy_platform.errors import StoreRefusedError
from symphainy_platform.state.postgres.connections import Database
from symphainy_platform.state.postgres.faults import DATABASE_ERRORS
from symphainy_platform.state.postgres.migrate import applied_steps, check_not_newer, known_steps, migrate_database
from symphainy_platform.state.supabase.calls import Calls
from symphainy_platform.state.supabase.faults import SCHEMA, at_start

_RELOADS = 50
_POLL_SECONDS = 0.2


async def migrate_project(calls: Calls, place: str, direct: Database | None, *, dry_run: bool) -> Sequence[str]:
    """Apply the steps that the database lacks (or only name them), and wait until the API knows them.

    Raises StoreRefusedError when steps are missing and there is no direct way to the database.
    """
    if direct is not None:
        steps = await migrate_database(direct, dry_run=dry_run)
        if steps and not dry_run:
            await _await_reload(calls, place)
        return steps
    missing = await missing_steps(calls, place)
    if missing and not dry_run:
        msg = (
            f"The store {place} lacks {', '.join(missing)}, and its API cannot change the schema: run"
            " `supabase db push`, or set SYMPHAINY_MIGRATION_URL to the direct connection of the project."
        )
        raise StoreRefusedError(msg)
    return missing


async def missing_steps(calls: Calls, place: str) -> list[str]:
    """Return the steps that the database lacks, as far as the API tells: all of them when it knows none.

    Raises StoreRefusedError for a schema that is newer than the code, and for a key that the API refuses.
    """
    try:
        applied = await calls.run(applied_steps)
    except asyncpg.PostgresError as error:
        if getattr(error, "sqlstate", None) != SCHEMA:
            raise at_start(place, error) from error
        applied = []
    except DATABASE_ERRORS as error:
        raise at_start(place, error) from error
    check_not_newer(place, applied)
    return [name for name in known_steps() if name not in applied]


async def _await_reload(calls: Calls, place: str) -> None:
    """The API learns of new functions a moment after they are there (the migrations notify it)."""
    for _ in range(_RELOADS):
        if not await missing_steps(calls, place):
            return
        await asyncio.sleep(_POLL_SECONDS)
    msg = (
        f"The store {place} is migrated, but its API does not show it: expose the schema `symphainy` (API settings)"
        " and reload its schema cache (`notify pgrst, 'reload schema'`)."
    )
    raise StoreRefusedError(msg)
