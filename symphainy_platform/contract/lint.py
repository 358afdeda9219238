"""Linting: everything that is wrong with a folder of contracts, and what could be better."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from symphainy_platform.contract.findings import Finding, Severity
from symphainy_platform.contract.generate import generate
from symphainy_platform.contract.load import inspect_folders


def lint(folder: Path, *, beside: Sequence[Path] = (), drift: bool = True) -> list[Finding]:
    """Return every finding in `folder`, in order of file and line; an empty list is a clean folder.

    `beside` names further folders whose types, journeys and roles these contracts may use; what
    is wrong in them is not reported. With `drift`, generated files that are out of date are
    warnings, for a folder that has any.
    """
    _, findings = inspect_folders([folder, *beside])
    own = [finding for finding in findings if Path(finding.file).is_relative_to(folder)]
    broken = any(finding.severity is Severity.ERROR for finding in findings)
    if drift and not broken and (folder / "rendered").is_dir():
        own += [_drifted(path) for path in generate(folder, check=True)]
    return sorted(own)


def _drifted(path: Path) -> Finding:
    fix = "run `symphainy contracts render`"
    return Finding(str(path), 1, 1, "", "is not what the contracts generate", fix, Severity.WARNING)
