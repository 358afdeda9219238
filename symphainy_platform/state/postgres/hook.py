"""The plugin that answers `postgresql://…` store URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symphainy_platform.context import Clock
from symphainy_platform.errors import SettingsError
from symphainy_platform.hookspecs import hookimpl
from symphainy_platform.settings import Settings

if TYPE_CHECKING:
    from symphainy_platform.state.postgres.doctor import Finding
    from symphainy_platform.state.postgres.store import PostgresStore

_SCHEMES = ("postgresql://", "postgres://")


@hookimpl
def symphainy_store(url: str, clock: Clock, settings: Settings) -> PostgresStore | None:
    """Return a store for `postgresql://user:password@host:port/database`."""
    if not url.startswith(_SCHEMES):
        return None
    try:
        from symphainy_platform.state.postgres.connections import Database  # noqa: PLC0415 - asyncpg is an extra
        from symphainy_platform.state.postgres.store import PostgresStore  # noqa: PLC0415
    except ModuleNotFoundError as error:
        msg = "A Postgres store needs its driver: install symphainy-platform[postgres]."
        raise SettingsError(msg) from error
    direct = settings.migration_url
    return PostgresStore(
        Database(url, pooled=settings.pooler),
        clock,
        migrations=Database(direct.get_secret_value()) if direct else None,
    )


async def examine_database(settings: Settings) -> list[Finding]:
    """Look at the database for `symphainy doctor`; nothing when the store is another, or its client is missing."""
    if not settings.store.startswith(_SCHEMES):
        return []
    try:
        from symphainy_platform.state.postgres.connections import Database  # noqa: PLC0415 - asyncpg is an extra
        from symphainy_platform.state.postgres.doctor import examine  # noqa: PLC0415
    except ModuleNotFoundError:
        return []  # said by the check of the store already
    return await examine(Database(settings.store, pooled=settings.pooler))
