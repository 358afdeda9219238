import os
import subprocess
import sys

import pytest
from warm import WarmCommands


def _clean():
    return {name: value for name, value in os.environ.items() if not name.startswith("SYMPHAINY_")}


@pytest.fixture(scope="session")
def warm_commands():
    made = WarmCommands()
    yield made
    made.stop()


@pytest.fixture
def symphainy(tmp_path, warm_commands):
    """Run the command line in an empty folder; returns the finished process."""

    def run(*words, stdin="", **environment):
        return warm_commands.run(words, cwd=tmp_path, env=_clean() | environment, stdin=stdin, timeout=30)

    return run


@pytest.fixture
def cold_symphainy(tmp_path):
    """The same as people start it, imports and all."""

    def run(*words, stdin="", **environment):
        return subprocess.run(  # noqa: S603
            [sys.executable, "-m", "symphainy_platform.cli", *words],
            cwd=tmp_path,
            env=_clean() | environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return run
