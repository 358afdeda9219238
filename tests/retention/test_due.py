"""What is due is ended or purged by the sweep, as its type declares: once, and whatever else fails."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import ticket_realm
from ticket_realm.intent_services import expire_ticket_service

from symphainy_platform import Identity, IntentError, Platform, Settings, sweeping
from symphainy_platform.state.store import ArtifactById, SweepResult, load_one

ANN = Identity("t1", "ann")
EVE = Identity("t2", "eve")


@pytest.fixture
def opened(tmp_path, clock):
    @asynccontextmanager
    async def open_one():
        async with Platform.open(Settings(home=tmp_path), clock=clock, plugins=[ticket_realm]) as opened:
            yield opened

    return open_one


@pytest.fixture
async def platform(opened):
    async with opened() as platform:
        yield platform


@pytest.fixture
def expiring(monkeypatch):
    """Puts another end of a ticket in the place of its own."""
    return lambda expire: monkeypatch.setitem(expire_ticket_service.EXPIRE, "ticket", expire)


@pytest.fixture
def _small_steps(monkeypatch):
    monkeypatch.setattr(sweeping, "STEP", 4)


@pytest.fixture
def issue(platform):
    async def issue_one(hours=1, who=ANN, **params):
        answer = await platform.submit_intent("issue_ticket", {"name": "x", "hours": hours} | params, identity=who)
        return answer.events[0]["ticket_id"]

    return issue_one


@pytest.fixture
def state(platform):
    async def state_of(ticket, who=ANN):
        found = await load_one(platform.store, ArtifactById(who.tenant_id, ticket))
        return (found.lifecycle_state, found.version) if found else None

    return state_of


def submitted(database):
    sql = "SELECT user_id, status FROM executions WHERE intent_type = 'expire_ticket' ORDER BY rowid"
    return database(sql)


async def stuck(*_):
    raise IntentError("TICKET_STUCK")


async def test_a_ticket_expires_when_it_is_due_and_is_purged_a_day_later(platform, issue, state, clock, database):
    ticket = await issue(hours=1)
    clock.advance(minutes=59)
    assert await platform.sweep() == SweepResult()
    assert await state(ticket) == ("OPEN", 1)
    clock.advance(minutes=1)
    await platform.sweep()
    assert await state(ticket) == ("EXPIRED", 2)
    clock.advance(hours=23, minutes=59)
    assert (await platform.sweep()).artifacts == 0
    clock.advance(minutes=1)
    assert (await platform.sweep()).artifacts == 1
    assert await state(ticket) is None
    for table in ("artifacts", "artifact_versions", "artifact_log", "chat_sessions"):
        assert database(f"SELECT count(*) FROM {table}") == [(0,)], table  # noqa: S608 - of this test
    assert submitted(database) == [("sweep", "completed")]


async def test_the_owner_is_told(platform, issue, clock):
    ticket = await issue()
    start = await platform.store.event_cursor()
    clock.advance(hours=1)
    await platform.sweep()
    events = platform.events(identity=ANN, after=start)
    event = await anext(events)
    await events.aclose()
    assert (event.type, event.user_id, event.artifact_id) == ("ticket_expired", "ann", ticket)


async def test_what_is_never_due_stays(platform, issue, state, clock):
    ticket = await issue(hours=0, held=True)
    never = await platform.submit_intent("issue_ticket", {"name": "x"}, identity=ANN)
    clock.advance(days=400)
    assert (await platform.sweep()).artifacts == 0
    assert await state(ticket) == ("HELD", 1), "its state declares no sweep"
    assert await state(never.events[0]["ticket_id"]) == ("OPEN", 1)


async def test_what_is_put_off_or_cleared_is_not_due(platform, issue, state, clock):
    later, never = await issue(), await issue()
    await platform.submit_intent("put_off_ticket", {"ticket_id": later, "hours": 2}, identity=ANN)
    await platform.submit_intent("put_off_ticket", {"ticket_id": never}, identity=ANN)
    clock.advance(hours=1)
    await platform.sweep()
    assert [await state(ticket) for ticket in (later, never)] == [("OPEN", 2), ("HELD", 2)]
    clock.advance(hours=1)
    await platform.sweep()
    assert [await state(ticket) for ticket in (later, never)] == [("EXPIRED", 3), ("HELD", 2)]


async def test_a_change_of_state_keeps_the_due_time(platform, issue, state, expiring, clock):
    """Expired and still due: it is purged in the same sweep."""

    async def expire(ctx, ticket):
        return ctx.state_surface.transition(ticket, "EXPIRED")

    expiring(expire)
    ticket = await issue()
    clock.advance(hours=1)
    assert (await platform.sweep()).artifacts == 1
    assert await state(ticket) is None


async def test_each_tenant_is_served_by_its_own_service(platform, issue, state, clock, database):
    tickets = [(await issue(who=who), who) for who in (ANN, EVE)]
    clock.advance(hours=1)
    await platform.sweep()
    assert [await state(*ticket) for ticket in tickets] == [("EXPIRED", 2)] * 2
    rows = database("SELECT tenant_id, user_id FROM executions WHERE intent_type = 'expire_ticket' ORDER BY tenant_id")
    assert rows == [("t1", "sweep"), ("t2", "sweep")]


async def test_a_failing_intent_is_told_and_stops_nobody(platform, issue, expiring, clock, logged):
    first, _ = await issue(hours=1), await issue(hours=2)

    async def expire(ctx, ticket):
        if ticket.artifact_id == first:
            raise IntentError("TICKET_STUCK")
        return ctx.state_surface.transition(ticket, "EXPIRED")

    expiring(expire)
    clock.advance(hours=2)
    assert (await platform.sweep()).artifacts == 1
    left = await platform.read.artifacts(identity=ANN)
    assert [(entry["artifact_id"], entry["version"]) for entry in left["artifacts"]] == [(first, 1)]
    told = [line for line in logged if line["event"] == "due_artifact_stays"]
    assert [(line["artifact_id"], line["code"]) for line in told] == [(first, "TICKET_STUCK")]


async def test_what_stays_is_tried_again_by_the_next_sweep(platform, issue, state, expiring, clock):
    ticket = await issue()
    clock.advance(hours=1)
    expiring(stuck)
    await platform.sweep()
    assert await state(ticket) == ("OPEN", 1)
    expiring(expire_ticket_service.expire)
    await platform.sweep()
    assert await state(ticket) == ("EXPIRED", 2)


async def test_an_intent_that_leaves_it_due_is_submitted_once_a_sweep(platform, issue, state, expiring, clock):
    """It writes a new version each time: a sweep that counted versions would never end."""

    async def touch(ctx, ticket):
        return ctx.state_surface.update_artifact(ticket, {"name": ticket.semantic_payload["name"] + "."})

    expiring(touch)
    ticket = await issue()
    clock.advance(hours=1)
    await platform.sweep()
    assert await state(ticket) == ("OPEN", 2)
    await platform.sweep()
    assert await state(ticket) == ("OPEN", 3)


@pytest.mark.usefixtures("_small_steps")
async def test_those_that_stay_do_not_hide_the_ones_behind_them(platform, issue, state, expiring, clock):
    """More of them than a step holds, and due for longer: the sweep looks further."""
    for _ in range(5):
        await issue(hours=0, held=True)
    failing = {await issue(hours=0) for _ in range(5)}

    async def expire(ctx, ticket):
        return await stuck() if ticket.artifact_id in failing else ctx.state_surface.transition(ticket, "EXPIRED")

    expiring(expire)
    behind = [await issue(hours=1) for _ in range(7)]
    clock.advance(hours=1)
    assert (await platform.sweep()).artifacts == 7
    assert [await state(ticket) for ticket in behind] == [None] * 7
    assert {await state(ticket) for ticket in failing} == {("OPEN", 1)}


@pytest.mark.usefixtures("_small_steps")
async def test_many_go_in_bounded_steps(platform, issue, clock, monkeypatch, database):
    for _ in range(10):
        await issue(hours=1)
    clock.advance(hours=1)
    await platform.sweep()
    clock.advance(days=1)
    purge, steps, totals = platform.store.purge, [], []

    async def counted(artifacts, tables):
        steps.append(len(artifacts))
        return await purge(artifacts, tables)

    monkeypatch.setattr(platform.store, "purge", counted)
    assert (await platform.sweep(totals.append)).artifacts == 10
    assert steps == [4, 4, 2]
    assert [total.artifacts for total in totals] == [4, 8, 10, 10]
    assert database("SELECT count(*) FROM artifacts") == [(0,)]


async def test_what_was_written_since_it_was_found_stays_whole(platform, issue, state, clock, monkeypatch):
    ticket = await issue(hours=1)
    clock.advance(hours=1)
    await platform.sweep()
    clock.advance(days=1)
    purge = platform.store.purge

    async def late(artifacts, tables):
        return await purge([replace(artifact, version=artifact.version - 1) for artifact in artifacts], tables)

    monkeypatch.setattr(platform.store, "purge", late)
    assert (await platform.sweep()).artifacts == 0
    assert await state(ticket) == ("EXPIRED", 2)
    monkeypatch.setattr(platform.store, "purge", purge)
    assert (await platform.sweep()).artifacts == 1


async def test_a_type_that_names_an_unknown_table_keeps_nobody_else(platform, issue, state, clock, logged):
    ticket = await issue(hours=1)
    clock.advance(hours=1)
    await platform.sweep()
    clock.advance(days=1)
    later = await issue(hours=0)
    platform._sweeping._tables = {"ticket": ("no_such_table",)}
    assert (await platform.sweep()).artifacts == 0
    assert [line["artifact_type"] for line in logged if line["event"] == "purge_refused"] == ["ticket"]
    assert await state(ticket) == ("EXPIRED", 2)
    assert await state(later) == ("EXPIRED", 2)


async def test_two_processes_that_sweep_at_once_expire_a_ticket_once(opened, platform, issue, clock, database):
    ticket = await issue()
    clock.advance(hours=1)
    async with opened() as other:
        await asyncio.gather(platform.sweep(), other.sweep())
    assert database("SELECT artifact_id, lifecycle_state, version FROM artifacts") == [(ticket, "EXPIRED", 2)]
    assert database("SELECT count(*) FROM outbox WHERE type = 'ticket_expired'") == [(1,)]


async def test_an_intent_that_only_services_may_submit_is_not_for_users(platform, issue):
    ticket = await issue()
    with pytest.raises(IntentError) as refused:
        await platform.submit_intent("expire_ticket", {"ticket_id": ticket}, identity=ANN)
    assert refused.value.code == "PERMISSION_DENIED"
