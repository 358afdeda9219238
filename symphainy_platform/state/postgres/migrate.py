"""The schema: its steps, which of them a database has, and applying those that it lacks."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

from symphainy_platform.errors import StoreRefusedError
from symphainy_platform.resources import data_folder
from symphainy_platform.setting_values import without_password
from symphainy_platform.state.postgres.connections import Database, end
from symphainy_platform.state.postgres.driver import Connection
from symphainy_platform.state.postgres.faults import DATABASE_ERRORS, at_start
from symphainy_platform.state.postgres.queries import SQL
from symphainy_platform.state.steps import SchemaStep, steps_to_apply, told_steps
from symphainy_platform.state.transfer import UNFINISHED

_PRELUDE = Path(__file__).with_name("prelude.sql")
_MIGRATION_SECONDS = 3600.0
"""A step may have to touch every row, or to wait for the process that migrates already."""
_PORT = re.compile(r":[0-9]*$")
_OLDEST = 15  # security_invoker views


@cache
def known_steps() -> dict[str, str]:
    """Return the SQL of every step by its name, in order."""
    folder = data_folder("supabase") / "migrations"
    return {path.stem: path.read_text("utf-8") for path in sorted(folder.glob("*.sql"))}


def place_of(database: Database) -> str:
    """Name a database for people: no user, no password, no options; a URL of doubtful parts is not shown at all."""
    shown = without_password(database.url)
    address = shown.partition("://")[2].rpartition("@")[2].partition("?")[0] or shown
    host, slash, name = address.partition("/")
    return f"{_PORT.sub('', host) or 'localhost'}{slash}{name}"


def no_url() -> StoreRefusedError:
    """The refusal of a URL that is none. What the driver says of it may show a part of the password."""
    return StoreRefusedError(
        "The store's URL is none that Postgres knows: write postgresql://user:password@host:port/database,"
        " with special characters percent-encoded."
    )


async def applied_steps(connection: Connection) -> list[str]:
    """Return the names of the steps that a database has, in order; none when it is empty."""
    has_steps, has_schema = await connection.fetchrow(SQL["has_schema"])
    if has_steps:
        return [name for (name,) in await connection.fetch(SQL["steps"])]
    if has_schema:
        msg = "The database has a schema `symphainy` of another program: choose another database for the store."
        raise StoreRefusedError(msg)
    return []


def check_not_newer(place: str, applied: list[str]) -> None:
    """Refuse a database with steps that this code does not know."""
    if UNFINISHED in applied:
        msg = f"The store {place} is an unfinished copy: run the same `symphainy copy` again, and it goes on."
        raise StoreRefusedError(msg)
    if unknown := [name for name in applied if name not in known_steps()]:
        msg = f"The store {place} is newer than this program (it has {unknown[-1]}): upgrade the program."
        raise StoreRefusedError(msg)


async def check_current(place: str, connection: Connection) -> None:
    """Refuse a database whose schema is not exactly the one of this code."""
    applied = await applied_steps(connection)
    check_not_newer(place, applied)
    if len(applied) < len(known_steps()):
        msg = f"The store {place} has no current schema: run `symphainy migrate`."
        raise StoreRefusedError(msg)


class FirstConnection:
    """The connection of a start: it migrates, it is checked, and it goes on as the first of the store."""

    def __init__(self, database: Database, direct: Database | None = None) -> None:
        """Connect to nothing yet; `direct` is the way for migrations, when `database` leads through a pooler."""
        self._database = database
        self._direct = direct
        self._held: Connection | None = None
        self._in_use = asyncio.Lock()

    async def migrate(self, *, to: str | None, dry_run: bool) -> list[str]:
        """Apply the missing steps up to `to` (or only name them)."""
        if self._direct is not None:
            return await migrate_database(self._direct, to=to, dry_run=dry_run)
        async with self._connected() as connection:
            return await _migrate(connection, place_of(self._database), to, dry_run=dry_run)

    async def steps(self) -> list[SchemaStep]:
        """Tell every step, and when the database got it."""
        if self._direct is not None:
            return await database_steps(self._direct)
        async with self._connected() as connection:
            return await _steps(connection, place_of(self._database))

    async def checked(self) -> Connection:
        """Refuse a database whose schema is not exactly the one of this code; else hand the connection over."""
        async with self._connected() as connection:
            await check_current(place_of(self._database), connection)
            self._held = None
            return connection

    async def close(self) -> None:
        """End the connection, if it was not handed over. Idempotent."""
        async with self._in_use:
            if self._held is not None:
                await end(self._held)
                self._held = None

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Connection]:
        async with self._in_use:
            held, self._held = self._held, None
            async with _connected(self._database, held) as connection:
                self._held = connection
                yield connection


async def migrate_database(database: Database, *, to: str | None = None, dry_run: bool) -> list[str]:
    """Apply the missing steps up to `to` (or only name them) in one transaction.

    Safe when several processes start at once.
    """
    async with _connected(database) as connection:
        missing = await _migrate(connection, place_of(database), to, dry_run=dry_run)
        await end(connection)
        return missing


async def database_steps(database: Database) -> list[SchemaStep]:
    """Tell every step, and when the database got it."""
    async with _connected(database) as connection:
        steps = await _steps(connection, place_of(database))
        await end(connection)
        return steps


@asynccontextmanager
async def _connected(database: Database, held: Connection | None = None) -> AsyncIterator[Connection]:
    """The connection that is held, or a new one; its errors are sentences."""
    try:
        connection = await database.connect() if held is None or held.is_closed() else held
        try:
            yield connection
        except StoreRefusedError:
            await end(connection)
            raise
        except BaseException:
            connection.terminate()
            raise
    except ValueError:
        raise no_url() from None
    except DATABASE_ERRORS as error:
        raise at_start(place_of(database), error) from error


async def _steps(connection: Connection, place: str) -> list[SchemaStep]:
    applied = await _applied(connection, place)
    times = await connection.fetch(SQL["step_times"]) if applied else []
    return told_steps(known_steps(), dict(times))


async def _migrate(connection: Connection, place: str, to: str | None, *, dry_run: bool) -> list[str]:
    if (version := connection.get_server_version().major) < _OLDEST:
        msg = f"The store {place} runs Postgres {version}: {_OLDEST} or newer is needed."
        raise StoreRefusedError(msg)
    missing = await _missing(connection, place, to)
    if dry_run or not missing:
        return missing
    async with connection.transaction():
        await connection.execute(SQL["lock_schema"], timeout=_MIGRATION_SECONDS)
        missing = await _missing(connection, place, to)  # again: another process may have been faster
        if missing:
            await connection.execute(_PRELUDE.read_text("utf-8"), timeout=_MIGRATION_SECONDS)
        for name in missing:
            await connection.execute(known_steps()[name], timeout=_MIGRATION_SECONDS)
    return missing


async def _missing(connection: Connection, place: str, to: str | None) -> list[str]:
    return steps_to_apply(known_steps(), await _applied(connection, place), to)


async def _applied(connection: Connection, place: str) -> list[str]:
    applied = await applied_steps(connection)
    check_not_newer(place, applied)
    return applied
