import pytest
from live_server import running


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One server for all tests that leave it running; tests choose their own tenants."""
    with running(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def own_server(tmp_path):
    with running(tmp_path) as server:
        yield server
