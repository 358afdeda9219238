"""The app without a server: what depends on the clock, on a cancelled request, or on nothing at all."""

import asyncio
import json
import os
from contextlib import asynccontextmanager

import pytest
from exchange import Exchange

from symphainy_platform import Identity, Platform, Settings
from symphainy_platform.cli.sign_in import open_session
from symphainy_platform.http import create_app
from symphainy_platform.http.layers import Failures
from symphainy_platform.testing.clock import ManualClock

ANN = Identity(tenant_id="t1", user_id="ann")


@asynccontextmanager
async def opened(folder, clock=None):
    settings = Settings(home=folder, store=f"sqlite:///{folder}/platform.db")
    async with Platform.open(settings, clock=clock) as platform:
        yield platform


async def test_an_event_stream_tells_nothing_once_its_token_has_ended(tmp_path):
    clock = ManualClock()
    async with opened(tmp_path, clock) as platform:
        token = (await open_session(platform, ANN, 60)).token
        stream = Exchange(create_app(platform), "GET", "/api/events", [("authorization", f"Bearer {token}")])
        assert (await stream.next())["status"] == 200
        assert (await stream.next())["body"].startswith(b"retry: ")
        clock.advance(60)
        await platform.submit_intent("initialize_chat_session", {}, identity=ANN)
        assert await stream.next() == {"type": "http.response.body", "body": b""}
        await stream.task


async def test_a_request_that_a_stop_cuts_short_gets_a_code():
    async def endless(_scope, _receive, _send):
        await asyncio.Event().wait()

    exchange = Exchange(Failures(endless), "POST", "/api/intent/submit")
    await asyncio.sleep(0)
    exchange.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await exchange.task
    assert (await exchange.next())["status"] == 503
    assert json.loads((await exchange.next())["body"])["error_code"] == "SHUTTING_DOWN"


async def test_a_rejection_leaves_nothing_behind_in_the_process(tmp_path, monkeypatch):
    async with opened(tmp_path) as platform:
        registered = []
        monkeypatch.setattr(os, "register_at_fork", lambda **hooks: registered.append(hooks))
        exchange = Exchange(create_app(platform), "POST", "/api/intent/submit", [("content-type", "application/json")])
        assert (await exchange.next())["status"] == 400
        assert json.loads((await exchange.next())["body"])["execution_id"].startswith("exec_")
        assert registered == []
