"""Generating: every file that is derived from the contracts, and the check that none has drifted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from symphainy_platform.contract.catalog import Catalog
from symphainy_platform.contract.load import load_folders
from symphainy_platform.contract.render import render_contract, render_journey
from symphainy_platform.contract.schema import FORMATS, format_schema

_RENDERED = "rendered"
_DOCUMENTS = f"{_RENDERED}/**/*.md"


def generate(folder: Path, *, check: bool = False) -> list[Path]:
    """Write what is generated from the contracts in `folder`; returns the paths that had drifted.

    Documents go to `rendered/<realm>/<intent>.md` and `rendered/journeys/<journey>.md`, schemas
    to `<format>.schema.json`. A document that no contract stands behind any more is removed.
    With `check` nothing is written. Raises ContractInvalid for contracts that cannot be loaded.
    """
    wanted = {folder / name: text for name, text in generated_files(load_folders([folder]), folder)}
    drifted = [path for path, text in wanted.items() if _text(path) != text]
    orphans = [path for path in folder.glob(_DOCUMENTS) if path not in wanted]
    if not check:
        for path in drifted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
        for path in orphans:
            path.unlink()
    return sorted([*drifted, *orphans])


def generated_files(catalog: Catalog, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (path below the folder, text) of every generated file."""
    for (intent, major), contract in catalog.contracts.items():
        newest = catalog.newest(intent) is contract.value
        name = intent if newest else f"{intent}.v{major}"
        source = _below(folder, contract.source.file)
        yield f"{_RENDERED}/{contract.value.realm}/{name}.md", render_contract(contract.value, catalog, source)
    for name, journey in catalog.journeys.items():
        source = _below(folder, journey.source.file)
        yield f"{_RENDERED}/journeys/{name}.md", render_journey(journey.value, catalog, source)
    for name in FORMATS:
        yield f"{name}.schema.json", json.dumps(format_schema(name), indent=2, ensure_ascii=False) + "\n"


def _below(folder: Path, file: str) -> str:
    """The name of a source in its folder, the same on every machine."""
    return str(PurePosixPath(Path(file).relative_to(folder)))


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
