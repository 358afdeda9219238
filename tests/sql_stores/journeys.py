"""The chat journey over HTTP with one client per server of one database, whichever store each server uses."""

import asyncio
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "postgres"))
from serving import begin_chat, context_of, events_of, submit, update


def message(n):
    return {"id": f"m{n}", "role": "user", "content": f"message {n}"}


async def a_hot_session_loses_nothing(clients, *, writers, updates):
    """Everybody finds all of it, and hears all of it in order."""
    session_id = await begin_chat(clients[0])
    total = writers * updates
    streams = [asyncio.create_task(events_of(client, total + 1, session_id)) for client in clients]

    async def write(writer):
        for turn in range(updates):
            n = writer * updates + turn
            nested = {"nested": {f"key {n}": n}}
            client = clients[n % len(clients)]
            await update(client, session_id, conversation_history=[message(n)], pillar_context=nested)

    await asyncio.gather(*map(write, range(writers)))
    first, *others = [await context_of(client, session_id) for client in clients]
    heard, *also_heard = await asyncio.gather(*streams)
    assert others == [first] * len(others)
    assert first["version"] == total + 1
    assert {each["id"] for each in first["context"]["conversation_history"]} == {f"m{n}" for n in range(total)}
    assert first["context"]["pillar_context"]["nested"] == {f"key {n}": n for n in range(total)}
    assert [version for _, version in heard] == list(range(1, total + 2))
    assert also_heard == [heard] * len(also_heard)


async def one_key_has_one_effect_and_equal_answers(clients):
    session_id = await begin_chat(clients[0])
    parameters = {"chat_session_id": session_id, "context_updates": {"conversation_history": [message(1)]}}
    asked = [
        submit(clients[n % len(clients)], "update_chat_context", parameters, **{"Idempotency-Key": "the-one"})
        for n in range(20)
    ]
    answers = await asyncio.gather(*asked)
    assert {answer.status_code for answer in answers} == {200}
    bodies = [answer.json() for answer in answers]
    assert len({body["execution_id"] for body in bodies}) == 1
    assert [body["idempotent_replay"] for body in bodies].count(False) == 1
    assert all(body["artifacts"] == bodies[0]["artifacts"] for body in bodies)
    assert (await context_of(clients[1], session_id))["version"] == 2
