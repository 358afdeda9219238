import os
import subprocess
import sys

import pytest


@pytest.fixture
def symphainy(tmp_path):
    """Run the command line in an empty folder; returns the finished process."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SYMPHAINY_")}

    def run(*words, stdin="", **environment):
        return subprocess.run(  # noqa: S603
            [sys.executable, "-m", "symphainy_platform.cli", *words],
            cwd=tmp_path,
            env=clean | environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return run
