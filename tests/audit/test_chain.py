"""The audit chains: what gets into them, and that nothing is lost or taken twice."""

import asyncio
import hashlib
import json
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.runtime.audit import Audit
from symphainy_platform.state.records import AuditPosition
from symphainy_platform.state.sqlite.store import SqliteStore
from symphainy_platform.state.store import AuditRange, EventFilter, Retention, load_one
from symphainy_platform.testing.store_suite.samples import Commit, commit_all, event, execution

TYPES = frozenset({"signed_in", "signed_out"})
WEEK = Retention(executions=7 * 86400, outbox=7 * 86400)


async def chain(store, tenant="acme"):
    return await load_one(store, AuditRange(tenant, 1, 100_000))


def numbers(entries):
    return [json.loads(entry.body)["payload"]["n"] for entry in entries]


async def is_whole(audit):
    report = await audit.verify()
    return report.whole and report.waiting == 0


async def test_audited_events_are_chained_per_tenant_in_the_order_of_their_commits(audit, store, emit):
    await emit("signed_in", "note_written", "signed_out")
    await emit("signed_in", tenant="other")
    await emit("signed_in", "note_written")
    assert await audit.append() == 4
    assert numbers(await chain(store)) == [1, 3, 5]
    assert numbers(await chain(store, "other")) == [4]
    assert [entry.seq for entry in await chain(store)] == [1, 2, 3]
    assert await audit.append() == 0


async def test_the_digest_can_be_computed_by_who_has_only_the_export(audit, store, emit):
    await emit("signed_in", "signed_out", text="ü")
    await audit.append()
    before = "0" * 64
    for entry in await chain(store):
        of = ["audit/v1", "acme", entry.seq, before, json.loads(entry.body)]
        text = json.dumps(of, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        before = entry.digest.hex()
        assert hashlib.sha256(text.encode()).hexdigest() == before


async def test_an_entry_keeps_the_event_as_subscribers_see_it(audit, store, emit):
    await emit("signed_in", text="ü")
    await audit.append()
    (published,) = (await store.events_after("0", EventFilter())).events
    (entry,) = await chain(store)
    kept = json.loads(entry.body)
    assert entry.event_cursor == kept["cursor"] == published.cursor
    assert kept == {
        "cursor": published.cursor,
        "tenant_id": "acme",
        "user_id": "user-1",
        "execution_id": "exec_1",
        "intent_type": "update_chat_context",
        "type": "signed_in",
        "artifact_id": "a1",
        "payload": {"n": 1, "text": "ü"},
        "created_at": published.created_at,
    }


@pytest.mark.parametrize("payload", [{"big": 2**60}, {"é": 1, "e\u0301": 2}], ids=["integer", "keys"])
async def test_a_payload_without_a_canonical_form_does_not_hold_up_the_chain(audit, store, emit, payload):
    await emit("signed_in", **payload)
    await emit("signed_out")
    assert await audit.append() == 2
    first, _ = await chain(store)
    assert "payload" not in json.loads(first.body)
    assert json.loads(json.loads(first.body)["payload_text"]).keys() >= {"n"}
    assert await is_whole(audit)


async def test_without_audited_types_nothing_is_read_or_written(store, emit):
    await emit("signed_in")
    assert await Audit(store, frozenset()).append() == 0
    assert await store.audit_position() == AuditPosition()


async def test_a_type_that_was_audited_stays_so_for_every_process(audit, store, emit):
    await audit.append()
    await emit("signed_in", "signed_out")
    assert await Audit(store, frozenset()).append() == 2
    assert await Audit(store, frozenset({"signed_in"})).append() == 0
    assert await is_whole(audit)


async def test_before_the_first_step_everything_waits(audit, emit):
    await emit("signed_in", "signed_out")
    report = await audit.verify()
    assert (report.whole, report.waiting, report.chains) == (True, 2, ())


async def test_a_newly_audited_type_is_taken_as_far_as_it_is_retained(store, emit):
    await emit("note_written", "signed_in", "note_written")
    assert await Audit(store, TYPES).append() == 1
    later = Audit(store, TYPES | {"note_written"})
    await store.append_audit((), after=await store.audit_position(), upto=AuditPosition("0", TYPES))
    assert (await later.verify()).waiting == 2
    assert await later.append() == 2
    assert numbers(await chain(store)) == [2, 1, 3]
    assert await is_whole(later)


async def test_10_000_events_of_30_tenants_are_taken_and_verified(audit, store):
    for batch in range(20):
        await commit_all(
            store,
            *(
                Commit(
                    execution=execution(f"exec_{batch}_{n}", tenant_id=f"t{n % 30}"),
                    events=(event("signed_in", n=n), event("note_written"), event("signed_out", n=n)),
                )
                for n in range(250)
            ),
        )
    async with asyncio.timeout(20):  # 1.5 s where it was measured
        assert await audit.append() == 10_000
        seen = []
        report = await audit.verify(progress=seen.append)
    assert report.whole
    assert sum(found.entries for found in report.chains) == 10_000
    assert seen[-1] == 10_000


async def test_appenders_of_two_processes_make_one_gapless_chain(path, clock, store, emit):
    async def commit():
        for _ in range(40):
            await emit("signed_in", "note_written", "signed_out")

    async def append(appender):
        taken = 0
        while not done.is_set():
            taken += await appender.append()
        return taken + await appender.append()

    done = asyncio.Event()
    other = SqliteStore(path, clock)
    await other.open()
    tasks = [asyncio.create_task(append(Audit(each, TYPES))) for each in (store, other)]
    await commit()
    done.set()
    assert sum(await asyncio.gather(*tasks)) == 80
    assert [entry.seq for entry in await chain(store)] == list(range(1, 81))
    assert sorted(numbers(await chain(store))) == numbers(await chain(store))
    assert await is_whole(Audit(other, TYPES))
    await other.close()


async def test_who_dies_between_reading_and_appending_loses_nothing(audit, store, emit, monkeypatch):
    await emit(*["signed_in"] * 5)
    real = store.append_audit

    async def die(*_, **__):
        raise asyncio.CancelledError

    await audit.append()
    await emit(*["signed_out"] * 5)
    monkeypatch.setattr(store, "append_audit", die)
    with pytest.raises(asyncio.CancelledError):
        await audit.append()
    assert (await audit.verify()).waiting == 5
    monkeypatch.setattr(store, "append_audit", real)
    assert await audit.append() == 5
    assert numbers(await chain(store)) == list(range(1, 11))


async def test_who_was_slower_goes_on_behind_the_faster(audit, store, emit, monkeypatch):
    await emit(*["signed_in"] * 5)
    real = store.append_audit

    async def come_late(entries, **position):
        monkeypatch.setattr(store, "append_audit", real)
        await audit.append()
        await emit("signed_out")
        return await real(entries, **position)

    monkeypatch.setattr(store, "append_audit", come_late)
    assert await Audit(store, TYPES).append() == 1
    assert numbers(await chain(store)) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("moment", ["reading", "writing", "answering"])
async def test_kill_9_of_an_appender_loses_nothing_and_takes_nothing_twice(audit, store, emit, path, moment):
    await emit("signed_in", "signed_in")
    await audit.append()
    await emit("signed_out", "note_written", "signed_in")
    command = [sys.executable, str(Path(__file__).with_name("dying_appender.py")), str(path), moment]
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == -signal.SIGKILL
    assert await audit.append() == (0 if moment == "answering" else 2)
    assert numbers(await chain(store)) == [1, 2, 3, 5]
    assert await is_whole(audit)


async def test_an_append_whose_answer_was_lost_is_not_repeated(audit, store, emit, monkeypatch):
    await emit(*["signed_in"] * 5)
    real = store.append_audit

    async def lose(entries, **position):
        await real(entries, **position)
        raise DatabaseUnavailable(reason="injected")

    await Audit(store, TYPES)._step()
    monkeypatch.setattr(store, "append_audit", lose)
    with pytest.raises(DatabaseUnavailable):
        await audit.append()
    monkeypatch.setattr(store, "append_audit", real)
    assert await audit.append() == 0
    assert numbers(await chain(store)) == list(range(1, 6))


async def test_sweeps_wait_for_the_appender(audit, store, emit, clock):
    await audit.append()
    await emit("signed_in")
    clock.advance(30 * 86400)
    assert (await store.sweep(clock.text, WEEK)).events == 0
    await audit.append()
    assert (await store.sweep(clock.text, WEEK)).events == 1
    await emit("signed_out")
    await audit.append()
    assert numbers(await chain(store)) == [1, 2]
    assert await is_whole(audit)


async def test_a_restored_copy_goes_on_with_its_chain(audit, store, emit, path, clock):
    await emit("signed_in", "signed_in")
    await audit.append()
    await emit("signed_in")
    backup = path.with_name("backup.db")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)
    await emit("signed_out")
    await audit.append()
    restored = SqliteStore(backup, clock)
    await restored.open()
    again = Audit(restored, TYPES)
    assert await again.append() == 1
    await commit_all(
        restored, Commit(execution=execution("exec_new", tenant_id="acme"), events=(event("signed_out", n=9),))
    )
    assert await again.append() == 1
    assert numbers(await chain(restored)) == [1, 2, 3, 9]
    assert await is_whole(again)
    assert numbers(await chain(store)) == [1, 2, 3, 4]
    await restored.close()


