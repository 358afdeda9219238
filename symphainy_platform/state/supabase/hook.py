"""The plugin that answers `SYMPHAINY_STORE=supabase`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symphainy_platform.context import Clock
from symphainy_platform.errors import SettingsError
from symphainy_platform.hookspecs import hookimpl
from symphainy_platform.setting_values import is_header_text, is_project_url
from symphainy_platform.settings import Settings

if TYPE_CHECKING:
    from symphainy_platform.state.postgres.doctor import Finding
    from symphainy_platform.state.supabase.store import SupabaseStore

_NAME = "supabase"


@hookimpl
def symphainy_store(url: str, clock: Clock, settings: Settings) -> SupabaseStore | None:
    """Return a store on the project that SUPABASE_URL names."""
    if url != _NAME:
        return None
    project, key = project_of(settings)
    try:
        from symphainy_platform.state.postgres.connections import Database  # noqa: PLC0415 - both clients are extras
        from symphainy_platform.state.supabase.store import SupabaseStore  # noqa: PLC0415
    except ModuleNotFoundError as error:
        msg = "A Supabase store needs its client: install symphainy-platform[supabase]."
        raise SettingsError(msg) from error
    direct = settings.migration_url
    return SupabaseStore(
        project, key, clock, migrations=Database(direct.get_secret_value()) if direct is not None else None
    )


async def examine_project(settings: Settings) -> list[Finding]:
    """Look at the project for `symphainy doctor`; nothing when the store is another, or its settings are amiss."""
    if settings.store != _NAME:
        return []
    try:
        from symphainy_platform.state.supabase.doctor import examine  # noqa: PLC0415 - both clients are extras

        return await examine(*project_of(settings))
    except (SettingsError, ModuleNotFoundError):
        return []  # said by the check of the store already


def project_of(settings: Settings) -> tuple[str, str]:
    """Return the project's URL and its secret key. Raises SettingsError when one is missing, or is none."""
    url = settings.supabase_url or ""
    if not is_project_url(url):
        msg = "SYMPHAINY_STORE=supabase needs SUPABASE_URL, the project's address: https://PROJECT.supabase.co"
        raise SettingsError(msg)
    key = settings.supabase_secret_key
    if key is None or not key.get_secret_value():
        msg = "SYMPHAINY_STORE=supabase needs SUPABASE_SECRET_KEY, a secret key of the project (sb_secret_…)"
        raise SettingsError(msg)
    if not is_header_text(key.get_secret_value()):
        msg = "SUPABASE_SECRET_KEY holds a blank, a line end or another character that no key has: copy the key anew"
        raise SettingsError(msg)
    return url, key.get_secret_value()
