"""The realms that this repository ships keep their contracts on a store, subject by subject."""

from symphainy_platform.plugins import load_plugins, load_realms
from symphainy_platform.settings import Settings
from symphainy_platform.testing.compliance import run_compliance
from symphainy_platform.testing.report import Verdict

CATALOG = load_realms(load_plugins(), Settings()).catalog
SUBJECTS = sorted({intent for intent, _ in CATALOG.contracts} | set(CATALOG.journeys))


async def keeps_its_contract(subject, folder, binding):
    report = await run_compliance(folder, stores=[binding], names={subject}, contracts=CATALOG)
    assert [str(finding) for finding in report.failures + report.skips] == []
    assert any(finding.verdict is Verdict.PASSED for finding in report.findings)
