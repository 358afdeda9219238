import asyncio
import json
from contextlib import asynccontextmanager

import pytest

CREATED, UPDATED = "chat_session_initialized", "chat_context_updated"


SIGN_IN = "session_created"


class Stream:
    """Reads one event stream; the blocks without data are heartbeats and the cursor to start from.

    That the caller has signed in is no news here.
    """

    def __init__(self, response):
        self.lines = response.aiter_lines()
        self.cursor = None

    async def next(self):
        event = {}
        async with asyncio.timeout(5):
            async for line in self.lines:
                name, _, value = line.partition(": ")
                if line == "" and event.get("event") == SIGN_IN:
                    event = {}
                if line == "" and "data" in event:
                    return event
                if name == "id":
                    self.cursor = value
                event |= {name: value} if line else {}
        return None

    async def take(self, count):
        return [json.loads((await self.next())["data"]) for _ in range(count)]

    async def comment(self):
        async with asyncio.timeout(5):
            async for line in self.lines:
                if line.startswith("id: "):
                    self.cursor = line.removeprefix("id: ")
                if line.startswith(":"):
                    return line
        return None


@asynccontextmanager
async def listening(client, path="/api/events", **headers):
    async with client.stream("GET", path, headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Stream(response)


async def submit(client, intent, **parameters):
    answer = await client.post("/api/intent/submit", json={"intent_type": intent, "parameters": parameters})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def chat(client, *intents):
    """A session and one update per word."""
    session = await submit(client, "initialize_chat_session")
    for word in intents:
        await submit(client, "update_chat_context", context_updates={"shared_intent": word})
    return session["artifacts"]["chat_session"]["semantic_payload"]["chat_session_id"]


@pytest.fixture
async def ann(server, request):
    async with server.async_client(tenant=request.node.name) as client:
        yield client


def types(events):
    return [event["type"] for event in events]


async def test_events_come_from_now_on_with_id_type_and_data(ann):
    await chat(ann, "before")
    async with listening(ann) as stream:
        result = await submit(ann, "update_chat_context", context_updates={"shared_intent": "after"})
        event = await stream.next()
    data = json.loads(event["data"])
    assert (event["event"], event["id"]) == (UPDATED, data["cursor"])
    assert (data["execution_id"], data["intent_type"]) == (result["execution_id"], "update_chat_context")
    assert data["payload"]["version"] == 3
    assert data["created_at"].endswith("Z")


async def test_a_stream_resumes_where_it_broke_off(ann):
    await chat(ann, "x", "y", "z")
    async with listening(ann, "/api/events?after=0") as stream:
        assert types(await stream.take(2)) == [CREATED, UPDATED]
        cursor = stream.cursor
    for resumed in ({"path": f"/api/events?after={cursor}"}, {"Last-Event-ID": cursor}):
        async with listening(ann, **resumed) as stream:
            assert [event["payload"]["version"] for event in await stream.take(2)] == [3, 4]


async def test_the_header_of_a_reconnecting_client_wins_over_its_url(ann):
    await chat(ann, "x")
    async with listening(ann, "/api/events?after=0") as stream:
        await stream.take(1)
        cursor = stream.cursor
    async with listening(ann, "/api/events?after=0", **{"Last-Event-ID": cursor}) as stream:
        assert types(await stream.take(1)) == [UPDATED]


async def test_the_first_cursor_resumes_a_stream_that_saw_nothing(ann):
    async with listening(ann) as stream:
        await stream.comment()
        cursor = stream.cursor
    await chat(ann)
    async with listening(ann, **{"Last-Event-ID": cursor}) as stream:
        assert types(await stream.take(1)) == [CREATED]


async def test_filters_choose_by_type_and_artifact(ann):
    session = await chat(ann, "x", "y")
    async with listening(ann, f"/api/events?after=0&type={UPDATED}") as stream:
        assert types(await stream.take(2)) == [UPDATED, UPDATED]
    async with listening(ann, f"/api/events?after=0&artifact_id={session}&type={CREATED}") as stream:
        assert [event["artifact_id"] for event in await stream.take(1)] == [session]


async def test_a_user_sees_own_events_a_service_the_tenants(server):
    async with (
        server.async_client(tenant="seen", user="ann") as ann,
        server.async_client(tenant="seen", user="bob") as bob,
        server.async_client(tenant="seen", user="ops", roles=["service"]) as ops,
        server.async_client(tenant="unseen", user="ops", roles=["service"]) as other,
    ):
        await chat(ann)
        await chat(bob, "x")
        await chat(other)
        async with listening(bob, "/api/events?after=0") as stream:
            assert {event["user_id"] for event in await stream.take(2)} == {"bob"}
        async with listening(ops, "/api/events?after=0") as stream:
            assert [event["user_id"] for event in await stream.take(3)] == ["ann", "bob", "bob"]
        async with listening(other, "/api/events?after=0") as stream:
            assert {event["tenant_id"] for event in await stream.take(1)} == {"unseen"}


async def test_a_silent_stream_sends_heartbeats(ann):
    async with listening(ann) as stream:
        assert [await stream.comment(), await stream.comment()] == [": heartbeat", ": heartbeat"]


async def test_a_stream_ends_with_its_token(server):
    async with server.async_client(tenant="ends", ttl=1) as client, listening(client) as stream:
        assert await stream.next() is None


@pytest.mark.parametrize("cursor", ["x", "", "-1", "é", "0" * 256])
async def test_a_bad_cursor_is_refused_before_the_stream_starts(ann, cursor):
    answer = await ann.get("/api/events", headers={"Last-Event-ID": cursor.encode()})
    assert (answer.status_code, answer.json()["error_code"]) == (422, "INVALID_PARAMETER_VALUE")


async def test_more_streams_than_allowed_are_told_to_wait(own_server):
    async with own_server.async_client() as client:
        streams = [client.stream("GET", "/api/events") for _ in range(4)]
        for stream in streams:
            await stream.__aenter__()
        answer = await client.get("/api/events")
        assert (answer.status_code, answer.json()["error_code"]) == (429, "RATE_LIMITED")
        assert int(answer.headers["Retry-After"]) >= 1
        for stream in streams:
            await stream.__aexit__(None, None, None)
        async with asyncio.timeout(5):
            while (await client.head("/api/events")).status_code != 200:  # the server notices in its own time
                pass
