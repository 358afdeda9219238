"""The Makefile: the targets that the documents name, and when it sets up anew."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
COMMAND = re.compile(r"(?:^|`)make ([a-z]+)", re.MULTILINE)


def planned(folder, target="setup"):
    """What `make TARGET` would do."""
    make = subprocess.run(["make", "-n", target], cwd=folder, capture_output=True, text=True, check=True)  # noqa: S603, S607
    return make.stdout


@pytest.fixture
def checkout(tmp_path):
    """A checkout, in a path with spaces, that is set up."""
    folder = tmp_path / "it's a checkout, (2)"
    (folder / ".venv").mkdir(parents=True)
    (folder / "tests" / "servers").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "tests/servers/package-lock.json"):
        shutil.copy(ROOT / name, folder / name)
    (folder / ".venv" / ".ready").write_text(f"{folder}\n")
    fetched = folder / ".venv" / "supabase-gateway" / "node_modules" / ".package-lock.json"
    fetched.parent.mkdir(parents=True)
    fetched.touch()
    return folder


def test_documents_name_only_targets_that_there_are():
    named = {name for document in DOCUMENTS for name in COMMAND.findall(document.read_text("utf-8"))}
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert {"run", "test", "check"} <= named <= set(targets)


def test_nothing_is_done_when_nothing_changed(checkout):
    assert "venv" not in planned(checkout)


def test_new_dependencies_are_added(checkout):
    shutil.copystat(ROOT / "pyproject.toml", checkout / ".venv" / ".ready")
    (checkout / "pyproject.toml").touch()
    plan = planned(checkout)
    assert "pip install" in plan
    assert "--clear" not in plan


def test_serving_does_not_wait_for_what_only_tests_need(checkout):
    shutil.rmtree(checkout / ".venv" / "supabase-gateway")
    assert "supabase_gateway.py" in planned(checkout)
    assert "supabase_gateway.py" not in planned(checkout, "run")


def test_checkout_that_moved_is_set_up_anew(checkout):
    assert "--clear" in planned(checkout.rename(checkout.with_name("renamed")))
