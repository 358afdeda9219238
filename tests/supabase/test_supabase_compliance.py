"""The realms that this repository ships keep their contracts on a Supabase project, too."""

import pytest
from servers.supabase_gateway import SECRET_KEY
from sql_stores.contracts import SUBJECTS, keeps_its_contract

from symphainy_platform.state.postgres.connections import Database
from symphainy_platform.state.supabase.store import SupabaseStore
from symphainy_platform.testing.postgres import PostgresBinding


class SupabaseBinding(PostgresBinding):
    """The databases of the Postgres binding, behind the API."""

    name = "supabase"

    def __init__(self, url, gateway):
        super().__init__(url)
        self._gateway = gateway

    def create(self, folder, clock):
        direct = Database(self._database(folder))
        return SupabaseStore(self._gateway.url(direct.url.rpartition("/")[2]), SECRET_KEY, clock, migrations=direct)


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
    await keeps_its_contract(subject, tmp_path, binding)
