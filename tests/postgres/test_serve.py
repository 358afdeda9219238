"""The chat journey over HTTP on Postgres, with several server processes."""

import asyncio
import signal
import time
from contextlib import ExitStack

import pytest
from servers.postgres import PostgresServer
from serving import begin_chat, context_of, events_of, running, session_token, submit, update, user
from sql_stores.journeys import a_hot_session_loses_nothing, message, one_key_has_one_effect_and_equal_answers


@pytest.fixture
def serve(databases, tmp_path):
    """Start another server on the database of this test: serve() -> Server."""
    with ExitStack() as started:
        yield lambda **settings: started.enter_context(
            running(tmp_path, SYMPHAINY_STORE=databases.url(), SYMPHAINY_MAX_EVENT_STREAMS="20", **settings)
        )


async def test_one_conversation_on_two_servers(serve):
    servers = [serve(), serve()]
    async with user(session_token(servers[0]), *servers) as (here, there):
        session_id = await begin_chat(here)
        for n in range(6):
            await update((here, there)[n % 2], session_id, conversation_history=[message(n)], shared_intent=f"turn {n}")
        ours, theirs = await context_of(here, session_id), await context_of(there, session_id)
        assert ours == theirs
        assert [each["content"] for each in ours["context"]["conversation_history"]] == [
            f"message {n}" for n in range(6)
        ]
        assert ours["context"]["shared_intent"] == "turn 5"
        assert (
            await submit(there, "get_chat_session", {"chat_session_id": "0" * 8 + "-0000-4000-8000-000000000000"})
        ).status_code == 404


async def test_a_hot_session_loses_nothing_and_everybody_hears_all_of_it_in_order(serve):
    servers = [serve() for _ in range(3)]
    async with user(session_token(servers[0]), *servers) as clients:
        await a_hot_session_loses_nothing(clients, writers=10, updates=10)


async def test_one_key_at_all_servers_has_one_effect_and_equal_answers(serve):
    servers = [serve(), serve()]
    async with user(session_token(servers[0]), *servers) as clients:
        await one_key_has_one_effect_and_equal_answers(clients)


async def test_a_server_that_is_killed_under_load_leaves_nothing_half(serve):
    alive, doomed = serve(), serve()
    async with user(session_token(alive), alive, doomed) as (here, there):
        session_id = await begin_chat(here)
        acknowledged = []

        async def write(client, name):
            for turn in range(200):
                answer = await submit(
                    client,
                    "update_chat_context",
                    {
                        "chat_session_id": session_id,
                        "context_updates": {"conversation_history": [message(f"{name}-{turn}")]},
                    },
                )
                assert answer.status_code == 200
                acknowledged.append(f"m{name}-{turn}")
                if len(acknowledged) == 40:
                    doomed.process.send_signal(signal.SIGKILL)
                if len(acknowledged) > 80 and client is here:
                    return

        results = await asyncio.gather(
            *(write(client, f"{place}{n}") for place, client in (("a", here), ("b", there)) for n in range(4)),
            return_exceptions=True,
        )
        assert any(isinstance(result, Exception) for result in results)
        found = await context_of(here, session_id)
        history = [each["id"] for each in found["context"]["conversation_history"]]
        assert set(acknowledged) <= set(history)
        assert len(history) == len(set(history)) == found["version"] - 1
        heard = await events_of(here, found["version"], session_id)
        assert [version for _, version in heard] == list(range(1, found["version"] + 1))


async def test_servers_recover_from_a_crash_of_the_database_by_themselves(tmp_path):
    database = PostgresServer()
    try:
        database.start()
        url = database.url(user="postgres")
        with running(tmp_path, SYMPHAINY_STORE=url) as server:
            async with user(session_token(server), server) as (ann,):
                session_id = await begin_chat(ann)
                for turn in range(3):
                    database.stop(signal.SIGQUIT)
                    refused = await submit(
                        ann,
                        "update_chat_context",
                        {"chat_session_id": session_id, "context_updates": {"shared_intent": f"lost {turn}"}},
                    )
                    assert (refused.status_code, refused.json()["error_code"]) == (503, "DATABASE_UNAVAILABLE")
                    assert (await ann.get("/health/ready")).status_code == 503
                    database.start()
                    begun = time.monotonic()
                    while (await ann.get("/health/ready")).status_code != 200:
                        assert time.monotonic() - begun < 6
                    await update(ann, session_id, shared_intent=f"turn {turn}")
                assert (await context_of(ann, session_id))["version"] == 4
    finally:
        database.remove()
