"""What `symphainy doctor` looks at in a Supabase project, and how each fault is mended."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg

from symphainy_platform.errors import StoreRefusedError
from symphainy_platform.state.postgres.doctor import Finding, findings
from symphainy_platform.state.postgres.faults import DATABASE_ERRORS
from symphainy_platform.state.postgres.migrate import check_not_newer, known_steps
from symphainy_platform.state.postgres.queries import SQL
from symphainy_platform.state.supabase.api import Api
from symphainy_platform.state.supabase.faults import BUSY, NOT_EXPOSED, REFUSED, SCHEMA
from symphainy_platform.state.supabase.statements import Statements

_API, _KEY, _EXPOSED, _MIGRATIONS = "supabase API", "supabase key", "supabase schema", "supabase migrations"
_PUSH = "run `supabase db push`, or `symphainy migrate` with SYMPHAINY_MIGRATION_URL"


async def examine(url: str, key: str) -> list[Finding]:
    """Look at the project, as far as each check makes sense after the one before; changes nothing."""
    api = Api(url, key)
    try:
        return [finding async for finding in _findings(Statements(api), api, key)]
    finally:
        await api.close()


async def _findings(statements: Statements, api: Api, key: str) -> AsyncIterator[Finding]:
    try:
        steps = [name for (name,) in await statements.fetch(SQL["steps"])]
    except DATABASE_ERRORS as error:
        for finding in _of_error(error, key):
            yield finding
        return
    for check, detail in ((_API, "answers"), (_KEY, "accepted, a secret key"), (_EXPOSED, "`symphainy` is exposed")):
        yield Finding(check, ok=True, detail=detail)
    migrations = _of_steps(steps)
    yield migrations
    if migrations.ok:
        for finding in await _of_walls(api):
            yield finding


def _of_error(error: BaseException, key: str) -> list[Finding]:
    """What the first call's failure says about the API, the key, the schema and the migrations."""
    state = getattr(error, "sqlstate", None) or ""
    if not isinstance(error, asyncpg.PostgresError) or state == BUSY:
        return [Finding(_API, ok=False, detail=f"{error} Check SUPABASE_URL, and that the project is not paused.")]
    found = [Finding(_API, ok=True, detail="answers")]
    if state == REFUSED:
        return [
            *found,
            Finding(_KEY, ok=False, detail="is not accepted: copy a secret key (sb_secret_…) of the project"),
        ]
    if key.startswith("sb_publishable_") or state == "42501":
        return [*found, Finding(_KEY, ok=False, detail=_no_secret_key(key))]
    found.append(Finding(_KEY, ok=True, detail="accepted"))
    if error.detail == NOT_EXPOSED:
        mending = "`symphainy` is not exposed: add it to the exposed schemas (API settings; config.toml, [api] schemas)"
        return [*found, Finding(_EXPOSED, ok=False, detail=mending)]
    if state == SCHEMA:
        mending = f"none is there, as far as the API knows: {_PUSH}; else reload it (notify pgrst, 'reload schema')"
        return [*found, Finding(_MIGRATIONS, ok=False, detail=mending)]
    return [*found, Finding(_MIGRATIONS, ok=False, detail=f"cannot be read: {error}")]


def _no_secret_key(key: str) -> str:
    if key.startswith("sb_publishable_"):
        return "is the publishable key: the platform needs a secret key (sb_secret_…)"
    return "may not use the schema: it is no secret key, or the grants of the migrations are missing"


def _of_steps(applied: list[str]) -> Finding:
    try:
        check_not_newer("of this project", applied)
    except StoreRefusedError as error:
        return Finding(_MIGRATIONS, ok=False, detail=str(error))
    if missing := [name for name in known_steps() if name not in applied]:
        return Finding(_MIGRATIONS, ok=False, detail=f"missing: {', '.join(missing)}; {_PUSH}")
    return Finding(_MIGRATIONS, ok=True, detail=f"all {len(applied)} are applied")


async def _of_walls(api: Api) -> list[Finding]:
    try:
        return findings("supabase", await api.call("faults_in_walls", {}))
    except (*DATABASE_ERRORS, ValueError) as error:
        return [Finding("supabase walls", ok=False, detail=f"cannot be looked at: {error}")]
