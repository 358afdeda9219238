"""Services work on the whole tenant, users on what is theirs; events go to whom they are about."""

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest
from notebook_realm.script import praise, praise_note, shelved, written
from runtime_callers import ANN, BOB, ROBOT, Caller

from symphainy_platform import Identity, IntentResult


@pytest.fixture
def robot(platform):
    return Caller(platform, ROBOT)


@pytest.fixture
def overtaken(monkeypatch):
    """Lets another process act between the next decision of a platform and its commit."""

    def put(platform, act):
        commit = platform.store.commit

        async def late(batch):
            monkeypatch.setattr(platform.store, "commit", commit)
            await act()
            return await commit(batch)

        monkeypatch.setattr(platform.store, "commit", late)

    return put


async def note_of(caller, text="x"):
    return (await caller("write_note", text=text)).events[0]["note_id"]


async def state_of(platform, note, identity=ROBOT):
    return (await platform.read.artifact(note, identity=identity))["lifecycle_state"]


async def take(events, count):
    async with asyncio.timeout(5):
        return [await anext(events) for _ in range(count)]


def listing(owner=None):
    async def look(ctx, _):
        page = await ctx.state_surface.list_artifacts("note", owner=owner)
        return IntentResult({"tidied": {"count": len(page.artifacts)}}, [{"type": "notes_tidied", "count": 0}])

    return look


async def test_a_service_lists_and_writes_what_is_anothers(platform, ann, bob, robot, database):
    mine, foreign = await note_of(ann), await note_of(bob)
    await robot("shelve_notes", owner="ann")
    assert [await state_of(platform, note) for note in (mine, foreign)] == ["CLOSED", "OPEN"]
    owners = database("SELECT user_id, lifecycle_state FROM artifacts ORDER BY user_id, lifecycle_state")
    assert owners == [("ann", "CLOSED"), ("ann", "OPEN"), ("bob", "OPEN")]
    assert database("SELECT DISTINCT user_id FROM executions WHERE intent_type = 'shelve_notes'") == [("robot",)]


async def test_a_service_stays_within_its_tenant(platform, ann, database):
    note = await note_of(ann)
    await Caller(platform, Identity("t2", "robot", frozenset({"service"})))("shelve_notes", owner="ann")
    assert await state_of(platform, note) == "OPEN"
    assert database("SELECT tenant_id FROM artifacts ORDER BY tenant_id") == [("t1",), ("t2",)]


async def test_without_an_owner_a_service_lists_and_registers_its_own(robot, ann, scripted):
    await note_of(ann)

    async def own(ctx, _):
        page = await ctx.state_surface.list_artifacts("note")
        notice = ctx.state_surface.register_artifact("note", {"text": f"{len(page.artifacts)} {ctx.user_id}"})
        assert notice.user_id == "robot"
        return IntentResult({"notice": notice}, [written(notice)])

    scripted("shelve_notes", own)
    answer = await robot("shelve_notes", owner="ann")
    assert answer.artifacts["notice"]["semantic_payload"] == {"text": "0 robot"}


@pytest.mark.parametrize("caller", [ANN, ROBOT], ids=["a user", "a service"])
async def test_an_intent_of_users_has_no_business_with_others_artifacts(platform, scripted, caller, bob):
    """The contract decides, not the caller's role: what is meant for users works on the caller's own."""
    await note_of(bob)
    scripted("tidy_notes", listing("bob"))
    assert await Caller(platform, caller).code("tidy_notes") == "CONTRACT_VIOLATION"
    scripted("tidy_notes", listing())
    assert (await Caller(platform, caller)("tidy_notes")).artifacts["tidied"]["semantic_payload"] == {"count": 0}


async def test_an_intent_of_users_registers_nothing_for_others(ann, scripted, database):
    async def gift(ctx, _):
        note = ctx.state_surface.register_artifact("note", {"text": "x"}, owner="bob")
        return IntentResult({"note": note}, [written(note)])

    scripted("write_note", gift)
    assert await ann.code("write_note", text="x") == "CONTRACT_VIOLATION"
    assert database("SELECT count(*) FROM artifacts") == [(0,)]


async def test_naming_oneself_as_the_owner_is_nothing_special(ann, scripted):
    await note_of(ann)
    scripted("tidy_notes", listing("ann"))
    assert (await ann("tidy_notes")).artifacts["tidied"]["semantic_payload"] == {"count": 1}


@pytest.mark.parametrize("caller", [ANN, ROBOT], ids=["a user", "a service"])
async def test_an_intent_of_users_does_not_see_what_is_anothers(platform, scripted, caller, bob):
    note = await note_of(bob)
    seen = []

    async def look(ctx, params):
        seen.append(await ctx.state_surface.get_artifact(note))
        return await listing()(ctx, params)

    scripted("tidy_notes", look)
    await Caller(platform, caller)("tidy_notes")
    assert seen == [None]


