"""The plugin that answers `sqlite:///…` store URLs."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from symphainy_platform.context import Clock
from symphainy_platform.errors import SettingsError
from symphainy_platform.hookspecs import hookimpl
from symphainy_platform.state.sqlite.store import SqliteStore

_SCHEME = "sqlite:"


@hookimpl
def symphainy_store(url: str, clock: Clock) -> SqliteStore | None:
    """Return a store for `sqlite:////absolute/path` or `sqlite:///relative/path`."""
    if not url.startswith(_SCHEME):
        return None
    path = unquote(url.removeprefix(f"{_SCHEME}///"))
    if path == unquote(url) or not path or "\0" in path:
        msg = f"{url!r} is not a SQLite URL: write sqlite:///relative/path.db or sqlite:////absolute/path.db."
        raise SettingsError(msg)
    if path == ":memory:":  # SQLite would keep it in memory, once per connection
        msg = f"{url!r} is no file: a store is durable. Name a path, in a temporary folder for instance."
        raise SettingsError(msg)
    return SqliteStore(Path(path), clock)
