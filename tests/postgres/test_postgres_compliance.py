"""The realms that this repository ships keep their contracts on Postgres, too."""

import pytest

from symphainy_platform.plugins import load_plugins, load_realms
from symphainy_platform.settings import Settings
from symphainy_platform.testing.compliance import run_compliance
from symphainy_platform.testing.postgres import PostgresBinding
from symphainy_platform.testing.report import Verdict

CATALOG = load_realms(load_plugins(), Settings()).catalog
SUBJECTS = sorted({intent for intent, _ in CATALOG.contracts} | set(CATALOG.journeys))


@pytest.fixture(scope="module")
def binding(postgres_server):
    """Databases that are emptied and used again."""
    made = PostgresBinding(postgres_server.url())
    yield made
    made.close()


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("cheap_hashes")
@pytest.mark.parametrize("subject", SUBJECTS)
async def test_our_realms_keep_their_contracts(subject, tmp_path, binding):
    report = await run_compliance(tmp_path, stores=[binding], names={subject}, contracts=CATALOG)
    assert [str(finding) for finding in report.failures + report.skips] == []
    assert any(finding.verdict is Verdict.PASSED for finding in report.findings)