@pytest.fixture(params=["garbage", "AAAAAAAAAAAAAAAAAAAAAA"])
def lose_position(request, tamper):
    """Put a cursor that was never given into the place of the appender's."""
    position = orjson.dumps({"cursor": request.param, "types": sorted(TYPES)}).decode()
    return lambda: tamper("UPDATE meta SET value = ? WHERE name = 'audit_position'", position)


async def test_a_position_that_was_removed_begins_anew(audit, store, emit, tamper):
    await emit("signed_in", "signed_out")
    await audit.append()
    await emit("signed_in")
    tamper("DELETE FROM meta WHERE name = 'audit_position'")
    assert await audit.append() == 1
    assert numbers(await chain(store)) == [1, 2, 3]


@pytest.mark.parametrize("value", ["", "{}", "[]", '{"cursor": "0", "types": 7}'])
async def test_a_position_that_is_none_is_told_and_nothing_is_swept(audit, store, tamper, clock, value):
    tamper("INSERT INTO meta VALUES ('audit_position', ?)", value)
    for refused in (audit.append(), audit.verify(), store.sweep(clock.text, WEEK)):
        with pytest.raises(DatabaseUnavailable):
            await refused


async def test_a_position_in_another_wording_is_the_same(audit, emit, tamper):
    await emit("signed_in")
    tamper("INSERT INTO meta VALUES ('audit_position', ?)", '{ "types": ["signed_in"], "cursor": "0" }')
    assert await audit.append() == 1


async def test_a_position_that_cannot_be_resumed_is_told_and_nothing_is_taken_twice(
    audit, store, emit, lose_position, logged
):
    await emit("signed_in", "signed_out")
    await audit.append()
    await emit("signed_in")
    lose_position()
    assert (await audit.verify()).waiting == 1
    assert await audit.append() == 1
    assert numbers(await chain(store)) == [1, 2, 3]
    assert [line["event"] for line in logged] == ["audit_position_lost"]
    assert await is_whole(audit)
