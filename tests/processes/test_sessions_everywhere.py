"""Sessions hold, rotate and end on every process alike; windows and events do not know which one was asked."""

import asyncio
import statistics
import time
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime

import pytest
from streams import reading
from users import append, bearer, client_of, rows, send, sign_in, submit

KNOWN_WITHIN_SECONDS = 1.0
STREAMS_END_WITHIN_SECONDS = 5.0
LATENCY_BOUND_SECONDS = 1.0
"""Generous, for a busy machine; the target of 50-stores is 0.25."""


@asynccontextmanager
async def everywhere(fleet):
    """A client for each of the four processes."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(member.client()) for member in fleet.members]


async def chat_of(client, headers):
    answer = await submit(client, headers, "initialize_chat_session")
    return answer["artifacts"]["chat_session"]["semantic_payload"]["chat_session_id"]


@pytest.mark.parametrize("user", [f"clicker{n}" for n in range(5)])
async def test_clicks_on_four_processes_are_one_session(fleet, user):
    async with everywhere(fleet) as clients:
        headers = bearer((await sign_in(clients[0], fleet.folder, user))["session_token"])
        answers = await asyncio.gather(*(submit(client, headers, "initialize_chat_session") for client in clients))
        assert sorted(answer.pop("idempotent_replay") for answer in answers) == [False, True, True, True]
        assert all(answer == answers[0] for answer in answers)
        later = await submit(clients[2], headers, "initialize_chat_session")
        assert later == answers[0] | {"idempotent_replay": True}


@pytest.mark.parametrize("user", [f"refresher{n}" for n in range(5)])
async def test_one_token_that_four_processes_refresh_rotates_once(fleet, user):
    async with everywhere(fleet) as clients:
        session = await sign_in(clients[0], fleet.folder, user)
        held = {name: session[name] for name in ("session_id", "session_token")}
        refreshed = await asyncio.gather(*(submit(client, {}, "refresh_session", held) for client in clients))
        assert sorted(answer.pop("idempotent_replay") for answer in refreshed) == [False, True, True, True]
        assert all(answer == refreshed[0] for answer in refreshed)
        token = refreshed[0]["artifacts"]["session"]["semantic_payload"]["session_token"]
        assert token != session["session_token"]
        for client in clients:
            assert (await client.get("/api/artifacts", headers=bearer(token))).status_code == 200
        rotations = "select count(*) from symphainy.outbox where type = 'session_refreshed' and artifact_id = $1"
        assert await rows(fleet.url, rotations, session["session_ref"]) == [(1,)]


async def used_until_refused(client, headers):
    """When the last request that was answered was sent, by the monotonic clock."""
    accepted = time.monotonic()
    while True:
        sent = time.monotonic()
        answer = await client.get("/api/artifacts", headers=headers)
        if answer.status_code == 401:
            return accepted
        assert answer.status_code == 200, answer.text
        accepted = sent
        await asyncio.sleep(0.02)


async def test_a_session_that_one_process_revokes_is_refused_by_the_others_and_its_streams_end(fleet):
    async with everywhere(fleet) as clients, everywhere(fleet) as listening, AsyncExitStack() as stack:
        revoker = await stack.enter_async_context(client_of(fleet.servers[1]))
        kept, lost = [await sign_in(revoker, fleet.folder, "revoker") for _ in range(2)]
        headers = bearer(lost["session_token"])
        streams = [await stack.enter_async_context(reading(client, headers)) for client in listening]
        async with asyncio.TaskGroup() as using:
            tasks = [using.create_task(used_until_refused(client, headers)) for client in clients]
            ended = [using.create_task(stream.ended_at()) for stream in streams]
            named = {"session_ref": lost["session_ref"]}
            await submit(revoker, bearer(kept["session_token"]), "revoke_session", named)
            revoked = time.monotonic()
    used, ends = ([round(task.result() - revoked, 3) for task in each] for each in (tasks, ended))
    print(f"revoked: last used after {used} s, streams ended after {ends} s")  # noqa: T201 - a figure
    assert max(used) < KNOWN_WITHIN_SECONDS
    assert max(ends) < STREAMS_END_WITHIN_SECONDS


async def test_events_are_heard_on_another_process_in_time(fleet):
    async with everywhere(fleet) as clients, everywhere(fleet) as listening, AsyncExitStack() as stack:
        headers = bearer((await sign_in(clients[0], fleet.folder, "listener"))["session_token"])
        chat_id = await chat_of(clients[0], headers)
        streams = [
            await stack.enter_async_context(reading(client, headers, artifact_id=chat_id)) for client in listening[1:]
        ]
        for turn in range(40):
            answer = await append(clients[0], headers, f"turn{turn}")
            assert answer.status_code == 200, answer.text
        heard = [event for stream in streams for event in await stream.until(40)]
    delays = [at - datetime.fromisoformat(data["created_at"]).timestamp() for _, _, data, at in heard]
    p50, p95 = statistics.median(delays), statistics.quantiles(delays, n=20)[-1]
    print(f"events on another process: p50 {p50 * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms")  # noqa: T201
    assert p95 <= LATENCY_BOUND_SECONDS


async def test_a_token_of_nobody_is_refused_everywhere(fleet):
    async with everywhere(fleet) as clients:
        for client in clients:
            assert (await send(client, bearer("nonsense"), "get_chat_session")).status_code == 401