async def test_a_user_writes_what_was_found_by_listing(platform, ann, bob):
    mine, foreign = [await note_of(ann), await note_of(ann)], await note_of(bob)
    assert (await ann("tidy_notes")).artifacts["tidied"]["semantic_payload"] == {"count": 2}
    assert [await state_of(platform, note) for note in (*mine, foreign)] == ["CLOSED", "CLOSED", "OPEN"]
    assert (await ann("tidy_notes")).artifacts["tidied"]["semantic_payload"] == {"count": 0}


async def test_what_was_found_is_written_only_where_the_contract_says_listed(ann, scripted, platform):
    """`close_note` declares the update of the note that it reads, and of no other."""
    first, second = await note_of(ann), await note_of(ann)

    async def close_both(ctx, _):
        [note, other] = (await ctx.state_surface.list_artifacts("note")).artifacts
        closed = [ctx.state_surface.transition(each, "CLOSED") for each in (note, other)]
        return IntentResult({"note": closed[0]}, [{"type": "note_closed"}])

    scripted("close_note", close_both)
    assert await ann.code("close_note", note_id=first) == "CONTRACT_VIOLATION"
    assert [await state_of(platform, note) for note in (first, second)] == ["OPEN", "OPEN"]


async def test_a_listed_write_goes_from_a_declared_state_to_a_declared_state(ann, scripted):
    note = await note_of(ann)
    await ann("close_note", note_id=note)

    async def write_again(ctx, _):
        [found] = (await ctx.state_surface.list_artifacts("note")).artifacts
        ctx.state_surface.update_artifact(found, {"text": "y"})
        return IntentResult({"tidied": {"count": 1}}, [{"type": "notes_tidied", "count": 1}])

    scripted("tidy_notes", write_again)
    assert await ann.code("tidy_notes") == "CONTRACT_VIOLATION"


async def test_a_listed_write_keeps_whose_it_is(robot, ann, scripted, platform):
    note = await note_of(ann)

    async def take_it(ctx, _):
        [found] = (await ctx.state_surface.list_artifacts("note", owner="ann")).artifacts
        ctx.state_surface.transition(replace(found, user_id="robot"), "CLOSED")
        notice = ctx.state_surface.register_artifact("note", {"text": "mine"})
        return IntentResult({"notice": notice}, [written(notice)])

    scripted("shelve_notes", take_it)
    assert await robot.code("shelve_notes", owner="ann") == "CONTRACT_VIOLATION"
    assert (await platform.read.artifact(note, identity=ANN))["lifecycle_state"] == "OPEN"


async def test_what_was_listed_and_changed_meanwhile_is_decided_anew(opened, overtaken):
    """Another process closes one of two notes before our commit: one is left to tidy."""
    async with opened() as one, opened() as other:
        ours, theirs = Caller(one, ANN), Caller(other, ANN)
        notes = [await note_of(ours), await note_of(ours)]
        overtaken(one, lambda: theirs("close_note", note_id=notes[0]))
        answer = await ours("tidy_notes")
        assert [await state_of(one, note) for note in notes] == ["CLOSED", "CLOSED"]
    assert answer.artifacts["tidied"]["semantic_payload"] == {"count": 1}


async def test_events_go_to_whom_they_are_about(platform, ann, robot, database):
    note = await note_of(ann)
    start = await platform.store.event_cursor()
    answer = await robot("shelve_notes", owner="ann")
    notice = answer.events[1]["note_id"]
    rows = database("SELECT type, user_id, artifact_id FROM outbox WHERE id > 1 ORDER BY id")
    assert rows == [("note_shelved", "ann", note), ("note_written", "ann", note)]
    async with aclosing(platform.events(identity=ANN, after=start)) as events:
        received = await take(events, 2)
    assert [event.payload["note_id"] for event in received] == [note, notice]
    assert {event.execution_id for event in received} == {answer.execution_id}
    async with aclosing(platform.events(identity=ANN, after=start, artifact_id=note, type="note_shelved")) as events:
        assert (await take(events, 1))[0].type == "note_shelved"


