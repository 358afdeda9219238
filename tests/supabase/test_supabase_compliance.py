"""The realms that this repository ships keep their contracts on a Supabase project, too."""

import pytest
from servers.supabase_gateway import SECRET_KEY

from symphainy_platform.plugins import load_plugins, load_realms
from symphainy_platform.settings import Settings
from symphainy_platform.state.postgres.connections import Database
from symphainy_platform.state.supabase.store import SupabaseStore
from symphainy_platform.testing.compliance import run_compliance
from symphainy_platform.testing.postgres import PostgresBinding
from symphainy_platform.testing.report import Verdict


class SupabaseBinding(PostgresBinding):
    """The databases of the Postgres binding, behind the API."""

    name = "supabase"

    def __init__(self, url, gateway):
        super().__init__(url)
        self._gateway = gateway

    def create(self, folder, clock):
        direct = Database(self._database(folder))
        return SupabaseStore(self._gateway.url(direct.url.rpartition("/")[2]), SECRET_KEY, clock, migrations=direct)


CATALOG = load_realms(load_plugins(), Settings()).catalog
SUBJECTS = sorted({intent for intent, _ in CATALOG.contracts} | set(CATALOG.journeys))


@pytest.fixture(scope="module")
def binding(postgres_server, supabase_gateway):
    """Databases that are emptied and used again."""
    made = SupabaseBinding(postgres_server.url(), supabase_gateway)
    yield made
    made.close()


@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("cheap_hashes")
@pytest.mark.parametrize("subject", SUBJECTS)
async def test_our_realms_keep_their_contracts(subject, tmp_path, binding):
    report = await run_compliance(tmp_path, stores=[binding], names={subject}, contracts=CATALOG)
    assert [str(finding) for finding in report.failures + report.skips] == []
    assert any(finding.verdict is Verdict.PASSED for finding in report.findings)
