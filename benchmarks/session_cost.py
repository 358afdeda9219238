"""What looking at the caller's session adds to the CPU of an HTTP submit of get_chat_session."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.asgi_call import bearing, body_of
from benchmarks.chats import start_chat
from benchmarks.opened import caller, loaded_for_good, run, scratch, settings_in
from benchmarks.pace import Pace
from benchmarks.result import Result, ratio_of_at_most
from benchmarks.timing import cpu_seconds, in_turns
from symphainy_platform import Identity, IdentitySource, Platform, hookimpl
from symphainy_platform.cli.sign_in import OpenedSession, open_session
from symphainy_platform.identity.source import tokens_of

USERS = 32
_HOUR = 3600
_FREE = "free:"

Submit = Callable[[], Awaitable[bytes]]


class _User(NamedTuple):
    identity: Identity
    chat_id: str
    session: OpenedSession


class _FreeSource:
    """An identity source that costs nothing: the token is the name."""

    async def identify(self, token: str) -> Identity | None:
        return caller(token.removeprefix(_FREE)) if token.startswith(_FREE) else None


class _FreePlugin:
    """Brings it."""

    @hookimpl
    def symphainy_identity_sources(self) -> list[IdentitySource]:
        return [_FreeSource()]


def measure(pace: Pace) -> list[Result]:
    """Let 32 users ask in turns with a session's token, with a service's, and with a name that is believed.

    CPU of all threads, what is written behind the answers included; only the socket is missing,
    which makes the ratio stricter than that of a server.
    """
    with scratch() as home:
        remembered, read_anew, service, believed = run(_measured(pace, home))
    submit, at_most = "CPU of an HTTP get_chat_session", ratio_of_at_most(1.2)
    return [
        Result(measure=f"{submit}, session's token", ours=remembered, unit="µs",
               against="name that is believed", theirs=believed, target=at_most),
        Result(measure=f"{submit}, session's token, against a service's", ours=remembered, unit="µs",
               against="service's token", theirs=service, target=at_most),
        Result(measure=f"{submit}, session read from the store each time", ours=read_anew, unit="µs",
               against="name that is believed", theirs=believed),
    ]  # fmt: skip


async def _measured(pace: Pace, home: Path) -> list[float]:
    async with _opened(home) as platform:
        users = [await _user(platform, number) for number in range(USERS)]
        with_session = [_submit(platform, user, user.session.token or "") for user in users]
        sides = [
            with_session,
            [_forgetful(platform, user, submit) for user, submit in zip(users, with_session, strict=True)],
            [_submit(platform, user, _service_token(platform, user)) for user in users],
            [_submit(platform, user, f"{_FREE}{user.identity.user_id}") for user in users],
        ]
        for side in sides:
            await _cpu(platform, pace.calls // 10, side)
        figures = await in_turns(pace.rounds, *[lambda side=side: _cpu(platform, pace.calls, side) for side in sides])
    return [median(values) * 1e6 for values in figures]


@asynccontextmanager
async def _opened(home: Path) -> AsyncIterator[Platform]:
    async with Platform.open(settings_in(home), plugins=[_FreePlugin()]) as platform:
        with loaded_for_good():
            yield platform


async def _user(platform: Platform, number: int) -> _User:
    """Start a chat, and a session to ask for it with."""
    identity = caller(f"user_{number}")
    chat = await start_chat(platform, identity.user_id, 2)
    return _User(identity, chat.session_id, await open_session(platform, identity, _HOUR))


def _service_token(platform: Platform, user: _User) -> str:
    service = Identity(user.identity.tenant_id, user.identity.user_id, frozenset({"service"}))
    return tokens_of(platform.settings).mint(service, ttl_seconds=_HOUR, clock=platform.clock)


def _submit(platform: Platform, user: _User, token: str) -> Submit:
    submit, body = bearing(platform, token), body_of("get_chat_session", {"chat_session_id": user.chat_id})
    return lambda: submit(body)


def _forgetful(platform: Platform, user: _User, submit: Submit) -> Submit:
    """As by users who pause for a second: nothing of their sessions is in memory."""

    def forget_and_submit() -> Awaitable[bytes]:
        platform._recent.forget(user.identity.tenant_id, user.session.session_ref)  # noqa: SLF001
        return submit()

    return forget_and_submit


async def _cpu(platform: Platform, calls: int, submits: Sequence[Submit]) -> float:
    """CPU seconds of one of so many submits, of one user after the other."""

    async def submit_all() -> None:
        for submit in islice(cycle(submits), calls):
            await submit()
        await platform.drain()

    return await cpu_seconds(submit_all()) / calls
