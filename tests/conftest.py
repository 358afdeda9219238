"""What all tests share: servers, started when a test first needs them, and what is read once for all of them."""

import asyncio
import gc
import os
from functools import cache

import asyncpg
import httpx
import pytest
from argon2 import PasswordHasher
from servers.databases import Databases
from servers.postgres import PostgresServer
from servers.supabase_gateway import ROLES, SupabaseGateway

from symphainy_platform import plugins
from symphainy_platform.contract.load import load_folders, yaml_files
from symphainy_platform.realms.security import passwords


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """Half as many again as there are cores: a third of the time tests wait for servers, clocks and each other."""
    return (os.cpu_count() or 1) * 3 // 2


def pytest_collection_finish():
    """Thousands of tests have been collected, and stay: no garbage is looked for among them any more."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _read_once():
    """Thousands of platforms and clients are opened: what is installed, equal contract files, equal certificates.

    Commands that tests start keep what Python compiles of the code, as they do elsewhere.
    """
    catalogs = {}
    installed = cache(plugins.entry_points)

    def load(folders):
        files = tuple(file for folder in dict.fromkeys(folders) for file in yaml_files(folder))
        return catalogs.get(files) or catalogs.setdefault(files, load_folders(folders))

    contexts = cache(lambda _, *asked: httpx.create_ssl_context(*asked))

    def context(verify=True, cert=None, trust_env=True):  # noqa: FBT002 - as httpx has it
        return contexts((os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")), verify, cert, trust_env)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plugins, "load_folders", load)
        patch.setattr(plugins, "entry_points", installed)
        patch.setattr("httpx._transports.default.create_ssl_context", context)
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        yield


@pytest.fixture(autouse=True)
def _compiled_once(monkeypatch):
    """However many platforms a test opens: in each test anew, which may have changed what compiles."""
    made = {}

    def compile_once(contract, catalog, limits):
        key = (id(contract), id(catalog), *limits.items())
        if key not in made:
            made[key] = compile_contract(contract, catalog, limits), contract, catalog  # kept, so that ids stay theirs
        return made[key][0]

    compile_contract = plugins.compile_contract
    monkeypatch.setattr(plugins, "compile_contract", compile_once)


@pytest.fixture
def cheap_hashes(monkeypatch):
    """Hashes that cost nothing, for suites that make hundreds of them and look at something else."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda _: hasher)


@pytest.fixture(scope="session")
def postgres_server():
    """An embedded Postgres, for the whole run."""
    server = PostgresServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def databases(postgres_server):
    """Fresh databases for one test, by name, without a schema."""
    made = Databases(postgres_server)
    yield made
    made.empty()


@pytest.fixture
def migrated_databases(postgres_server):
    """The same with the schema of the store, once a store has migrated them."""
    made = Databases(postgres_server, migrated=True)
    yield made
    made.empty()


@pytest.fixture(scope="session")
def supabase_gateway(postgres_server):
    """The Supabase API over all databases of the embedded Postgres, for the whole run."""
    asyncio.run(_make_roles(postgres_server.url()))
    gateway = SupabaseGateway(postgres_server.url("", "gateway").rstrip("/"))
    gateway.start()
    yield gateway
    gateway.stop()


async def _make_roles(url):
    connection = await asyncpg.connect(url)
    await connection.execute(ROLES)
    await connection.close()
