"""Whoever tampers with a chain is found out: by the chain, by the retained events, or by an exported head."""

import hashlib
import json

import pytest

from symphainy_platform.runtime.audit_check import Head

N = 6


@pytest.fixture
async def audit(audit, emit):
    """The audit with a chain of 6 entries of acme, and one of 2 of somebody else."""
    await emit(*["signed_in", "note_written", "signed_out"] * 3)
    await emit("signed_in", "signed_out", tenant="other")
    await audit.append()
    return audit


@pytest.fixture
async def heads(audit):
    """What was exported of it."""
    report = await audit.verify()
    assert report.whole
    return {chain.tenant_id: Head(chain.entries, chain.digest) for chain in report.chains}


async def problems(audit, tenant="acme", **options):
    report = await audit.verify(**options)
    assert report.whole == (not any(chain.problems for chain in report.chains))
    (found,) = [chain.problems for chain in report.chains if chain.tenant_id == tenant]
    assert all(not chain.problems for chain in report.chains if chain.tenant_id not in (tenant, "acme"))
    return " / ".join(found)


def forget_events(tamper):
    """What a sweep does, after the retention."""
    tamper("UPDATE meta SET value = (SELECT max(id) FROM outbox) WHERE name = 'outbox_swept'")
    tamper("DELETE FROM outbox")


def rewrite(tamper, change):
    """Change entries and compute every digest anew, as somebody who knows how could."""
    rows = tamper("SELECT seq, event_cursor, body FROM audit WHERE tenant_id = 'acme' ORDER BY seq")
    rows = change([list(row) for row in rows])
    tamper("DELETE FROM audit WHERE tenant_id = 'acme'")
    before = "0" * 64
    for seq, (_, cursor, body) in enumerate(rows, start=1):
        text = f'["audit/v1","acme",{seq},"{before}",{body}]'
        before = hashlib.sha256(text.encode()).hexdigest()
        tamper("INSERT INTO audit VALUES ('acme', ?, ?, ?, ?)", seq, cursor, body, bytes.fromhex(before))


async def test_a_whole_chain_is_whole(audit, heads):
    report = await audit.verify(heads=heads)
    assert report.whole
    assert [(chain.tenant_id, chain.entries) for chain in report.chains] == [("acme", N), ("other", 2)]
    assert report.waiting == 0


async def test_an_older_head_is_in_a_chain_that_has_grown(audit, heads, emit):
    await emit("signed_in")
    await audit.append()
    assert await problems(audit, heads=heads) == ""


async def test_a_chain_stays_whole_when_its_events_are_swept(audit, heads, tamper, emit):
    forget_events(tamper)
    assert await problems(audit, heads=heads) == ""
    await emit("signed_in")
    await audit.append()
    assert await problems(audit, heads=heads) == ""


async def test_events_that_the_appender_has_not_come_to_wait(audit, emit):
    await emit("signed_in", "note_written", "signed_out")
    report = await audit.verify()
    assert (report.whole, report.waiting) == (True, 2)


STATEMENTS = {
    "payload changed": ("UPDATE audit SET body = replace(body, '\"n\":4', '\"n\":5') WHERE seq = 3", "entry 3"),
    "white space in a body": ("UPDATE audit SET body = body || ' ' WHERE seq = 3", "entry 3"),
    "body emptied": ("UPDATE audit SET body = '' WHERE seq = 3", "entry 3"),
    "digest changed": ("UPDATE audit SET digest = randomblob(32) WHERE seq = 3", "entry 3"),
    "event renamed": ("UPDATE audit SET event_cursor = 'AAAA' WHERE seq = 3", "entry 3"),
    "first removed": ("DELETE FROM audit WHERE seq = 1", "entry 1 is missing"),
    "one removed": ("DELETE FROM audit WHERE seq = 4", "entry 4 is missing"),
    "several removed": ("DELETE FROM audit WHERE seq IN (3, 4)", "entry 3 is missing: what follows is entry 5"),
    "one moved far away": ("UPDATE audit SET seq = 99 WHERE seq = 4", "entry 4 is missing"),
    "one inserted at the end": (
        "INSERT INTO audit SELECT tenant_id, seq + 1, 'AAAA', body, digest FROM audit WHERE seq = 6",
        "entry 7",
    ),
    "all moved up for one inserted": ("UPDATE audit SET seq = seq + 1000", "entry 1 is missing"),
}


@pytest.mark.parametrize("retained", [True, False])
@pytest.mark.parametrize(("statement", "words"), STATEMENTS.values(), ids=STATEMENTS)
async def test_a_chain_that_was_tampered_with_does_not_hold_together(audit, tamper, statement, words, retained):
    if not retained:
        forget_events(tamper)
    where = " AND " if "WHERE" in statement else " WHERE "
    tamper(f"{statement}{where}tenant_id = 'acme'")
    assert words in await problems(audit)


async def test_two_entries_that_changed_places(audit, tamper):
    for seq, to in ((2, 100), (3, 2), (100, 3)):
        tamper("UPDATE audit SET seq = ? WHERE seq = ? AND tenant_id = 'acme'", to, seq)
    assert "entry 2" in await problems(audit)


