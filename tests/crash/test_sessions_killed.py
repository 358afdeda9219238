"""`kill -9` between a rotation and its answer: the old token still gives the same successor after the restart."""

import asyncio
import itertools
import sqlite3
from contextlib import closing

import httpx
import pytest
from pydantic import SecretStr
from served import MASTER_KEY, SERVE, Server, client_of

from symphainy_platform import Identity, Platform, Settings
from symphainy_platform.context import SystemClock
from symphainy_platform.identity.source import tokens_of
from symphainy_platform.realms.security.session_tokens import mint
from symphainy_platform.state.store import ArtifactById, load_one

DIES = """
import os, signal
from symphainy_platform.state.sqlite.store import SqliteStore

commit = SqliteStore.commit

async def dies(store, batch):
    fatal = any(each.execution.intent_type == "refresh_session" for each in batch)
    {before}
    outcomes = await commit(store, batch)
    {after}
    return outcomes

SqliteStore.commit = dies
"""
KILL = "fatal and os.kill(os.getpid(), signal.SIGKILL)"
AFTER_THE_COMMIT = DIES.format(before="pass", after=KILL) + SERVE
BEFORE_THE_COMMIT = DIES.format(before=KILL, after="pass") + SERVE

REFRESHES = 30
CLIENTS = 8


def settings_of(home):
    return Settings(home=home, master_key=SecretStr(MASTER_KEY["SYMPHAINY_MASTER_KEY"]))


@pytest.fixture
def serve(tmp_path):
    """Starts a server over this test's folder; none outlives the test."""
    started = []

    def start(program=SERVE):
        started.append(Server(tmp_path, program))
        return started[-1]

    yield start
    for server in started:
        server._process.kill()


async def post(server, intent, bearer=None, **parameters):
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    async with client_of(server) as client:
        body = {"intent_type": intent, "parameters": parameters}
        return await client.post("/api/intent/submit", json=body, headers=headers)


def payload(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()["artifacts"]["session"]["semantic_payload"]


async def signed_in(server, home, user="ann"):
    token = tokens_of(Settings(home=home)).mint(Identity("t1", user), ttl_seconds=60, clock=SystemClock())
    return payload(await post(server, "create_session", bearer=token))


async def refresh(server, session, token=None):
    named = {"session_id": session["session_id"], "session_token": token or session["session_token"]}
    return await post(server, "refresh_session", **named)


async def stored(home, session):
    """The token of the session's current generation, made from what is at rest; and its generation."""
    async with Platform.open(settings_of(home)) as platform:
        artifact = await load_one(platform.store, ArtifactById("t1", session["session_ref"]))
        return await mint(platform.keys, artifact), artifact.semantic_payload["gen"]


async def rotate_keys(home):
    async with Platform.open(settings_of(home)) as platform:
        return await platform.keys.rotate()


def events(home, kind):
    with closing(sqlite3.connect(home / "platform.db")) as database:
        return database.execute("SELECT count(*) FROM outbox WHERE type = ?", (kind,)).fetchone()[0]


@pytest.fixture
async def session(serve, tmp_path):
    """A session whose server has been stopped."""
    server = serve()
    session = await signed_in(server, tmp_path)
    assert server.stop() == 0
    return session


async def killed_in_a_refresh(server, session, token=None):
    with pytest.raises(httpx.TransportError):
        await refresh(server, session, token)
    server.kill()


@pytest.mark.parametrize("rotates", [0, 1, 3], ids=["", "keys rotated", "keys rotated three times"])
async def test_the_old_token_gives_the_successor_whose_answer_was_lost(serve, session, tmp_path, rotates):
    await killed_in_a_refresh(serve(AFTER_THE_COMMIT), session)
    successor, gen = await stored(tmp_path, session)
    assert (gen, events(tmp_path, "session_refreshed")) == (2, 1)
    for _ in range(rotates):
        await rotate_keys(tmp_path)
    server = serve()
    for _ in range(2):
        answer = await refresh(server, session)
        assert payload(answer)["session_token"] == successor
        assert answer.json()["idempotent_replay"]
    assert events(tmp_path, "session_refreshed") == 1
    third = payload(await refresh(server, session, successor))["session_token"]
    assert (await post(server, "list_sessions", bearer=third)).status_code == 200
    assert (await post(server, "list_sessions", bearer=successor)).status_code == 200
    assert server.stop() == 0


async def test_keys_that_rotate_under_a_running_server_keep_the_successor(serve, session, tmp_path):
    await killed_in_a_refresh(serve(AFTER_THE_COMMIT), session)
    successor, _ = await stored(tmp_path, session)
    server = serve()
    first = payload(await refresh(server, session))["session_token"]
    await rotate_keys(tmp_path)
    second = payload(await refresh(server, session))["session_token"]
    assert first == second == successor
    assert server.stop() == 0


async def test_a_refresh_that_was_never_committed_has_rotated_nothing(serve, session, tmp_path):
    await killed_in_a_refresh(serve(BEFORE_THE_COMMIT), session)
    assert await stored(tmp_path, session) == (session["session_token"], 1)
    server = serve()
    assert not (await refresh(server, session)).json()["idempotent_replay"]
    assert events(tmp_path, "session_refreshed") == 1
    assert server.stop() == 0


async def test_a_stolen_token_stays_found(serve, session, tmp_path):
    server = serve()
    second = payload(await refresh(server, session))["session_token"]
    third = payload(await refresh(server, session, second))["session_token"]
    assert server.stop() == 0
    await killed_in_a_refresh(serve(AFTER_THE_COMMIT), session)
    server = serve()
    for token in (session["session_token"], second, third):
        assert (await refresh(server, session, token)).json()["error_code"] == "SESSION_TERMINATED"
    assert (await post(server, "list_sessions", bearer=third)).json()["error_code"] == "SESSION_TERMINATED"
    assert events(tmp_path, "session_revoked") == 1
    assert server.stop() == 0


async def refreshing(server, session, count):
    """Refresh again and again until the server is gone; `count` the answers."""
    while True:
        try:
            session.update(payload(await refresh(server, session)))
        except httpx.TransportError:
            return
        count()


async def test_kills_under_load_sign_nobody_out(serve, tmp_path):
    server = serve()
    sessions = [await signed_in(server, tmp_path, f"user_{number}") for number in range(CLIENTS)]
    for _ in range(3):
        answered = itertools.count(1)

        def enough(server=server, answered=answered):
            if next(answered) == REFRESHES:
                server.kill()

        await asyncio.gather(*(refreshing(server, session, enough) for session in sessions))
        server = serve()
        for session in sessions:
            again = [payload(await refresh(server, session)) for _ in range(2)]
            assert again[0]["session_token"] == again[1]["session_token"]
            session.update(again[0])
    generations = [(await stored(tmp_path, session))[1] for session in sessions]
    assert events(tmp_path, "session_refreshed") == sum(generations) - CLIENTS
    assert server.stop() == 0
