"""What `symphainy doctor` looks at in a database whose schema is current, and how each fault is mended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from symphainy_platform.errors import StoreRefusedError
from symphainy_platform.state.postgres.connections import Database, end
from symphainy_platform.state.postgres.driver import Connection
from symphainy_platform.state.postgres.faults import DATABASE_ERRORS, at_start
from symphainy_platform.state.postgres.migrate import applied_steps, known_steps, no_url, place_of

_FAULTS = "select symphainy.faults_in_walls()"
_WALLS: Mapping[str, tuple[str, str, str]] = {
    "missing": (
        "objects",
        "tables, indexes and functions are all there",
        "is missing: make it anew as supabase/migrations/ does; what a table held is in the backup alone",
    ),
    "without_walls": (
        "row level security",
        "enabled and forced on every table",
        "is off or not forced: alter table symphainy.NAME enable row level security, force row level security",
    ),
    "other_policies": (
        "policies",
        "those of the migrations",
        "is not as in supabase/migrations/: drop policy NAME on symphainy.TABLE, and create what is there anew",
    ),
    "views_of_owner": (
        "views",
        "read with the rights of who asks",
        "reads with its owner's rights: alter view symphainy.NAME set (security_invoker = true)",
    ),
    "functions_of_owner": (
        "functions",
        "run with the rights of who calls",
        "has its owner's rights or a search path: alter function symphainy.NAME security invoker set search_path = ''",
    ),
    "open_to_users": (
        "grants of users",
        "users can only read",
        "is open to anon or authenticated: revoke what the migrations do not grant on symphainy.NAME, or its columns",
    ),
    "closed_to_users": (
        "reads of users",
        "users can read their rows",
        "is closed to authenticated: grant usage on a schema, select on symphainy.NAME, execute on a function to it",
    ),
    "closed_to_platform": (
        "grants of the platform",
        "service_role and symphainy_app can read and write",
        "is closed to service_role or symphainy_app: grant on symphainy.NAME what supabase/migrations/ grants to both",
    ),
}


class Finding(NamedTuple):
    """One line of the report; `detail` of a fault says how to mend it."""

    check: str
    ok: bool
    detail: str


def findings(where: str, faults: Mapping[str, Any]) -> list[Finding]:
    """Read what `faults_in_walls` answers, names by kind of fault. Raises ValueError when it is no such answer."""
    if not isinstance(faults, dict) or not faults.keys() >= _WALLS.keys():
        msg = "faults_in_walls answers something else"
        raise ValueError(msg)
    return [
        Finding(f"{where} {check}", not faults[kind], f"{', '.join(faults[kind])} {wrong}" if faults[kind] else right)
        for kind, (check, right, wrong) in _WALLS.items()
    ]


async def examine(database: Database) -> list[Finding]:
    """Look at the database, if its schema is current (else another check says so); changes nothing."""
    try:
        connection = await database.connect()
        try:
            return await _examined(connection)
        finally:
            await end(connection)
    except ValueError:
        reason = str(no_url())
    except StoreRefusedError as error:
        reason = str(error)
    except DATABASE_ERRORS as error:
        reason = str(at_start(place_of(database), error))
    return [Finding("database walls", ok=False, detail=f"cannot be looked at: {reason}")]


async def _examined(connection: Connection) -> list[Finding]:
    if await applied_steps(connection) != list(known_steps()):
        return []
    return findings("database", orjson.loads(await connection.fetchval(_FAULTS)))
