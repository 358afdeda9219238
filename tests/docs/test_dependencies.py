"""Every library that the code imports is declared, and every declared one has its reason in the document."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
COMES_WITH = {"postgrest": "supabase", "pydantic-core": "pydantic"}
"""Parts of a declared library that are imported by themselves."""


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def named(requirements):
    return {normal(re.match(r"[\w.-]+", requirement)[0]) for requirement in requirements} - {"symphainy-platform"}


DECLARED = named(PROJECT["dependencies"])
EXTRAS = {extra: named(requirements) for extra, requirements in PROJECT["optional-dependencies"].items()}


def imported():
    """Top-level names that the package imports, the standard library and itself aside."""
    names = set()
    for path in (ROOT / "symphainy_platform").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(node.module.partition(".")[0])
    return names - sys.stdlib_module_names - {"symphainy_platform"}


def test_every_import_is_declared():
    distributions = packages_distributions()
    used = {normal(distributions[name][0]) for name in imported()}
    used = {COMES_WITH.get(name, name) for name in used}
    optional = EXTRAS["testing"] | EXTRAS["telemetry"] | EXTRAS["postgres"] | EXTRAS["supabase"]
    assert used - DECLARED - optional == set()
    assert DECLARED - used == {"httptools"}  # uvicorn's parser, by its name


@pytest.mark.parametrize("name", sorted(DECLARED.union(*EXTRAS.values())))
def test_every_declared_library_has_its_reason(name):
    rows = [row for row in (ROOT / "docs" / "dependencies.md").read_text("utf-8").splitlines() if row.startswith("|")]
    assert [row for row in rows if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", row.lower())]
