"""What a frontend may do straight at the Supabase API with its user's own token: read its own rows, no more."""

import time

import asyncpg
import httpx
import jwt
import pytest
import pytest_asyncio
from servers.supabase_gateway import JWT_SECRET, PUBLISHABLE_KEY
from sql_stores.walls import HIDDEN, OF_EVERY_TYPE, READABLE, owned

from symphainy_platform.testing.store_suite.samples import TENANT, commit_all

ADA, BOB = "supabase:ada", "supabase:bob"
OWNER = {"artifact_index": "owner"}
COLUMN = {
    "audit_state": "cursor",
    "meta": "name",
    "outbox_epochs": "epoch",
    "outbox_state": "life",
    "sealed_keys": "kid",
    "schema_migrations": "name",
}
"""A column of the tables that have no tenant_id."""


@pytest.fixture
def projects(migrated_projects):
    return migrated_projects


@pytest_asyncio.fixture
async def project(store, projects):
    """Conversations of two users in two tenants, and one that is not for reading."""
    await commit_all(
        store,
        *owned("ada_1", ADA),
        *owned("bob_1", BOB),
        *owned("ada_2", ADA, "tenant-2"),
        *owned("hidden", ADA, kind="sealed_box"),
    )
    return projects.url()


def token(user="ada", tenant=TENANT, **claims):
    values = {
        "sub": user,
        "role": "authenticated",
        "aud": "authenticated",
        "exp": int(time.time()) + 600,
        "app_metadata": {"tenant_id": tenant},
    }
    return jwt.encode(values | claims, JWT_SECRET)


def asked(project, path, bearer, method="GET", **options):
    headers = {
        "apikey": PUBLISHABLE_KEY,
        "Authorization": f"Bearer {bearer or PUBLISHABLE_KEY}",
        "Accept-Profile": "symphainy",
        "Content-Profile": "symphainy",
    }
    return httpx.request(method, f"{project}/rest/v1/{path}", headers=headers, **options)


def seen(project, table, bearer):
    answer = asked(project, table, bearer)
    assert answer.status_code == 200, answer.text
    return answer.json()


def odd_ones(answers, expected):
    """What did not answer as expected, by what was asked."""
    return {what: (answer.status_code, answer.text) for what, answer in answers.items() if not expected(answer)}


def is_refused(answer):
    return answer.status_code in (401, 403) and answer.json()["code"] == "42501"


async def test_a_user_reads_own_rows_and_no_others(project):
    for table in READABLE:
        rows = seen(project, table, token())
        assert {(row["tenant_id"], row.get(OWNER.get(table, "user_id"), ADA)) for row in rows} == {(TENANT, ADA)}, table
        ids = {row.get("artifact_id", row.get("chat_session_id")) for row in rows}
        assert ids == ({"ada_1", "hidden"} if table in OF_EVERY_TYPE else {"ada_1"}), table


async def test_others_see_nothing(project):
    others = [
        {"user": "eve"},
        {"tenant": "tenant-3"},
        {"tenant": "%"},
        {"app_metadata": {}},
        {"app_metadata": None, "user_metadata": {"tenant_id": TENANT}},
        {"sub": ""},
        {"sub": None},
    ]
    answers = {(table, str(bearer)): asked(project, table, token(**bearer)) for table in READABLE for bearer in others}
    assert odd_ones(answers, lambda answer: (answer.status_code, answer.text) == (200, "[]")) == {}


async def test_without_a_users_token_nothing_is_seen(project):
    assert odd_ones({table: asked(project, table, None) for table in READABLE}, is_refused) == {}
    forged = {table: asked(project, table, token() + "x") for table in READABLE}
    assert odd_ones(forged, lambda answer: answer.status_code == 401) == {}


async def test_what_is_the_platforms_is_closed(project):
    assert odd_ones({table: asked(project, table, token()) for table in HIDDEN}, is_refused) == {}


async def test_nobody_writes(project, connect):
    database = await connect(user="postgres")
    before = {table: await count(database, table) for table in (*READABLE, *HIDDEN)}
    answers = {}
    for table in (*READABLE, *HIDDEN):
        column = COLUMN.get(table, "tenant_id")
        own = f"{table}?{column}=eq.{TENANT}"
        answers["insert", table] = asked(project, table, token(), "POST", json={column: TENANT})
        answers["update", table] = asked(project, own, token(), "PATCH", json={column: "other"})
        answers["delete", table] = asked(project, own, token(), "DELETE")
    assert odd_ones(answers, is_refused) == {}
    assert {table: await count(database, table) for table in (*READABLE, *HIDDEN)} == before


async def count(database, table):
    return await database.fetchval(f"select count(*) from symphainy.{table}")  # noqa: S608 - of the lists above


@pytest.mark.usefixtures("store")
async def test_the_database_itself_refuses_writes(connect):
    database = await connect(user="postgres")
    await database.execute("set role authenticated")
    for table in READABLE:
        for statement in ("insert into {} (tenant_id) values ('x')", "delete from {}", "update {} set tenant_id = 'x'"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await database.execute(statement.replace("{}", f"symphainy.{table}"))


async def test_functions_are_not_for_users(project):
    functions = {
        "load": {"p_statements": []},
        "run": {"p_statement": ["begin_epoch", []]},
        "commit_intents": {"p_batch": {"executions": []}},
        "purge": {"p_artifacts": []},
        "horizon": {},
    }
    answers = {
        (function, bool(bearer)): asked(project, f"rpc/{function}", bearer, "POST", json=arguments)
        for function, arguments in functions.items()
        for bearer in (None, token())
    }
    assert odd_ones(answers, is_refused) == {}
