"""Four serving processes on one Postgres: two workers behind one address, and two servers on their own."""

import pytest
from server_process import ServerProcess, members_of
from servers.databases import Databases

SETTINGS = {"SYMPHAINY_MAX_EVENT_STREAMS_PER_USER": "20"}


class Fleet:
    """The processes, their folder and their database."""

    def __init__(self, folder, url):
        self.folder, self.url = folder, url
        self.servers = [ServerProcess(folder, url, workers=workers, **SETTINGS) for workers in (2, 1, 1)]

    def await_ready(self):
        for server in self.servers:
            server.await_url()
        return self

    @property
    def members(self):
        return members_of(self.servers)

    def kill(self):
        for server in self.servers:
            server.kill()


@pytest.fixture(scope="session")
def fleet(tmp_path_factory, postgres_server):
    databases = Databases(postgres_server)
    fleet = Fleet(tmp_path_factory.mktemp("fleet"), databases.url("fleet"))
    try:
        yield fleet.await_ready()
    finally:
        fleet.kill()
        databases.empty()
