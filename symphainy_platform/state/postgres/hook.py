"""The plugin that answers `postgresql://…` store URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symphainy_platform.context import Clock
from symphainy_platform.errors import SettingsError
from symphainy_platform.hookspecs import hookimpl
from symphainy_platform.settings import Settings

if TYPE_CHECKING:
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
