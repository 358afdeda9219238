"""A realm of another team: built as a wheel and installed by pip, once; then submitted to in another process."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROJECT = HERE / "project"


def run(*command, **options):
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, **options)  # noqa: S603 - our own


def succeed(*command, **options):
    done = run(*command, **options)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """The folder that pip has installed the wheel into."""
    place = tmp_path_factory.mktemp("wheel")
    shutil.copytree(PROJECT, place / "project", ignore=shutil.ignore_patterns("__pycache__"))
    succeed(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", place, place / "project")
    [wheel] = place.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    succeed(*pip, "--no-deps", "--no-index", "--target", place / "site", wheel)
    return place / "site"


@pytest.fixture
def site(installed, tmp_path):
    """A copy of it that a test may spoil."""
    return shutil.copytree(installed, tmp_path / "site")


@pytest.fixture
def submit(tmp_path):
    """Runs submit.py with these folders of packages beside the platform's own."""

    def run_with(*sites):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SYMPHAINY_")}
        environment["PYTHONPATH"] = os.pathsep.join(map(str, sites))
        return run(sys.executable, HERE / "submit.py", tmp_path / "home", cwd=tmp_path, env=environment)

    return run_with
