"""What the suite found: a table of intents and checks for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """How one check of one intent on one store ended."""

    PASSED = "passed"
    FAILED = "failed"
    EXPECTED_FAILURE = "expected_failure"
    UNEXPECTED_PASS = "unexpected_pass"  # noqa: S105 - a verdict
    SKIPPED = "skipped"
    NOT_APPLICABLE = "not_applicable"
    UNIMPLEMENTED = "unimplemented"

    @property
    def is_bad(self) -> bool:
        """Whether it fails the run."""
        return self in _BAD

    @property
    def sign(self) -> str:
        """Its cell in the table."""
        return _SIGNS[self]


_BAD = frozenset({Verdict.FAILED, Verdict.UNEXPECTED_PASS, Verdict.UNIMPLEMENTED})
_SIGNS = {
    Verdict.PASSED: "ok",
    Verdict.FAILED: "FAIL",
    Verdict.EXPECTED_FAILURE: "xfail",
    Verdict.UNEXPECTED_PASS: "XPASS",
    Verdict.SKIPPED: "skip",
    Verdict.NOT_APPLICABLE: "-",
    Verdict.UNIMPLEMENTED: "none",
}
_WORST_FIRST = tuple(_SIGNS[verdict] for verdict in (*sorted(_BAD), Verdict.SKIPPED, Verdict.EXPECTED_FAILURE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One cell: a check of an intent (or journey) on a store, its verdict, and why."""

    store: str
    subject: str
    check: str
    verdict: Verdict
    reason: str = ""
    problems: tuple[str, ...] = ()

    @property
    def row(self) -> str:
        """The row of the table: examples and scenarios share one each."""
        family = self.check.partition(".")[0]
        return f"{family}s" if family in {"example", "scenario"} else self.check

    def __str__(self) -> str:
        """As listed under the table."""
        details = self.problems or (self.reason,)
        return "\n".join([f"{self.subject} · {self.check} ({self.store}): {self.verdict}", *_indented(details)])


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines if line]


@dataclass(slots=True)
class Report:
    """All findings of a run."""

    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether something was attacked, nothing failed, and every intent has a service."""
        return bool(self.findings) and not self.failures

    @property
    def failures(self) -> list[Finding]:
        """What fails the run."""
        return [finding for finding in self.findings if finding.verdict.is_bad]

    @property
    def skips(self) -> list[Finding]:
        """Checks that could not be made, each with its reason."""
        return [finding for finding in self.findings if finding.verdict is Verdict.SKIPPED]

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON: totals by verdict, then every finding."""
        totals = {verdict.value: self._count(verdict) for verdict in Verdict}
        return {"ok": self.ok, "totals": totals, "findings": [asdict(finding) for finding in self.findings]}

    def lines(self, width: int = 100) -> Iterator[str]:
        """The report as text: per store a table, then failures, expected failures and skips with reasons."""
        for store in dict.fromkeys(finding.store for finding in self.findings):
            yield f"contracts on {store}"
            yield from self._table([finding for finding in self.findings if finding.store == store], width)
        for verdict in (*sorted(_BAD), Verdict.EXPECTED_FAILURE, Verdict.SKIPPED):
            yield from (str(finding) for finding in self.findings if finding.verdict is verdict)
        yield ", ".join(f"{self._count(verdict)} {verdict.replace('_', ' ')}" for verdict in Verdict)

    def _count(self, verdict: Verdict) -> int:
        return sum(finding.verdict is verdict for finding in self.findings)

    def _table(self, findings: Sequence[Finding], width: int) -> Iterator[str]:
        """Checks down, intents across; as many tables as the width needs."""
        subjects = list(dict.fromkeys(finding.subject for finding in findings))
        rows = list(dict.fromkeys(finding.row for finding in findings))
        first = max(map(len, rows), default=0) + 2
        for group in _groups(subjects, width - first):
            yield "".join([" " * first, *(f"{subject}  " for subject in group)]).rstrip()
            for row in rows:
                cells = [_cell(findings, subject, row).ljust(len(subject) + 2) for subject in group]
                if any(map(str.strip, cells)):
                    yield (row.ljust(first) + "".join(cells)).rstrip()
            yield ""


def _groups(subjects: Sequence[str], width: int) -> Iterator[list[str]]:
    group: list[str] = []
    for subject in subjects:
        if group and sum(len(name) + 2 for name in (*group, subject)) > width:
            yield group
            group = []
        group.append(subject)
    if group:
        yield group


def _cell(findings: Sequence[Finding], subject: str, row: str) -> str:
    """The sign of one check; of several examples the worst, with how many there are."""
    signs = [finding.verdict.sign for finding in findings if (finding.subject, finding.row) == (subject, row)]
    if len(signs) <= 1:
        return signs[0] if signs else ""
    worst = next((sign for sign in _WORST_FIRST if sign in signs), "ok")
    return f"{worst} {signs.count(worst)}/{len(signs)}"
