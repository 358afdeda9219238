"""The chat journey over HTTP on a Supabase project, with several servers, one of them on Postgres itself."""

import asyncio
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from faulty_proxy import HANG, FaultyProxy
from servers.supabase_gateway import SECRET_KEY

sys.path.append(str(Path(__file__).parents[1] / "postgres"))
from serving import begin_chat, context_of, events_of, running, session_token, submit, update, user

WRITERS = 6
UPDATES = 5


def message(n):
    return {"id": f"m{n}", "role": "user", "content": f"message {n}"}


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
        session_id = await begin_chat(clients[0])
        total = WRITERS * UPDATES
        streams = [asyncio.create_task(events_of(client, total + 1, session_id)) for client in clients]

        async def write(writer):
            for turn in range(UPDATES):
                n = writer * UPDATES + turn
                await update(clients[n % 3], session_id, conversation_history=[message(n)])

        await asyncio.gather(*map(write, range(WRITERS)))
        found = [await context_of(client, session_id) for client in clients]
        heard = await asyncio.gather(*streams)
    assert found[0] == found[1] == found[2]
    assert found[0]["version"] == total + 1
    assert {each["id"] for each in found[0]["context"]["conversation_history"]} == {f"m{n}" for n in range(total)}
    assert [version for _, version in heard[0]] == list(range(1, total + 2))
    assert heard[0] == heard[1] == heard[2]


async def test_one_key_at_servers_of_both_stores_has_one_effect_and_equal_answers(serve, projects):
    servers = [serve(), serve(SYMPHAINY_STORE=projects.databases.url())]
    async with user(session_token(servers[0]), *servers) as clients:
        session_id = await begin_chat(clients[0])
        parameters = {"chat_session_id": session_id, "context_updates": {"conversation_history": [message(1)]}}
        asked = [
            submit(clients[n % 2], "update_chat_context", parameters, **{"Idempotency-Key": "k"}) for n in range(20)
        ]
        answers = await asyncio.gather(*asked)
        assert {answer.status_code for answer in answers} == {200}
        bodies = [answer.json() for answer in answers]
        assert len({body["execution_id"] for body in bodies}) == 1
        assert [body["idempotent_replay"] for body in bodies].count(False) == 1
        assert all(body["artifacts"] == bodies[0]["artifacts"] for body in bodies)
        assert (await context_of(clients[1], session_id))["version"] == 2


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
