"""Users of several servers on one store, and what one finds in that store afterwards."""

import asyncpg
import httpx

from symphainy_platform import Identity, Settings
from symphainy_platform.context import SystemClock
from symphainy_platform.identity.source import tokens_of

SUBMIT = "/api/intent/submit"
TENANT = "t1"


def introduction(folder, user):
    """A token that opens a session."""
    return tokens_of(Settings(home=folder)).mint(Identity(TENANT, user), ttl_seconds=120, clock=SystemClock())


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


async def sign_in(client, folder, user):
    """The new session of a user: its id, reference and token."""
    answer = await submit(client, bearer(introduction(folder, user)), "create_session")
    return answer["artifacts"]["session"]["semantic_payload"]


async def submit(client, headers, intent, parameters=None):
    """The answer of an intent that succeeds."""
    answer = await send(client, headers, intent, parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def send(client, headers, intent, parameters=None):
    body = {"intent_type": intent, "parameters": parameters or {}}
    return await client.post(SUBMIT, json=body, headers=headers)


def append(client, headers, key):
    """Append one message, of this name, to the user's chat session."""
    message = {"id": key, "role": "user", "content": "x" * 50}
    updates = {"conversation_history": [message], "pillar_context": {key: 1}}
    parameters = {"context_updates": updates, "history_limit": 0}
    return send(client, headers | {"Idempotency-Key": key}, "update_chat_context", parameters)


def client_of(server, connections=50):
    limits = httpx.Limits(max_connections=connections)
    return httpx.AsyncClient(base_url=server.url, timeout=30, limits=limits)


async def rows(url, query, *values):
    """What a query finds in the database at `url`."""
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(query, *values)]
    finally:
        await connection.close()
