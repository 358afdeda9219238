"""The audit on the platform: contracts say what it keeps, sweeps wait for it, processes share it."""

import asyncio
import json

import pytest
from runtime_callers import EVE, Caller

from symphainy_platform import IntentError


async def kept(platform, tenant="t1"):
    return [json.loads(entry.body)["type"] async for entry in platform.audit.entries(tenant)]


async def test_events_that_a_contract_declares_are_kept_those_of_failures_too(platform, ann):
    note = (await ann("write_note", text="x")).events[0]["note_id"]
    await ann("edit_note", note_id=note, text="y")
    await ann.code("burn_note", note_id=note)
    await Caller(platform, EVE)("write_note", text="z")
    assert await platform.audit.append() == 3
    assert await kept(platform) == ["note_written", "note_burnt"]
    assert await kept(platform, "t2") == ["note_written"]
    assert (await platform.audit.verify()).whole


async def test_what_no_contract_declares_is_not_kept(platform, ann):
    note = (await ann("write_note", text="x")).events[0]["note_id"]
    await ann("close_note", note_id=note)
    assert await platform.audit.append() == 1
    assert await kept(platform) == ["note_written"]


async def test_a_sweep_takes_events_into_the_chains_before_they_go(platform, ann, clock, database):
    await ann("write_note", text="x")
    clock.advance(days=30)
    assert (await platform.sweep()).events == 1
    assert database("SELECT count(*) FROM outbox") == [(0,)]
    assert await kept(platform) == ["note_written"]
    assert (await platform.audit.verify()).whole


async def test_a_sweep_that_cannot_audit_removes_nothing(platform, ann, clock, database, monkeypatch):
    await ann("write_note", text="x")
    clock.advance(days=30)

    async def fail(*_words, **_options):
        raise IntentError("DATABASE_UNAVAILABLE")

    with monkeypatch.context() as patch:
        patch.setattr(platform.store, "append_audit", fail)
        with pytest.raises(IntentError):
            await platform.sweep()
        assert database("SELECT count(*) FROM outbox") == [(1,)]
    assert (await platform.sweep()).events == 1
    assert await kept(platform) == ["note_written"]


async def test_two_platforms_on_one_file_make_one_gapless_chain(opened):
    async with opened() as here, opened() as there:
        callers = [Caller(each, EVE) for each in (here, there)]

        async def act(caller):
            for turn in range(15):
                await caller("write_note", text=f"{turn}")
                await caller.platform.audit.append()

        await asyncio.gather(*(act(caller) for caller in callers for _ in range(2)))
        assert [entry.seq async for entry in here.audit.entries("t2")] == list(range(1, 61))
        report = await there.audit.verify()
        assert report.whole
        assert (report.chains[0].entries, report.waiting) == (60, 0)
