"""The chat journey over HTTP on Postgres, with several server processes."""

import asyncio
import signal
import time
from contextlib import ExitStack

import pytest
from servers.postgres import PostgresServer
from serving import begin_chat, context_of, events_of, running, session_token, submit, update, user

WRITERS = 10
UPDATES = 10


def message(n):
    return {"id": f"m{n}", "role": "user", "content": f"message {n}"}


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
        session_id = await begin_chat(clients[0])
        total = WRITERS * UPDATES
        streams = [asyncio.create_task(events_of(client, total + 1, session_id)) for client in clients]

        async def write(writer):
            for turn in range(UPDATES):
                n = writer * UPDATES + turn
                nested = {f"key {n}": n}
                await update(
                    clients[n % 3], session_id, conversation_history=[message(n)], pillar_context={"nested": nested}
                )

        await asyncio.gather(*map(write, range(WRITERS)))
        found = await context_of(clients[1], session_id)
        heard = await asyncio.gather(*streams)
    assert found["version"] == total + 1
    assert {each["id"] for each in found["context"]["conversation_history"]} == {f"m{n}" for n in range(total)}
    assert found["context"]["pillar_context"]["nested"] == {f"key {n}": n for n in range(total)}
    assert [version for _, version in heard[0]] == list(range(1, total + 2))
    assert heard[0] == heard[1] == heard[2]


async def test_one_key_at_all_servers_has_one_effect_and_equal_answers(serve):
    servers = [serve(), serve()]
    async with user(session_token(servers[0]), *servers) as clients:
        session_id = await begin_chat(clients[0])
        parameters = {"chat_session_id": session_id, "context_updates": {"conversation_history": [message(1)]}}
        answers = await asyncio.gather(
            *(
                submit(clients[n % 2], "update_chat_context", parameters, **{"Idempotency-Key": "the-one"})
                for n in range(20)
            )
        )
        assert {answer.status_code for answer in answers} == {200}
        bodies = [answer.json() for answer in answers]
        assert len({body["execution_id"] for body in bodies}) == 1
        assert [body["idempotent_replay"] for body in bodies].count(False) == 1
        assert all(body["artifacts"] == bodies[0]["artifacts"] for body in bodies)
        assert (await context_of(clients[1], session_id))["version"] == 2


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
