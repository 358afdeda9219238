"""Four processes on one Postgres are one platform: nothing lost, one effect each, every event once and in order."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
from server_process import until
from streams import reading
from users import append, bearer, client_of, rows, sign_in, submit

WRITERS, TURNS, SAME = 50, 10, 20
TOTAL = WRITERS * TURNS + 1


@dataclass
class Chat:
    """A user's chat session, and a client for each of the four processes that may be asked about it."""

    headers: dict
    chat_id: str
    clients: list

    def append(self, number, key):
        """Append over one of the processes; two of them share the first client."""
        return append(self.clients[max(0, number % 4 - 1)], self.headers, key)


@asynccontextmanager
async def chatting(fleet, user):
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(client_of(server)) for server in fleet.servers]
        headers = bearer((await sign_in(clients[0], fleet.folder, user))["session_token"])
        made = await submit(clients[0], headers, "initialize_chat_session")
        yield Chat(headers, made["artifacts"]["chat_session"]["semantic_payload"]["chat_session_id"], clients)


@asynccontextmanager
async def subscribed(fleet, chat, **query):
    """Four streams of the chat session's events, one of each process."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(member.client()) for member in fleet.members]
        opened = (reading(client, chat.headers, artifact_id=chat.chat_id, **query) for client in clients)
        yield [await stack.enter_async_context(stream) for stream in opened]


async def write(chat, writer):
    for turn in range(TURNS):
        answer = await chat.append(writer, f"w{writer}/{turn}")
        assert (answer.status_code, answer.json().get("idempotent_replay")) == (200, False), answer.text


async def the_same_twenty_times(chat):
    answers = [each.json() for each in await asyncio.gather(*(chat.append(n, "same") for n in range(SAME)))]
    assert sorted(answer.pop("idempotent_replay") for answer in answers) == [False] + [True] * (SAME - 1)
    assert all(answer == answers[0] for answer in answers)


async def every_event_once_and_in_order(streams):
    received = [await stream.until(TOTAL) for stream in streams]
    versions = [[data["payload"]["version"] for _, _, data, _ in events] for events in received]
    assert versions == [list(range(2, TOTAL + 2))] * 4
    assert [stream.cursors for stream in streams] == [streams[0].cursors] * 4
    return streams[0].cursors


async def what_follows_is_the_same_on_every_process(fleet, chat, cursors):
    middle = len(cursors) // 3
    async with subscribed(fleet, chat, after=cursors[middle]) as resumed:
        for stream in resumed:
            await stream.until(len(cursors) - middle - 1)
            assert stream.cursors == cursors[middle + 1 :]


async def nothing_is_lost(fleet, chat):
    keys = {f"s:w{writer}/{turn}" for writer in range(WRITERS) for turn in range(TURNS)} | {"s:same"}
    log = "select seq, entry_key from symphainy.artifact_log where artifact_id = $1 and log = 'conversation_history'"
    entries = sorted(await rows(fleet.url, log, chat.chat_id))
    assert [seq for seq, _ in entries] == list(range(1, TOTAL + 1))
    assert {key for _, key in entries} == keys
    versions = "select version from symphainy.{} where artifact_id = $1 order by 1"
    older = await rows(fleet.url, versions.format("artifact_versions"), chat.chat_id)
    assert older == [(version,) for version in range(1, TOTAL + 1)]
    assert await rows(fleet.url, versions.format("artifacts"), chat.chat_id) == [(TOTAL + 1,)]
    once = "select count(*), count(distinct execution_id) from symphainy.outbox where artifact_id = $1"
    assert await rows(fleet.url, once, chat.chat_id) == [(TOTAL + 1, TOTAL + 1)]


@pytest.mark.timeout(240)
async def test_fifty_writers_over_four_processes(fleet):
    async with chatting(fleet, "ann") as chat:
        async with subscribed(fleet, chat) as streams:
            await asyncio.gather(*(write(chat, writer) for writer in range(WRITERS)))
            await the_same_twenty_times(chat)
            cursors = await every_event_once_and_in_order(streams)
        await what_follows_is_the_same_on_every_process(fleet, chat, cursors)
        await nothing_is_lost(fleet, chat)


async def test_every_process_takes_part(fleet):
    """As the figures tell, of which any worker tells those of all."""
    for server in fleet.servers:
        await asyncio.to_thread(until, lambda server=server: _takers(server) >= server.workers_wanted)


def _takers(server):
    """How many processes behind this address have taken updates."""
    lines = httpx.get(f"{server.url}/metrics", timeout=10).text.splitlines()
    return sum(line.startswith("symphainy_intents_total{") and 'intent="update_chat_context"' in line for line in lines)
