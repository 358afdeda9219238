import pytest
from minimal_contract import CONTRACTS, MINIMAL

from symphainy_platform.contract.compile import compile_contract
from symphainy_platform.contract.load import load_folders


@pytest.fixture(scope="session")
def catalog():
    return load_folders([CONTRACTS])


@pytest.fixture(scope="session")
def compiled(catalog):
    return {name: compile_contract(sourced.value, catalog, {}) for (name, _), sourced in catalog.contracts.items()}


@pytest.fixture
def folder(tmp_path):
    """Write files into a folder of contracts and return it."""

    def write(**files):
        for name, text in files.items():
            path = tmp_path / (name.replace("__", "/") + ".yaml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


@pytest.fixture
def compile_text(folder):
    """Compile the minimal contract with replacements."""

    def compile_(*replacements, settings=None, **files):
        text = MINIMAL
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        catalog = load_folders([folder(note_thing=text, **files)])
        return compile_contract(catalog.contracts["note_thing", 1].value, catalog, settings or {})

    return compile_
