"""Several `symphainy serve` on one Postgres, and a user who speaks to all of them."""

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

sys.path.append(str(Path(__file__).parents[1] / "http"))
from live_server import SUBMIT, running  # noqa: F401 - for the tests


def session_token(server, tenant="t1", user="ann"):
    """The token of a new session of this user; it holds on every server of the database."""
    introduced = {"Authorization": f"Bearer {server.service_token(tenant, user, frozenset(), 60)}"}
    answer = server.submit("create_session", {"extend_hours": 1}, **introduced)
    assert answer.status_code == 200, answer.text
    return answer.json()["artifacts"]["session"]["semantic_payload"]["session_token"]


@asynccontextmanager
async def user(token, *servers):
    """One client per server."""
    clients = [
        httpx.AsyncClient(base_url=server.url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        for server in servers
    ]
    for client in clients:
        await _known_to(client)
    yield clients
    await asyncio.gather(*(client.aclose() for client in clients))


async def _known_to(client):
    """A server looks for keys that are new to it once a second: the first token of a database may come too soon."""
    async with asyncio.timeout(5):
        while (await client.get("/api/artifacts")).status_code != 200:
            pass


async def submit(client, intent, parameters, **headers):
    body = {"intent_type": intent, "parameters": parameters}
    return await client.post(SUBMIT, json=body, headers=headers)


async def update(client, session_id, **updates):
    """An update; again when other processes were faster too often, as a client does with what is retryable."""
    parameters = {"chat_session_id": session_id, "context_updates": updates}
    answer = await submit(client, "update_chat_context", parameters)
    while answer.json().get("error_code") == "VERSION_CONFLICT":
        answer = await submit(client, "update_chat_context", parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def begin_chat(client):
    answer = await submit(client, "initialize_chat_session", {})
    assert answer.status_code == 200, answer.text
    return answer.json()["artifacts"]["chat_session"]["semantic_payload"]["chat_session_id"]


async def context_of(client, session_id):
    answer = await submit(client, "get_chat_session", {"chat_session_id": session_id})
    assert answer.status_code == 200, answer.text
    return answer.json()["artifacts"]["chat_session"]["semantic_payload"]


async def events_of(client, count, artifact_id, after="0"):
    """So many events of an artifact, as a stream tells them: (cursor, version)."""
    seen = []
    path = f"/api/events?after={after}&artifact_id={artifact_id}"
    async with asyncio.timeout(60), client.stream("GET", path) as response:
        assert response.status_code == 200, await response.aread()
        async for line in response.aiter_lines():
            if line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                seen.append((event["cursor"], event["payload"]["version"]))
                if len(seen) == count:
                    return seen
    return seen
