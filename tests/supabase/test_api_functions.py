"""The functions of the API: the Postgres store's statements word for word, for service_role alone."""

import pytest
import pytest_asyncio
from servers.supabase_gateway import PUBLISHABLE_KEY

from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.state.postgres.queries import SQL
from symphainy_platform.state.records import Failed
from symphainy_platform.state.store import (
    ArtifactById,
    ArtifactListing,
    CompletedIntents,
    EventFilter,
    LogKeys,
    NewestArtifact,
)
from symphainy_platform.state.supabase.api import Api
from symphainy_platform.state.supabase.statements import Statements
from symphainy_platform.testing.store_suite.samples import LOG, TENANT, USER, commit_all, everything

VOLATILE = """
    select proname from pg_proc
     where pronamespace = 'symphainy'::regnamespace and (starts_with(proname, 'api_') or proname in ('load', 'run'))
       and provolatile = 'v'
"""


@pytest_asyncio.fixture
async def database(open_store, connect):
    await open_store()
    return await connect(user="postgres")


def words(statement):
    return " ".join(statement.split())


async def test_exposed_statements_are_those_of_the_postgres_store(database):
    bodies = await database.fetch("select substr(proname, 5), prosrc from pg_proc where starts_with(proname, 'api_')")
    assert len(bodies) > 30
    old = sorted(name for name, body in bodies if name in SQL and words(SQL[name]) not in words(body))
    assert old == [], "expose them anew in a migration, then select symphainy.make_api()"


async def test_reads_are_stable_so_that_a_load_sees_one_snapshot(database):
    volatile = {name for (name,) in await database.fetch(VOLATILE)}
    writes = {"analyse", "append_audit", "begin_epoch", "forget_keys", "keep_key", "keep_meta", "purge", "sweep"}
    assert volatile == {f"api_{name}" for name in writes} | {"run"}


async def test_no_function_runs_with_other_rights_than_its_callers(database):
    odd = """
        select proname from pg_proc
         where pronamespace = 'symphainy'::regnamespace and prokind = 'f'
           and (prosecdef or not coalesce('search_path=""' = any (proconfig), false))
    """
    assert await database.fetch(odd) == []


@pytest.mark.parametrize("role", ["anon", "authenticated"])
async def test_users_may_call_nothing(database, role):
    callable_ones = """
        select proname from pg_proc
         where pronamespace = 'symphainy'::regnamespace and has_function_privilege($1, oid, 'execute')
    """
    assert await database.fetch(callable_ones, role) == []


@pytest.mark.usefixtures("store")
async def test_the_public_key_gets_nowhere(projects):
    statements = Statements(Api(projects.url(), PUBLISHABLE_KEY))
    for name in ("keys", "begin_epoch"):
        with pytest.raises(Exception, match="permission denied") as refusal:
            await statements.fetch(SQL[name])
        assert refusal.value.sqlstate == "42501"
    await statements._api.close()


@pytest.mark.usefixtures("store")
async def test_a_wrong_key_is_refused(projects):
    api = Api(projects.url(), "sb_secret_wrong")
    with pytest.raises(Exception, match="API key") as refusal:
        await Statements(api).fetch(SQL["keys"])
    assert refusal.value.sqlstate == "28000"
    await api.close()


@pytest.mark.parametrize("text", ["a\0b", "\ud800"], ids=["NUL", "half a character"])
async def test_what_no_table_can_hold_is_missing(store, text):
    await commit_all(store, everything())
    reads = [
        ArtifactById(text, "a1"),
        ArtifactById(TENANT, "a1"),
        NewestArtifact(TENANT, USER, "chat_session", ("ACTIVE", text)),
        ArtifactListing(tenant_id=TENANT, user_id=text),
        LogKeys(tenant_id=TENANT, artifact_id="a1", log=LOG, generation=1, keys=("k1", text)),
        CompletedIntents(TENANT, text, ("update_chat_context",)),
    ]
    first, second, _, listing, entries, intents = await store.load(reads)
    assert (first, second.artifact_id, listing.artifacts, intents) == (None, "a1", (), frozenset())
    assert [entry.key for entry in entries] == ["k1"]
    assert await store.load([ArtifactById(text, text)]) == [None]
    with pytest.raises(DatabaseUnavailable):
        await store.events_after("0", EventFilter(tenant_id=TENANT, user_id=text))
    (outcome,) = await store.commit([everything(f"exec_{text}", "a2")])
    assert isinstance(outcome, Failed)


async def test_a_load_of_nothing_asks_nobody(store):
    await store.close()
    assert await store.load([]) == []
    with pytest.raises(DatabaseUnavailable):
        await store.event_cursor()
