"""An event stream ends with the session whose token opened it: at once here, within a second elsewhere."""

import asyncio

import pytest
from signed_in import DAY, INSTANT, signed_in

from symphainy_platform.http import create_app, token_watch
from symphainy_platform.http.token_watch import TokenWatch

PATIENCE = 10
"""Real seconds after which something that should happen has not."""


@pytest.fixture
async def sessions(tmp_path):
    async with signed_in(tmp_path, event_heartbeat_seconds=0.05) as found:
        yield found


@pytest.fixture
async def elsewhere(sessions, tmp_path):
    async with signed_in(tmp_path, sessions.clock, event_heartbeat_seconds=0.05) as found:
        yield found


@pytest.fixture
async def held(sessions):
    held = await sessions.open()
    await sessions.use(held)
    return held


class Stream:
    """`GET /api/events` with a token, into the app of this process."""

    def __init__(self, sessions, held):
        headers = [(b"authorization", f"Bearer {held.token}".encode())]
        scope = {"type": "http", "method": "GET", "path": "/api/events", "query_string": b"", "headers": headers}
        self._sent = asyncio.Queue()
        self._task = asyncio.create_task(create_app(sessions.platform)(scope, self._receive, self._sent.put))

    async def _receive(self):
        return await asyncio.Event().wait()  # the caller stays

    async def opened(self):
        """The status; the stream has said from where it goes on."""
        async with asyncio.timeout(PATIENCE):
            start = await self._sent.get()
            await self._sent.get()
            return start["status"]

    async def beats(self):
        """Return when another heartbeat has come: it lives."""
        async with asyncio.timeout(PATIENCE):
            while b"heartbeat" not in (await self._sent.get())["body"]:
                pass

    async def ended(self):
        """All that still came, once the stream has ended."""
        async with asyncio.timeout(PATIENCE):
            await self._task
        return b"".join(self._sent.get_nowait()["body"] for _ in range(self._sent.qsize()))


async def terminated(sessions, held):
    await sessions.terminate(held)


async def revoked(sessions, held):
    await sessions.revoke(held)


async def stolen(sessions, held):
    with pytest.raises(Exception, match="SESSION_TOKEN_REUSED"):
        await sessions.refresh(await sessions.forged(held, gen=0))


async def expired(sessions, held):
    del held
    sessions.advance(DAY)


@pytest.mark.parametrize("end", [terminated, revoked, stolen, expired], ids=lambda case: case.__name__)
async def test_a_stream_ends_with_its_session_and_tells_nothing_more(sessions, held, end):
    stream = Stream(sessions, held)
    assert await stream.opened() == 200
    await stream.beats()
    await end(sessions, held)
    await sessions.platform.submit_intent("initialize_chat_session", {}, identity=held.owner)
    assert b"chat_session_initialized" not in await stream.ended()


async def test_a_stream_lives_on_through_a_refresh_and_ends_with_the_overlap(sessions, held):
    stream = Stream(sessions, held)
    await stream.opened()
    successor = await sessions.rotate(held)
    await sessions.use(successor)
    sessions.advance(10)
    await stream.beats()
    sessions.advance(INSTANT)
    await stream.ended()
    assert await Stream(sessions, successor).opened() == 200


async def test_a_stream_of_another_session_lives_on(sessions, held):
    other = await sessions.open()
    stream = Stream(sessions, other)
    await stream.opened()
    await sessions.revoke(held)
    await stream.beats()
    await stream.beats()


async def test_a_watch_hears_of_an_end_without_being_asked(sessions, held):
    watch = TokenWatch(sessions.platform, held.token, await sessions.identify(held))
    revoked = asyncio.create_task(watch.is_revoked())
    while not sessions.platform._parts.feed._subscribers:  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0)
    await sessions.rotate(held)
    assert not revoked.done()
    await sessions.revoke(held)
    async with asyncio.timeout(PATIENCE):
        await revoked
    assert not await watch.holds()


async def test_a_watch_asks_for_what_another_process_has_ended(sessions, elsewhere, held, monkeypatch):
    monkeypatch.setattr(token_watch, "_SECONDS", 0)
    watch = TokenWatch(sessions.platform, held.token, await sessions.identify(held))
    await elsewhere.revoke(held)
    sessions.advance(1)
    async with asyncio.timeout(PATIENCE):
        await watch.times_out()
