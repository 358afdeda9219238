"""The chat journey over HTTP on a Supabase project, with several servers, one of them on Postgres itself."""

import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from faulty_proxy import HANG, FaultyProxy
from servers.supabase_gateway import SECRET_KEY
from sql_stores.journeys import a_hot_session_loses_nothing, one_key_has_one_effect_and_equal_answers

sys.path.append(str(Path(__file__).parents[1] / "postgres"))
from serving import begin_chat, context_of, running, session_token, submit, user


@pytest.fixture
def serve(projects, tmp_path):
    """Start another server on the project of this test: serve() -> Server."""

    def settings(url):
        return {
            "SYMPHAINY_STORE": "supabase",
            "SUPABASE_URL": url or projects.url(),
            "SUPABASE_SECRET_KEY": SECRET_KEY,
            "SYMPHAINY_MIGRATION_URL": projects.databases.url(),
        }

    with ExitStack() as started:
        yield lambda url=None, **chosen: started.enter_context(running(tmp_path, **settings(url) | chosen))


async def test_a_hot_session_of_servers_of_both_stores(serve, projects):
    servers = [serve(), serve(), serve(SYMPHAINY_STORE=projects.databases.url())]
    async with user(session_token(servers[0]), *servers) as clients:
        await a_hot_session_loses_nothing(clients, writers=6, updates=5)


async def test_one_key_at_servers_of_both_stores_has_one_effect_and_equal_answers(serve, projects):
    servers = [serve(), serve(SYMPHAINY_STORE=projects.databases.url())]
    async with user(session_token(servers[0]), *servers) as clients:
        await one_key_has_one_effect_and_equal_answers(clients)


async def test_a_server_recovers_by_itself_when_the_api_does(serve, projects):
    proxy = FaultyProxy(projects.url())
    try:
        server = serve(proxy.url)
        async with user(session_token(server), server) as (ann,):
            session_id = await begin_chat(ann)
            for fault in ("503", "HTML", "drop", HANG):
                proxy.fail(fault)
                begun = time.monotonic()
                change = {"chat_session_id": session_id, "context_updates": {"shared_intent": f"after {fault}"}}
                refused = await submit(ann, "update_chat_context", change, **{"Idempotency-Key": fault})
                assert time.monotonic() - begun < 6
                assert (refused.status_code, refused.json()["error_code"]) == (503, "DATABASE_UNAVAILABLE")
                assert (await ann.get("/health/ready")).status_code == 503
                proxy.heal()
                begun = time.monotonic()
                while (await ann.get("/health/ready")).status_code != 200:
                    assert time.monotonic() - begun < 6
                again = await submit(ann, "update_chat_context", change, **{"Idempotency-Key": fault})
                assert again.status_code == 200, again.text
            found = await context_of(ann, session_id)
            assert (found["version"], found["context"]["shared_intent"]) == (5, "after hang")
    finally:
        proxy.close()
