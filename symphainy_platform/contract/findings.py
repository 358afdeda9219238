"""What is wrong with a contract file, where, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from symphainy_platform.errors import ContractError

_SHOWN = 20


class Severity(StrEnum):
    """An error stops the start; a warning is the linter's alone."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One finding at file, line and column (both from 1), with the dotted field it is about."""

    file: str
    line: int
    column: int
    field: str
    message: str
    fix: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        """One line, in the form that editors and terminals make clickable."""
        where = f"{self.file}:{self.line}:{self.column}"
        field = f" {self.field}:" if self.field else ""
        fix = f" ({self.fix})" if self.fix else ""
        return f"{where}: {self.severity}:{field} {self.message}{fix}"


class ContractInvalid(ContractError):
    """One or more contract files cannot be used; `findings` lists everything that is wrong."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        """Keep the findings in order of file and line; the message shows the first twenty."""
        self.findings: Sequence[Finding] = tuple(sorted(findings))
        lines = [str(finding) for finding in self.findings[:_SHOWN]]
        if len(self.findings) > _SHOWN:
            lines.append(f"… and {len(self.findings) - _SHOWN} more")
        super().__init__("\n".join(lines))


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """Return "did you mean `x`?" for the nearest valid name, or the list of them, or nothing."""
    names = sorted(valid)
    if near := nearest(name, names):
        return f"did you mean `{near}`?"
    return "valid: " + ", ".join(names) if names else ""


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """The valid name that is most like `name`; None when none is."""
    return next(iter(get_close_matches(name, list(valid), n=1, cutoff=0.6)), None)
