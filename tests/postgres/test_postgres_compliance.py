"""The realms that this repository ships keep their contracts on Postgres, too."""

import pytest
from sql_stores.contracts import SUBJECTS, keeps_its_contract

from symphainy_platform.testing.postgres import PostgresBinding


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
    await keeps_its_contract(subject, tmp_path, binding)
