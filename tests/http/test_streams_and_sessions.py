"""Event streams end with their session: at once in this process, within a second in another."""

import asyncio

import pytest
from exchange import Exchange

from symphainy_platform import Identity, Platform, Settings
from symphainy_platform.cli.sign_in import open_session
from symphainy_platform.errors import SessionTerminated
from symphainy_platform.http import create_app, token_watch

ANN = Identity("t1", "ann")


@pytest.fixture
async def platform(tmp_path):
    async with Platform.open(Settings(home=tmp_path, store=f"sqlite:///{tmp_path}/platform.db")) as platform:
        yield platform


async def listening(platform, token):
    stream = Exchange(create_app(platform), "GET", "/api/events", [("Authorization", f"Bearer {token}")])
    assert (await stream.next())["status"] == 200
    assert (await stream.next())["body"].startswith(b"retry: ")
    return stream


async def terminate(platform, session):
    held = {"session_id": session.session_id, "session_token": session.token}
    await platform.submit_intent("terminate_session", held, identity=None)


async def revoke(platform, session):
    other = await open_session(platform, ANN, 60)
    assert other.session_ref != session.session_ref
    identity = await platform.identify(other.token)
    await platform.submit_intent("revoke_session", {"scope": "all"}, identity=identity)


@pytest.mark.parametrize("end", [terminate, revoke])
async def test_a_stream_ends_at_once_in_the_process_that_ended_its_session(platform, monkeypatch, end):
    monkeypatch.setattr(token_watch, "_SECONDS", 3600)  # nobody asks by the clock
    session = await open_session(platform, ANN, 60)
    stream = await listening(platform, session.token)
    await end(platform, session)
    told = b""
    while (message := await stream.next()).get("more_body"):
        told += message["body"]
    assert b"session_terminated" not in told
    await stream.task


async def test_a_stream_of_another_session_goes_on(platform):
    ending, staying = [await open_session(platform, ANN, 60) for _ in range(2)]
    stream = await listening(platform, staying.token)
    await terminate(platform, ending)
    assert b"session_terminated" in (await stream.next())["body"]
    stream.task.cancel()
    await asyncio.gather(stream.task, return_exceptions=True)


async def test_a_stream_ends_within_a_second_when_another_process_ends_its_session(platform, tmp_path):
    session = await open_session(platform, ANN, 60)
    async with Platform.open(Settings(home=tmp_path, store=f"sqlite:///{tmp_path}/platform.db")) as elsewhere:
        stream = await listening(platform, session.token)
        await terminate(elsewhere, session)
        async with asyncio.timeout(1.0):
            while (await stream.next()).get("more_body"):
                pass
        await stream.task


async def test_what_another_process_ended_is_known_where_anybody_listens(platform, tmp_path):
    session, listener = await open_session(platform, ANN, 60), await open_session(platform, ANN, 60)
    async with Platform.open(Settings(home=tmp_path, store=f"sqlite:///{tmp_path}/platform.db")) as elsewhere:
        stream = await listening(platform, listener.token)
        await platform.identify(session.token)  # known for a second
        await terminate(elsewhere, session)
        assert b"session_terminated" in (await stream.next())["body"]
        with pytest.raises(SessionTerminated):
            await platform.identify(session.token)
        stream.task.cancel()
        await asyncio.gather(stream.task, return_exceptions=True)
