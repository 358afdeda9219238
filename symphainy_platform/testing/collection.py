"""`pytest --contracts`: every check of every contract as a test item, and the report at the end."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import orjson
import pytest

from symphainy_platform.errors import StartError
from symphainy_platform.testing.attack import Attack
from symphainy_platform.testing.compliance import attacks
from symphainy_platform.testing.report import Finding, Report, Verdict
from symphainy_platform.testing.selection import select

_REPORT = pytest.StashKey[Report]()


def pytest_configure(config: pytest.Config) -> None:
    """Leave ordinary tests out unless some are named on the command line."""
    config.stash[_REPORT] = Report()
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args = []


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Add the checks, before `-k` and the like choose among them."""
    suite = ContractSuite.from_parent(session, name="contracts", nodeid="contracts")
    items.extend(suite.collect())


class ContractSuite(pytest.Collector):
    """Collects the checks of what `--contracts` selects."""

    def collect(self) -> Iterator[ContractItem]:
        """One item per check; UsageError when the start would fail, or nothing is selected."""
        try:
            chosen, plugins = select(self.config.getoption("--contracts"))
            found = list(attacks(plugins=plugins, select=chosen))
        except StartError as error:
            raise pytest.UsageError(str(error)) from error
        if not found:
            raise pytest.UsageError(f"no contract in {self.config.getoption('--contracts') or 'any loaded realm'}")
        yield from (ContractItem.from_parent(self, name=attack.name, attack=attack) for attack in found)


class ContractItem(pytest.Item):
    """One check of one intent on one store."""

    def __init__(self, *, attack: Attack, **kwargs: Any) -> None:
        """Use `from_parent`."""
        super().__init__(**kwargs)
        self._attack = attack

    def runtest(self) -> None:
        """Make the check on a database of its own."""
        with tempfile.TemporaryDirectory(prefix="contracts-") as folder:
            finding = asyncio.run(self._attack.run(Path(folder)))
        self.config.stash[_REPORT].findings.append(finding)
        _conclude(finding)

    def reportinfo(self) -> tuple[Path, None, str]:
        """What progress and summary name it."""
        return self.path, None, self.name


def _conclude(finding: Finding) -> None:
    if finding.verdict.is_bad:
        pytest.fail(str(finding), pytrace=False)
    if finding.verdict is Verdict.EXPECTED_FAILURE:
        pytest.xfail(finding.reason)
    if finding.verdict in (Verdict.SKIPPED, Verdict.NOT_APPLICABLE):
        _skip(finding)


def _skip(finding: Finding) -> NoReturn:
    pytest.skip(f"{finding.verdict.replace('_', ' ')}: {finding.reason}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table, and write the JSON where it was asked for."""
    report = config.stash[_REPORT]
    terminalreporter.section("contracts")
    for line in report.lines(shutil.get_terminal_size().columns):
        terminalreporter.write_line(line)
    if (file := config.getoption("--contracts-report")) is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(orjson.dumps(report.to_dict(), option=orjson.OPT_INDENT_2))
