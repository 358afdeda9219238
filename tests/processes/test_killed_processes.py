"""Processes and the database die at random under load: what was acknowledged is there once, and all recover."""

import asyncio
import os
import random
import signal
import time
from contextlib import AsyncExitStack

import httpx
import pytest
from crowd import gathered
from server_process import ServerProcess
from servers.postgres import PostgresServer
from users import rows

SOAKING = bool(os.environ.get("SYMPHAINY_TEST_SOAK"))
ROUNDS = 20 if SOAKING else 3
USERS = [f"user{n}" for n in range(8)]
BETWEEN = 25
"""Acknowledgements between two deaths."""
RECOVERY_SECONDS = 60.0


class Place:
    """A database that may be stopped, and three servers on it, one of them with two workers."""

    def __init__(self, folder):
        self.folder = folder
        self.database = PostgresServer()
        self.database.start()
        self.servers = []
        seed = os.environ.get("SYMPHAINY_TEST_SEED") or str(time.time_ns())
        self.chance = random.Random(seed)  # noqa: S311 - who is killed is no secret
        print(f"SYMPHAINY_TEST_SEED={seed} kills in the same order")  # noqa: T201 - a figure

    def serve(self):
        self.servers = [ServerProcess(self.folder, self.database.url(), workers=workers) for workers in (2, 1, 1)]
        for server in self.servers:
            server.await_url()

    def remove(self):
        for server in self.servers:
            server.kill()
        self.database.remove()

    async def kill_one(self):
        """`kill -9` of any process; a server (or the parent of workers) is started again by who looks after it."""
        pids = [(server, pid) for server in self.servers for pid in {server.process.pid, *server.workers()}]
        server, pid = self.chance.choice(pids)
        os.kill(pid, signal.SIGKILL)
        if pid == server.process.pid:
            server.process.wait()
            place = self.servers.index(server)
            self.servers[place] = await asyncio.to_thread(self._replaced, server)

    def _replaced(self, server):
        """The port is free as soon as the last worker has noticed that its parent is gone."""
        deadline = time.monotonic() + RECOVERY_SECONDS
        while True:
            try:
                return server.again().await_url()
            except AssertionError:
                assert time.monotonic() < deadline

    async def crash_database(self):
        """Stop it as a crash would; everybody says so, and everybody is back once it is, without being started."""
        before = [server.process.pid for server in self.servers]
        await asyncio.to_thread(self.database.stop, signal.SIGQUIT)
        await self.ready(503)
        await asyncio.to_thread(self.database.start)
        await self.ready(200)
        assert [server.process.pid for server in self.servers if server.process.poll() is None] == before

    async def ready(self, status):
        """Wait until every server says so of itself."""
        async with asyncio.timeout(RECOVERY_SECONDS), httpx.AsyncClient(timeout=10) as client:
            for server in self.servers:
                while (await client.get(f"{server.url}/health/ready")).status_code != status:  # noqa: ASYNC110 - it is elsewhere
                    await asyncio.sleep(0.05)


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    try:
        place.serve()
        yield place
    finally:
        place.remove()


@pytest.mark.timeout(120 + 60 * ROUNDS)
async def test_kills_and_crashes_under_load(place):
    async with AsyncExitStack() as stack:
        crowd = await gathered(stack, place.folder, place.servers, USERS)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(crowd.run())
            for _ in range(ROUNDS):
                await crowd.more(BETWEEN)
                await place.kill_one()
                await crowd.more(BETWEEN)
                await place.crash_database()
            await crowd.more(BETWEEN)
            crowd.stop()
    print(f"{crowd.acknowledged} acknowledged, {crowd.unknown} unknown, {crowd.refused} refused for a while")  # noqa: T201
    for writer in crowd.writers:
        await every_append_is_there_once(place.database.url(), writer)
    versions = [data["payload"]["version"] for _, _, data, _ in crowd.stream.received]
    assert versions == list(range(2, len(crowd.writers[0].told) + 2))


async def every_append_is_there_once(url, writer):
    executions = sorted((answer["execution_id"],) for answer in writer.told.values())
    log = "select seq, entry_key from symphainy.artifact_log where artifact_id = $1 and log = 'conversation_history'"
    entries = await rows(url, log, writer.chat_id)
    assert sorted(key for _, key in entries) == sorted(f"s:{key}" for key in writer.told)
    assert sorted(seq for seq, _ in entries) == list(range(1, len(entries) + 1))
    done = "select execution_id from symphainy.{} where user_id = $1 and {} order by 1"
    wrote = done.format("executions", "intent_type = 'update_chat_context'")
    assert await rows(url, wrote, writer.user) == executions
    told = done.format("outbox", "type = 'chat_context_updated'")
    assert await rows(url, told, writer.user) == executions
    heads = "select version from symphainy.{} where artifact_id = $1 order by 1"
    assert await rows(url, heads.format("artifacts"), writer.chat_id) == [(len(entries) + 1,)]
    older = await rows(url, heads.format("artifact_versions"), writer.chat_id)
    assert older == [(version,) for version in range(1, len(entries) + 1)]
