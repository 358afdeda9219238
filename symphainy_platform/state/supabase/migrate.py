"""The schema of a project: what it has is asked through the API, what it lacks comes over the direct URL."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import asyncpg

from symphainy_platform.errors import StoreRefusedError
from symphainy_platform.state.postgres.connections import Database
from symphainy_platform.state.postgres.faults import DATABASE_ERRORS
from symphainy_platform.state.postgres.migrate import (
    applied_steps,
    check_not_newer,
    database_steps,
    known_steps,
    migrate_database,
)
from symphainy_platform.state.steps import SchemaStep, find_step, steps_to_apply, told_steps
from symphainy_platform.state.supabase.calls import Calls
from symphainy_platform.state.supabase.faults import SCHEMA, at_start

_RELOADS = 50
_POLL_SECONDS = 0.2


async def migrate_project(
    calls: Calls, place: str, direct: Database | None, *, to: str | None = None, dry_run: bool
) -> Sequence[str]:
    """Apply the steps up to `to` that the database lacks (or only name them), and wait until the API knows them all.

    Raises StoreRefusedError when steps are missing and there is no direct way to the database.
    """
    if direct is not None:
        steps = await migrate_database(direct, to=to, dry_run=dry_run)
        if steps and not dry_run and _is_whole(to):
            await _await_reload(calls, place)
        return steps
    missing = await missing_steps(calls, place, to)
    if missing and not dry_run:
        msg = (
            f"The store {place} lacks {', '.join(missing)}, and its API cannot change the schema: run"
            " `supabase db push`, or set SYMPHAINY_MIGRATION_URL to the direct connection of the project."
        )
        raise StoreRefusedError(msg)
    return missing


def _is_whole(to: str | None) -> bool:
    """Whether these are all steps: the last one makes the functions of the API."""
    return to is None or find_step(known_steps(), to) == list(known_steps())[-1]


async def project_steps(calls: Calls, place: str, direct: Database | None) -> list[SchemaStep]:
    """Tell every step; the API knows no times, and nothing of a schema that is not whole.

    Raises StoreRefusedError where only the direct way could tell.
    """
    if direct is not None:
        return await database_steps(direct)
    applied = await _applied(calls, place)
    if applied is None:
        msg = (
            f"The API of {place} shows nothing of the schema, so nobody can tell which steps it has: set"
            " SYMPHAINY_MIGRATION_URL to the direct connection of the project, or run `supabase migration list`."
        )
        raise StoreRefusedError(msg)
    return told_steps(known_steps(), dict.fromkeys(applied))


async def missing_steps(calls: Calls, place: str, to: str | None = None) -> list[str]:
    """Return the steps up to `to` that the database lacks, as far as the API tells: all when it knows none.

    Raises StoreRefusedError for a schema that is newer than the code, and for a key that the API refuses.
    """
    return steps_to_apply(known_steps(), await _applied(calls, place) or [], to)


async def _applied(calls: Calls, place: str) -> list[str] | None:
    """The steps that the API tells of; None when it shows nothing of the platform."""
    try:
        applied = await calls.run(applied_steps)
    except asyncpg.PostgresError as error:
        if getattr(error, "sqlstate", None) != SCHEMA:
            raise at_start(place, error) from error
        return None
    except DATABASE_ERRORS as error:
        raise at_start(place, error) from error
    check_not_newer(place, applied)
    return applied


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
