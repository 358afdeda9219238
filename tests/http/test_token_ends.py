"""What the edge does with tokens whose session has ended, by a source of identities that tells on command."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from exchange import Exchange

from symphainy_platform import Identity, Platform, Settings, hookimpl
from symphainy_platform.errors import DatabaseUnavailable, SessionExpired, SessionTerminated, Unauthenticated
from symphainy_platform.http import create_app, token_watch

SUBMIT, EVENTS = "/api/intent/submit", "/api/events"
BODY = b'{"intent_type": "get_chat_session", "parameters": {}}'


class Told:
    """An identity source for tokens `USER` and `USER/SESSION`, until it is told what becomes of them."""

    def __init__(self):
        self.failure = None

    @hookimpl
    def symphainy_identity_sources(self):
        return [self]

    async def identify(self, token):
        if self.failure is not None:
            raise self.failure
        user, _, session = token.partition("/")
        return Identity("t1", user, session_ref=session or None)


@asynccontextmanager
async def edge(folder, **chosen):
    told = Told()
    settings = Settings(home=folder, store=f"sqlite:///{folder}/platform.db", **chosen)
    async with Platform.open(settings, plugins=[told]) as platform:
        yield told, create_app(platform)


def ask(app, method, path, bearer="ann", body=b""):
    headers = [("Authorization", f"Bearer {bearer}"), ("Content-Type", "application/json")]
    return Exchange(app, method, path, headers, body)


async def leave(*streams):
    for stream in streams:
        stream.task.cancel()
    await asyncio.gather(*(stream.task for stream in streams), return_exceptions=True)


CODES = {
    "SESSION_EXPIRED": (SessionExpired, 401, "E-SESSION-001"),
    "SESSION_TERMINATED": (SessionTerminated, 401, None),
    "UNAUTHENTICATED": (Unauthenticated, 401, None),
    "DATABASE_UNAVAILABLE": (DatabaseUnavailable, 503, None),
}
ROUTES = [("POST", SUBMIT), ("GET", EVENTS), ("GET", "/api/artifacts"), ("GET", "/api/execution/exec_1/status")]


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_every_route_says_what_became_of_the_session(tmp_path, method, path):
    async with edge(tmp_path) as (told, app):
        for code, (failure, expected, legacy) in CODES.items():
            told.failure = failure()
            status, headers, body = await ask(app, method, path, body=BODY).whole()
            assert (status, body["error_code"], body.get("legacy_code")) == (expected, code, legacy)
            assert (("www-authenticate", "Bearer") in headers) == (expected == 401)


@pytest.mark.parametrize("failure", [SessionTerminated, SessionExpired, Unauthenticated, DatabaseUnavailable])
async def test_a_silent_stream_ends_within_a_second_of_its_session(tmp_path, monkeypatch, failure):
    monkeypatch.setattr(token_watch, "_SECONDS", 0.01)
    async with edge(tmp_path, event_heartbeat_seconds=3600) as (told, app):
        stream = ask(app, "GET", EVENTS)
        assert (await stream.next())["status"] == 200
        assert (await stream.next())["body"].startswith(b"retry: ")
        told.failure = failure()
        assert await stream.next() == {"type": "http.response.body", "body": b""}
        await stream.task


def test_the_second_is_one():
    assert token_watch._SECONDS == 1.0


async def test_one_user_does_not_take_every_stream(tmp_path):
    async with edge(tmp_path, max_event_streams=3, max_event_streams_per_user=2) as (_, app):
        streams = [ask(app, "GET", EVENTS, token) for token in ("ann", "ann/another-session", "bob")]
        assert [(await stream.next())["status"] for stream in streams] == [200, 200, 200]
        for token, words in (
            ("ann", "at most 2 open event streams of one user"),
            ("bob", "at most 3 open event streams"),
        ):
            status, headers, body = await ask(app, "GET", EVENTS, token).whole()
            assert (status, body["details"]["expected"]) == (429, words)
            assert ("retry-after", "1") in headers
        await leave(streams[0])
        again = ask(app, "GET", EVENTS, "ann")
        assert (await again.next())["status"] == 200
        await leave(*streams[1:], again)