async def test_a_chain_in_the_name_of_another_tenant(audit, tamper):
    tamper("UPDATE audit SET tenant_id = 'eve' WHERE tenant_id = 'acme'")
    assert "entry 1" in await problems(audit, "eve")


async def test_an_event_that_was_taken_out_of_the_chain_is_missed(audit, tamper):
    rewrite(tamper, lambda rows: [row for row in rows if row[0] != 3])
    found = await problems(audit)
    assert "committed events are missing in it: 1, the first is signed_in" in found
    assert "exec_4" in found


async def test_a_cut_end_is_missed_while_its_events_are_retained(audit, tamper):
    tamper("DELETE FROM audit WHERE tenant_id = 'acme' AND seq > 4")
    assert "committed events are missing in it: 2" in await problems(audit)


async def test_a_whole_chain_that_was_removed_is_missed(audit, tamper):
    tamper("DELETE FROM audit WHERE tenant_id = 'acme'")
    assert "committed events are missing in it: 6" in await problems(audit)


async def test_a_rewritten_entry_is_not_the_event_that_was_committed(audit, tamper):
    def change(rows):
        rows[2][2] = rows[2][2].replace('"user_id":"user-1"', '"user_id":"eve"')
        return rows

    rewrite(tamper, change)
    assert "entry 3 is not the event that was committed" in await problems(audit)


async def test_an_event_that_never_was_is_found(audit, tamper):
    def forge(rows):
        event = json.loads(rows[0][2]) | {"cursor": "forged"}
        return [*rows, [0, "forged", json.dumps(event, sort_keys=True, separators=(",", ":"))]]

    rewrite(tamper, forge)
    assert "entries whose event was not committed: 1" in await problems(audit)


@pytest.mark.parametrize("body", ["[]", "7", "no JSON", '{"cursor": "x"}', '{"cursor":"y"}'])
async def test_what_is_no_event_has_no_place_in_a_chain_whatever_its_digest(audit, tamper, body):
    forget_events(tamper)
    rewrite(tamper, lambda rows: [*rows, [0, "x", body]])
    assert await problems(audit) == "entry 7 does not keep the event that it names"


async def test_an_exported_head_finds_a_cut_end_when_the_events_are_gone(audit, heads, tamper):
    forget_events(tamper)
    tamper("DELETE FROM audit WHERE tenant_id = 'acme' AND seq > 4")
    assert await problems(audit) == ""
    assert await problems(audit, heads=heads) == (
        "its end was cut off: it ends at entry 4, the exported head is entry 6"
    )


async def test_an_exported_head_finds_a_cut_end_behind_which_the_chain_goes_on(audit, heads, tamper, emit):
    forget_events(tamper)
    tamper("DELETE FROM audit WHERE tenant_id = 'acme' AND seq > 4")
    await emit(*["signed_in"] * 3)
    await audit.append()
    assert await problems(audit) == ""
    assert await problems(audit, heads=heads) == "it was rewritten: entry 6 is not the exported head"


async def test_an_exported_head_finds_a_rewritten_chain(audit, heads, tamper):
    forget_events(tamper)
    rewrite(tamper, lambda rows: [[each[0], each[1], each[2].replace("user-1", "user-2")] for each in rows])
    assert await problems(audit) == ""
    assert "it was rewritten" in await problems(audit, heads=heads)


async def test_an_exported_head_misses_a_chain_that_is_gone(audit, heads, tamper):
    forget_events(tamper)
    tamper("DELETE FROM audit WHERE tenant_id = 'acme'")
    assert await problems(audit, heads=heads) == "it is gone: the exported head is entry 6"
    assert await problems(audit, heads=heads, tenant_id="acme") == "it is gone: the exported head is entry 6"


async def test_one_tenant_is_verified_by_itself(audit, heads, tamper):
    tamper("DELETE FROM audit WHERE tenant_id = 'acme' AND seq = 2")
    report = await audit.verify("other", heads=heads)
    assert [chain.tenant_id for chain in report.chains] == ["other"]
    assert report.whole
    assert not (await audit.verify("acme", heads=heads)).whole


async def test_a_chain_that_grows_while_it_is_verified_is_whole(audit, emit, store, monkeypatch):
    real = store.events_after

    async def meanwhile(*words):
        monkeypatch.setattr(store, "events_after", real)
        await emit("signed_in", "signed_out")
        await audit.append()
        await emit("signed_in")
        return await real(*words)

    monkeypatch.setattr(store, "events_after", meanwhile)
    assert (await audit.verify()).whole


async def test_a_sweep_that_overtakes_the_verification_does_no_harm(audit, store, tamper, monkeypatch):
    monkeypatch.setattr("symphainy_platform.runtime.audit_check.PAGE", 2)
    real = store.events_after
    calls = []

    async def meanwhile(*words):
        calls.append(words)
        if len(calls) == 2:
            forget_events(tamper)
        return await real(*words)

    monkeypatch.setattr(store, "events_after", meanwhile)
    assert (await audit.verify()).whole
    assert len(calls) > 2
