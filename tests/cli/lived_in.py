"""A store that somebody has lived in, and what must hold in every copy of it."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from symphainy_platform import Identity, IntentError, Platform, Settings
from symphainy_platform.identity.master_key import new_master_key
from symphainy_platform.runtime.audit_check import Head
from symphainy_platform.state.store import AuditHead, EventFilter, load_one
from symphainy_platform.testing.clock import ManualClock

ANN = Identity("acme", "ann")
BEA = Identity("umbrella", "bea")
SERVICE = Identity("acme", "robot", frozenset({"service"}))
MASTER_KEY = new_master_key()
ROUNDS = 12


@asynccontextmanager
async def opened(url, clock, home):
    settings = Settings(store=url, home=home, master_key=MASTER_KEY, password_memory_kib=19_456)
    async with Platform.open(settings, clock=clock) as platform:
        yield platform


async def submit(platform, who, intent, key=None, **parameters):
    return await platform.submit_intent(intent, parameters, identity=who, idempotency_key=key)


def message(number):
    return {"id": f"m{number}", "role": "user", "content": f"{number} \u2028 é", "timestamp": "2026-01-27T12:00:00Z"}


@dataclass
class Lived:
    """What callers and operators have seen of the original."""

    replayed: dict
    session: dict
    cursor: str
    events: list
    head: Head
    chat: dict


async def live(url, home):
    """Chats of two tenants with versions, merges, keys and failures; accounts, sessions, an audit that is behind."""
    clock = ManualClock()
    async with opened(url, clock, home) as platform:
        first = await submit(platform, ANN, "initialize_chat_session", "opening")
        await submit(platform, BEA, "initialize_chat_session")
        for number in range(ROUNDS):
            clock.advance(1)
            updates = {"conversation_history": [message(number)], "rate": 1.5 * number, "big": 1e16}
            await submit(platform, ANN, "update_chat_context", context_updates=updates)
            await submit(platform, BEA, "update_chat_context", f"key-{number}", context_updates={"n": number})
        with pytest.raises(IntentError):
            await submit(platform, ANN, "update_chat_context", context_updates={}, expected_version=99)
        await submit(platform, SERVICE, "create_user_account", email="a@example.com", password="correct horse battery")
        session = await submit(platform, ANN, "create_session")
        await platform.audit.append()
        await submit(platform, BEA, "create_session")  # in no chain yet
        chat = await submit(platform, ANN, "get_chat_session")
        await platform.drain()
        page = await platform.store.events_after("0", EventFilter(), 500)
        head = await load_one(platform.store, AuditHead("acme"))
        return Lived(
            replayed=first.to_dict(),
            session=session.artifacts["session"]["semantic_payload"],
            cursor=page.cursor,
            events=[(event.type, event.execution_id) for event in page.events],
            head=Head(head.seq, head.digest.hex()),
            chat=chat.artifacts,
        )


async def check_copy(url, home, lived):
    """Keys answer, sessions hold, chains are whole and go on, events are in order, cursors are its own."""
    clock = ManualClock()
    clock.advance(ROUNDS + 1)
    async with opened(url, clock, home) as platform:
        again = await submit(platform, ANN, "initialize_chat_session", "opening")
        assert again.to_dict() == {**lived.replayed, "idempotent_replay": True}
        assert (await submit(platform, ANN, "get_chat_session")).artifacts == lived.chat
        await _check_session(platform, lived.session)
        await _check_events(platform, lived)
        await _check_audit(platform, lived.head)


async def _check_session(platform, session):
    found = await platform.identify(session["session_token"])
    assert (found.user_id, found.session_ref) == ("ann", session["session_ref"])
    sent = {name: session[name] for name in ("session_id", "session_token")}
    await submit(platform, None, "refresh_session", **sent)
    proof = await submit(
        platform, None, "authenticate_user", tenant="acme", email="a@example.com", password="correct horse battery"
    )
    assert proof.artifacts["authentication_result"]["semantic_payload"]["authenticated"]


async def _check_events(platform, lived):
    """Those in a chain are nowhere else; all others are there once, in their order, before all new ones."""
    with pytest.raises(IntentError) as refused:
        await platform.store.events_after(lived.cursor, EventFilter())
    assert refused.value.code == "CURSOR_EXPIRED"
    written = await submit(platform, ANN, "update_chat_context", context_updates={"after": "the copy"})
    await platform.drain()
    found, cursor, more = [], "0", True
    while more:
        page = await platform.store.events_after(cursor, EventFilter(), 4)
        found, cursor, more = [*found, *page.events], page.cursor, page.more
    kept = [event for event in lived.events if not event[0].startswith(("session_c", "user_account"))]
    kept += [event for event in lived.events if event[0] == "session_created"][-1:]
    assert [(event.type, event.execution_id) for event in found][: len(kept)] == kept
    assert found[-1].execution_id == written.execution_id
    half = found[len(kept) // 2]
    assert (await platform.store.events_after(half.cursor, EventFilter(), 1)).events[0] == found[len(kept) // 2 + 1]


async def _check_audit(platform, head):
    """The old head is in the chain; what waited is taken once."""
    assert (await platform.audit.verify(heads={"acme": head})).whole
    await platform.audit.append()
    report = await platform.audit.verify(heads={"acme": head})
    assert report.whole
    assert (report.waiting, {chain.tenant_id: chain.entries for chain in report.chains}["umbrella"]) == (0, 1)
    assert await platform.audit.append() == 0


async def run(program, *words):
    """Run a program to its end; returns its exit code and what it has said."""
    process = await asyncio.create_subprocess_exec(
        *map(str, (*program, *words)), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()
