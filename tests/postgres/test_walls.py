"""Two walls: the tenant in every statement of the platform, and row level security for everybody else."""

import asyncpg
import orjson
import pytest
import pytest_asyncio
from sql_stores.walls import HIDDEN, OF_EVERY_TYPE, READABLE, owned

from symphainy_platform.state.postgres.connections import Database
from symphainy_platform.state.postgres.store import PostgresStore
from symphainy_platform.state.records import Commit
from symphainy_platform.state.store import ArtifactById
from symphainy_platform.testing.store_suite.samples import OTHER_TENANT, TENANT, commit_all, execution

ANN = "supabase:ann"


@pytest_asyncio.fixture
async def people(store):
    """Rows of Ann, of a neighbour, of Ann's namesake in another tenant; and a sealed thing of Ann's."""
    everybody = [("ann", ANN, TENANT), ("bob", "supabase:bob", TENANT), ("namesake", ANN, OTHER_TENANT)]
    for name, user, tenant in everybody:
        await commit_all(store, *owned(name, user, tenant))
    await commit_all(store, *owned("sealed", ANN, kind="credential")[:1])
    await store.close()


@pytest_asyncio.fixture
async def as_user(people, connect):
    """A connection as the Supabase API makes it for a user's token: as_user("ann", tenant)."""
    del people
    connection = await connect(user="postgres")

    async def become(sub, tenant=TENANT, role="authenticated"):
        claims = {"sub": sub, "role": role, "app_metadata": {"tenant_id": tenant}}
        await connection.execute(f"reset role; set role {role}")
        await connection.execute("select set_config('request.jwt.claims', $1, false)", orjson.dumps(claims).decode())
        return connection

    return become


async def names(connection, table):
    column = {"chat_sessions": "chat_session_id"}.get(table, "artifact_id")
    return {row[0] for row in await connection.fetch(f"select {column} from symphainy.{table}")}  # noqa: S608


@pytest.mark.parametrize("table", READABLE)
async def test_a_user_reads_the_rows_of_that_user_in_that_tenant(as_user, table):
    expected = {"ann", "sealed"} if table in OF_EVERY_TYPE else {"ann"}
    assert await names(await as_user("ann"), table) == expected
    assert await names(await as_user("ann", OTHER_TENANT), table) == {"namesake"}
    assert await names(await as_user("carol"), table) == set()
    assert await names(await as_user("ann", "nowhere"), table) == set()


@pytest.mark.parametrize(
    "claims", [{}, {"sub": "ann"}, {"app_metadata": {"tenant_id": TENANT}}, {"sub": None}], ids=str
)
@pytest.mark.parametrize("table", READABLE)
async def test_a_token_without_tenant_or_user_sees_nothing(as_user, table, claims):
    connection = await as_user("ann")
    await connection.execute("select set_config('request.jwt.claims', $1, false)", orjson.dumps(claims).decode())
    assert await names(connection, table) == set()


@pytest.mark.parametrize("table", HIDDEN)
async def test_what_the_platform_keeps_is_nobody_s_to_read(as_user, table):
    for role in ("authenticated", "anon"):
        connection = await as_user("ann", role=role)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch(f"select * from symphainy.{table}")  # noqa: S608 - a table of these tests


@pytest.mark.parametrize("table", READABLE)
async def test_nobody_without_a_token_reads_anything(as_user, table):
    connection = await as_user("ann", role="anon")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.fetch(f"select * from symphainy.{table}")  # noqa: S608 - a table of these tests


@pytest.mark.parametrize("table", [*(name for name in READABLE if name != "artifact_index"), *HIDDEN])
@pytest.mark.parametrize("role", ["authenticated", "anon"])
async def test_no_user_writes(as_user, table, role):
    connection = await as_user("ann", role=role)
    for statement in ("delete from symphainy.{}", "insert into symphainy.{} default values", "truncate symphainy.{}"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement.format(table))


@pytest.mark.parametrize(
    "call",
    [
        "symphainy.commit_intents('{\"executions\": []}'::jsonb)",
        'symphainy.sweep(now(), now(), now(), \'["-infinity", "", ""]\', 10)',
        "symphainy.purge('[]')",
        "symphainy.write_chat_sessions('[]')",
        "symphainy.begin_epoch()",
    ],
)
@pytest.mark.parametrize("role", ["authenticated", "anon"])
async def test_no_user_calls_the_platform_s_functions(as_user, call, role):
    connection = await as_user("ann", role=role)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(f"select {call}")


@pytest.mark.usefixtures("store")
async def test_every_table_is_behind_the_wall(connect):
    rows = await (await connect()).fetch(
        """select relname, relrowsecurity and relforcerowsecurity as walled,
                  exists (select from pg_policy where polrelid = c.oid and polname = 'platform') as open_to_us
             from pg_class as c where relnamespace = 'symphainy'::regnamespace and relkind in ('r', 'p')"""
    )
    assert len(rows) > 10
    assert [row["relname"] for row in rows if not (row["walled"] and row["open_to_us"])] == []


@pytest.mark.usefixtures("store")
async def test_policies_ask_for_the_token_once_per_query(connect):
    """The sub-select makes it one evaluation; the bare function was 3.9 times slower."""
    rows = await (await connect()).fetch("select qual from pg_policies where policyname = 'own_rows'")
    assert len(rows) == 5
    assert all("( SELECT auth.jwt()" in qual for (qual,) in rows)


@pytest_asyncio.fixture
async def app_role(connect, store):
    """A user who owns nothing and passes no wall, only a member of symphainy_app."""
    admin = await connect(user="postgres")
    await admin.execute("create role app login nobypassrls; grant symphainy_app to app")
    await store.close()
    yield "app"
    await admin.execute("drop role app")


async def test_the_platform_works_as_a_mere_member_of_its_role(databases, clock, app_role):
    store = PostgresStore(Database(databases.url(user=app_role)), clock)
    await store.open()
    await commit_all(
        store, *owned("ann", ANN), *owned("other", ANN, OTHER_TENANT), Commit(execution=execution("exec_x"))
    )
    reads = [ArtifactById(TENANT, "ann"), ArtifactById(OTHER_TENANT, "ann"), ArtifactById(OTHER_TENANT, "other")]
    assert [found and found.version for found in await store.load(reads)] == [2, None, 2]
    assert (await store.health()).ready
    await store.close()


@pytest.mark.usefixtures("people")
async def test_an_owner_of_a_table_meets_the_wall_too(connect):
    """Owning is not enough: row level security is forced."""
    admin = await connect(user="postgres")
    await admin.execute("create role stranger; grant usage on schema symphainy to stranger")
    await admin.execute("alter table symphainy.chat_sessions owner to stranger; set role stranger")
    try:
        assert await admin.fetchval("select count(*) from symphainy.chat_sessions") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await admin.execute(
                """insert into symphainy.chat_sessions
                   values ('t', 'c', 'u', 'guide', '{}', 'ACTIVE', 1, now(), now())"""
            )
    finally:
        await admin.execute("reset role; reassign owned by stranger to owner; drop owned by stranger")
        await admin.execute("drop role stranger")
