"""The pytest plugin: `pytest --contracts` runs the compliance suite; without it, only fixtures are offered."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import symphainy_platform
from symphainy_platform.testing.clock import ManualClock

if TYPE_CHECKING:
    from symphainy_platform.platform import Platform

OpenPlatform = Callable[..., "AbstractAsyncContextManager[Platform]"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--contracts` and `--contracts-report`."""
    group = parser.getgroup("symphainy")
    group.addoption(
        "--contracts",
        nargs="?",
        const="",
        metavar="FOLDER|FILE|REALM",
        help="Attack every loaded intent with its contract; only those of a folder, file or realm when one is named.",
    )
    group.addoption("--contracts-report", type=Path, metavar="FILE", help="Write the compliance report as JSON.")


def pytest_configure(config: pytest.Config) -> None:
    """Bring the suite in when it is asked for; an ordinary test run does not import it."""
    if config.getoption("--contracts") is not None:
        config.pluginmanager.import_plugin("symphainy_platform.testing.collection")


@pytest.fixture
def manual_clock() -> ManualClock:
    """A clock that stands still until `advance(seconds)`."""
    return ManualClock()


@pytest.fixture
def open_platform(tmp_path: Path, manual_clock: ManualClock) -> OpenPlatform:
    """Opens a platform on the test's own SQLite file and manual clock.

    `async with open_platform() as platform: …`. Opened again, it is another process on the same
    file. `plugins=[module]` adds a realm that is not installed; other keywords are settings.
    """

    def open_one(*, plugins: Any = (), **settings: Any) -> AbstractAsyncContextManager[Platform]:
        chosen = symphainy_platform.Settings(home=tmp_path, **settings)
        return symphainy_platform.Platform.open(chosen, clock=manual_clock, plugins=plugins)

    return open_one
