"""The realms that this repository ships keep their contracts on Postgres, too."""

import pytest

from symphainy_platform.testing.compliance import run_compliance
from symphainy_platform.testing.postgres import PostgresBinding
from symphainy_platform.testing.report import Verdict


@pytest.mark.timeout(900)
async def test_our_realms_keep_their_contracts(tmp_path, postgres_server):
    report = await run_compliance(tmp_path, stores=[PostgresBinding(postgres_server.url())])
    assert [str(finding) for finding in report.failures + report.skips] == []
    assert sum(finding.verdict is Verdict.PASSED for finding in report.findings) > 150