async def test_events_about_what_is_only_read_go_to_its_owner_as_well(ann, robot, scripted, database):
    note = await note_of(ann)

    async def tell(ctx, params):
        [found] = (await ctx.state_surface.list_artifacts("note", owner=params.owner)).artifacts
        notice = ctx.state_surface.register_artifact("note", {"text": "seen"})
        return IntentResult({"notice": notice}, [shelved(found), written(notice)])

    scripted("shelve_notes", tell)
    await robot("shelve_notes", owner="ann")
    rows = database("SELECT type, user_id, artifact_id FROM outbox WHERE id > 1 ORDER BY id")
    assert rows[0] == ("note_shelved", "ann", note)
    assert rows[1][:2] == ("note_written", "robot")


async def test_an_event_about_what_nobody_has_is_the_callers(robot, scripted, database):
    nothing = "00000000-0000-4000-8000-000000000000"

    async def tell(ctx, _):
        notice = ctx.state_surface.register_artifact("note", {"text": "gone"})
        return IntentResult({"notice": notice}, [{"type": "note_shelved", "note_id": nothing}, written(notice)])

    scripted("shelve_notes", tell)
    await robot("shelve_notes", owner="ann")
    [first, _] = database("SELECT type, user_id, artifact_id FROM outbox ORDER BY id")
    assert first == ("note_shelved", "robot", nothing)


async def test_events_of_a_failure_go_to_whom_they_are_about(anybody, ann, database):
    note = await note_of(ann)
    await anybody.code("turn_page", words=f"t1 ann p1 {note}", tear=True)
    rows = database("SELECT type, user_id, artifact_id FROM outbox WHERE id > 1")
    assert rows == [("page_torn", "ann", note)]


async def test_events_without_any_write_reach_outbox_subscribers_and_status(platform, ann, database):
    note = await note_of(ann)
    start = await platform.store.event_cursor()
    async with aclosing(platform.events(identity=ANN, after=start)) as events:
        waiting = asyncio.create_task(take(events, 1))
        answer = await ann("praise_note", note_id=note)
        [event] = await waiting
    told = (event.type, event.execution_id, event.artifact_id, event.payload)
    assert told == ("note_praised", answer.execution_id, note, {"note_id": note})
    assert answer.to_dict()["events"] == [praise(note)]
    assert await ann.status(answer.execution_id) == answer.to_dict()
    assert database("SELECT version FROM artifacts") == [(1,)]
    assert database("SELECT type FROM outbox WHERE id > 1") == [("note_praised",)]


async def test_an_event_about_nothing_is_of_no_artifact(platform, anybody, database):
    answer = await anybody("greet_guest", words="t1 ann pass-1 -")
    rows = database("SELECT type, tenant_id, user_id, execution_id, artifact_id FROM outbox")
    assert rows == [("guest_greeted", "t1", "ann", answer.execution_id, None)]
    async with aclosing(platform.events(identity=ANN, after="0")) as events:
        assert (await take(events, 1))[0].payload == {"pass_id": "pass-1"}


async def test_events_without_any_write_are_not_the_business_of_others(platform, ann):
    note = await note_of(ann)
    start = await platform.store.event_cursor()
    await ann("praise_note", note_id=note)
    bobs = await note_of(Caller(platform, BOB))
    async with aclosing(platform.events(identity=BOB, after=start)) as events:
        assert (await take(events, 1))[0].artifact_id == bobs


async def test_events_without_any_write_stand_on_what_was_read(opened, overtaken, scripted, database):
    """The note is closed between the decision and its commit: the service, asked again, finds it so."""
    decisions = []

    async def praise_it(ctx, params):
        note = await ctx.state_surface.get_artifact(params.note_id)
        decisions.append(note.semantic_payload["text"])
        return await praise_note(ctx, params)

    scripted("praise_note", praise_it)
    async with opened() as one, opened() as other:
        ours, theirs = Caller(one, ANN), Caller(other, ANN)
        note = await note_of(ours)
        overtaken(one, lambda: theirs("edit_note", note_id=note, text="y"))
        await ours("praise_note", note_id=note)
        overtaken(one, lambda: theirs("close_note", note_id=note))
        assert await ours.code("praise_note", note_id=note) == "NOTE_NOT_OPEN"
    assert decisions == ["x", "y", "y"]
    assert database("SELECT count(*) FROM outbox WHERE type = 'note_praised'") == [(1,)]


async def test_a_copy_stands_on_what_was_read(opened, overtaken, database):
    """What is read and not written must still be current at the commit of what is written."""
    async with opened() as one, opened() as other:
        ours, theirs = Caller(one, ANN), Caller(other, ANN)
        note = await note_of(ours)
        overtaken(one, lambda: theirs("edit_note", note_id=note, text="newer"))
        copied = await ours("copy_note", note_id=note)
    assert copied.artifacts["note"]["semantic_payload"] == {"text": "newer"}
    assert database("SELECT count(*) FROM outbox WHERE type = 'note_copied'") == [(1,)]
