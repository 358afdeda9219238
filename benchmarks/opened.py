"""A platform as production opens it, in a temporary folder: same loop, logs, memory and durability."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from benchmarks import realm
from symphainy_platform import Identity, Platform, Settings
from symphainy_platform.context import SystemClock
from symphainy_platform.observability import configure_logs
from symphainy_platform.state.sqlite.store import SqliteStore
from symphainy_platform.state.store import Store

T = TypeVar("T")

TENANT = "bench"


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run on the loop that `symphainy serve` uses."""
    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        return runner.run(work)


def fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the loop factory of `symphainy serve`; None is the standard loop."""
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - not on every system

    return uvloop.new_event_loop


@contextmanager
def logs_to_nowhere() -> Iterator[None]:
    """Write the real log lines, as JSON, into the null device: their cost is measured, too."""
    with Path(os.devnull).open("w", encoding="utf-8") as sink:
        with contextlib.redirect_stderr(sink):
            configure_logs(settings_in(Path(tempfile.gettempdir())))
        yield


def settings_in(home: Path) -> Settings:
    """Settings of a platform whose data is in `home`, whatever the environment says of the store."""
    return Settings(home=home, store=f"sqlite:///{home}/platform.db", log_format="json", log_level="info")


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that goes away with its databases."""
    with tempfile.TemporaryDirectory(prefix="symphainy-bench-") as folder:
        yield Path(folder)


@asynccontextmanager
async def opened(
    home: Path,
    *,
    store: Store | None = None,
    prepare: Callable[[sqlite3.Connection], None] | None = None,
) -> AsyncIterator[Platform]:
    """Open a platform on SQLite in `home`, or on `store`; `prepare` sees each SQLite connection."""
    if store is None:
        store = SqliteStore(home / "platform.db", SystemClock(), prepare=prepare)
    async with Platform.open(settings_in(home), store=store, plugins=[realm]) as platform:
        with loaded_for_good():
            yield platform


@contextmanager
def loaded_for_good() -> Iterator[None]:
    """Keep what is loaded from the garbage collector meanwhile, as `symphainy serve` does."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def caller(user: str) -> Identity:
    """A user of the one tenant that the benchmarks know."""
    return Identity(tenant_id=TENANT, user_id=user)
