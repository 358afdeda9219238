"""Committed events reach their subscribers in order, each once, from where they left off."""

import asyncio
from contextlib import aclosing, asynccontextmanager

import pytest
from runtime_callers import ANN, BOB, EVE, ROBOT, Caller

from symphainy_platform import IntentError
from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.runtime import publish


@asynccontextmanager
async def subscribed(platform, identity=ANN, **where):
    """A subscription that has begun: what is committed from here on is seen."""
    where.setdefault("after", await platform.store.event_cursor())
    async with aclosing(platform.events(identity=identity, **where)) as events:
        yield events


async def take(events, count):
    async with asyncio.timeout(5):
        return [await anext(events) for _ in range(count)]


async def nothing_more(events):
    """Whether no event comes while the tail looks twice; the subscription ends with that."""
    upcoming = asyncio.ensure_future(anext(events))
    done, _ = await asyncio.wait([upcoming], timeout=2.5 * publish.POLL_SECONDS)
    upcoming.cancel()
    await asyncio.wait([upcoming])
    return not done


def ids(events):
    return [event.execution_id for event in events]


async def notes(caller, count):
    return [(await caller("write_note", text=str(n))).execution_id for n in range(count)]


@pytest.fixture
def fast_polls(monkeypatch):
    monkeypatch.setattr(publish, "POLL_SECONDS", 0.01)


async def test_events_come_in_the_order_of_their_commits(platform, ann):
    async with subscribed(platform) as events:
        written = await notes(ann, 5)
        assert ids(await take(events, 5)) == written


async def test_an_event_says_whose_and_what_it_is(platform, ann, clock):
    async with subscribed(platform) as events:
        result = await ann("write_note", text="private")
        [event] = await take(events, 1)
    note = result.events[0]["note_id"]
    assert (event.tenant_id, event.user_id, event.intent_type, event.type) == (
        "t1",
        "ann",
        "write_note",
        "note_written",
    )
    assert (event.artifact_id, event.payload, event.execution_id) == (note, {"note_id": note}, result.execution_id)
    assert event.created_at == clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")


async def test_from_now_on_means_nothing_of_before(platform, ann):
    await notes(ann, 3)
    async with subscribed(platform, after=None) as events:
        upcoming = asyncio.ensure_future(anext(events))
        await asyncio.wait([upcoming], timeout=0.05)
        [written] = await notes(ann, 1)
        assert (await upcoming).execution_id == written


async def test_a_cursor_resumes_right_after_its_event(platform, ann):
    written = await notes(ann, 6)
    async with subscribed(platform, after="0") as events:
        first = await take(events, 6)
    assert ids(first) == written
    for place in range(5):
        async with subscribed(platform, after=first[place].cursor) as events:
            assert ids(await take(events, 5 - place)) == written[place + 1 :]


async def test_a_cursor_survives_a_restart(opened):
    async with opened() as platform:
        written = await notes(Caller(platform, ANN), 2)
        async with subscribed(platform, after="0") as events:
            [first] = await take(events, 1)
    async with opened() as platform, subscribed(platform, after=first.cursor) as events:
        written += await notes(Caller(platform, ANN), 1)
        assert ids(await take(events, 2)) == written[1:]


@pytest.mark.parametrize(
    ("cursor", "code"),
    [("x", "INVALID_PARAMETER_VALUE"), ("", "INVALID_PARAMETER_VALUE"), ("-1", "INVALID_PARAMETER_VALUE")],
)
async def test_what_is_no_cursor_is_refused_at_the_first_step(platform, cursor, code):
    with pytest.raises(IntentError) as refused:
        await anext(platform.events(identity=ANN, after=cursor))
    assert refused.value.code == code


async def test_a_cursor_of_another_store_has_expired(opened, platform, ann, tmp_path):
    await notes(ann, 1)
    cursor = await platform.store.event_cursor()
    elsewhere = f"sqlite:///{tmp_path}/elsewhere.db"
    async with opened(store=elsewhere) as other:
        with pytest.raises(IntentError) as refused:
            await anext(other.events(identity=ANN, after=cursor))
    assert (refused.value.code, refused.value.http_status) == ("CURSOR_EXPIRED", 410)


async def test_whose_events_are_seen(platform):
    for who in (ANN, BOB, EVE):
        await Caller(platform, who)("write_note", text="x")
    seen = {}
    for name, who in {"ann": ANN, "bob": BOB, "eve": EVE, "robot": ROBOT}.items():
        async with subscribed(platform, who, after="0") as events:
            found = await take(events, 2 if who is ROBOT else 1)
            seen[name] = [(event.tenant_id, event.user_id) for event in found]
            assert await nothing_more(events)
    assert seen == {
        "ann": [("t1", "ann")],
        "bob": [("t1", "bob")],
        "eve": [("t2", "ann")],
        "robot": [("t1", "ann"), ("t1", "bob")],
    }


async def test_filters_by_artifact_and_type(platform, ann):
    one, other = [(await ann("write_note", text="x")).events[0]["note_id"] for _ in range(2)]
    async with subscribed(platform, artifact_id=one) as of_one, subscribed(platform, type="note_closed") as closings:
        await ann("edit_note", note_id=other, text="y")
        await ann("edit_note", note_id=one, text="y")
        await ann("close_note", note_id=one)
        await ann("close_note", note_id=other)
        assert [event.type for event in await take(of_one, 2)] == ["note_edited", "note_closed"]
        assert [event.artifact_id for event in await take(closings, 2)] == [one, other]


async def test_a_failure_and_a_read_emit_nothing(platform, ann):
    note = (await ann("write_note", text="x")).events[0]["note_id"]
    async with subscribed(platform) as events:
        await ann("read_note", note_id=note)
        await ann.code("write_note")
        await ann("edit_note", note_id=note, text="x")
        [written] = await notes(ann, 1)
        assert ids(await take(events, 1)) == [written]


@pytest.mark.usefixtures("fast_polls")
async def test_another_processes_commits_are_seen(opened):
    async with opened() as one, opened() as other, subscribed(one) as events:
        written = await notes(Caller(other, ANN), 3)
        written += await notes(Caller(one, ANN), 1)
        written += await notes(Caller(other, ANN), 1)
        assert ids(await take(events, 5)) == written


@pytest.mark.usefixtures("fast_polls")
@pytest.mark.parametrize("inbox", [0, 3, 1000])
async def test_concurrent_writers_and_lagging_subscribers_lose_and_double_nothing(opened, monkeypatch, inbox):
    monkeypatch.setattr(publish, "INBOX", inbox)
    async with opened() as one, opened() as other:

        async def follow(platform, lag):
            seen = []
            async with subscribed(platform, ROBOT) as events:
                begun.set()
                while len(seen) < 150:
                    seen.append((await anext(events)).execution_id)
                    if len(seen) % lag == 0:
                        await asyncio.sleep(0.005)
            return seen

        begun = asyncio.Event()
        followers = [asyncio.create_task(follow(p, lag)) for p in (one, other) for lag in (1, 7, 1000)]
        await begun.wait()
        await asyncio.wait(followers, timeout=0.05)
        writers = [Caller(platform, who) for platform in (one, other) for who in (ANN, BOB, ANN)]
        await asyncio.gather(*(notes(writer, 25) for writer in writers))
        seen = await asyncio.wait_for(asyncio.gather(*followers), 20)
        stored = [event.execution_id for event in (await one.store.events_after("0", publish.EventFilter())).events]
        assert seen == [stored] * 6
        assert len(set(stored)) == 150


@pytest.mark.usefixtures("fast_polls")
async def test_a_subscription_that_is_cut_anywhere_resumes_without_gap_or_double(platform, ann):
    written = []

    async def write():
        for _ in range(40):
            written.extend(await notes(ann, 1))

    async def follow():
        seen, cursor = [], "0"
        while len(seen) < 40:
            async with subscribed(platform, after=cursor) as events:
                for event in await take(events, min(3, 40 - len(seen))):
                    seen.append(event.execution_id)
                    cursor = event.cursor
        return seen

    _, seen = await asyncio.gather(write(), follow())
    assert seen == written


@pytest.mark.parametrize("verb", ["events_after", "changed_elsewhere"])
@pytest.mark.parametrize("failure", [DatabaseUnavailable, RuntimeError])
@pytest.mark.usefixtures("fast_polls")
async def test_a_store_that_is_away_for_a_while_costs_no_event(platform, ann, monkeypatch, verb, failure):
    async with subscribed(platform) as events:
        first = await notes(ann, 1)
        assert ids(await take(events, 1)) == first
        answer, failures, back = getattr(platform.store, verb), [], asyncio.Event()

        async def away(*args):
            if len(failures) < 5:
                failures.append(args)
                raise failure
            back.set()
            return await answer(*args)

        monkeypatch.setattr(platform.store, verb, away)
        written = await notes(ann, 3)
        await asyncio.wait_for(back.wait(), 2)
        written += await notes(ann, 1)
        assert ids(await take(events, 4)) == written


@pytest.mark.parametrize("away", [False, True])
@pytest.mark.usefixtures("fast_polls")
async def test_a_closing_platform_ends_its_subscriptions(opened, monkeypatch, away):
    async def follow(events):
        return [event async for event in events]

    async with opened() as platform:
        following = [asyncio.create_task(follow(platform.events(identity=ANN))) for _ in range(3)]
        await asyncio.wait(following, timeout=0.02)
        if away:

            async def fail(*_):
                raise DatabaseUnavailable

            monkeypatch.setattr(platform.store, "events_after", fail)
            await notes(Caller(platform, ANN), 1)
            following.append(asyncio.create_task(follow(platform.events(identity=ANN))))
            await asyncio.wait(following, timeout=0.02)
    async with asyncio.timeout(2):
        await asyncio.wait(following)


async def test_a_subscriber_that_leaves_is_forgotten(platform, ann):
    async with subscribed(platform) as events:
        await notes(ann, 1)
        await take(events, 1)
    assert not platform._parts.feed._subscribers
    async with subscribed(platform) as events:
        written = await notes(ann, 1)
        assert ids(await take(events, 1)) == written


async def test_an_event_is_delivered_soon_after_its_commit(platform, ann):
    async with subscribed(platform) as events:
        upcoming = asyncio.ensure_future(anext(events))
        await asyncio.wait([upcoming], timeout=0.05)
        await ann("write_note", text="x")
        async with asyncio.timeout(publish.POLL_SECONDS / 2):
            await upcoming


class GatedOutbox:
    """An outbox whose pages for one subscriber wait at a gate, after they were read."""

    def __init__(self):
        self.written, self.reached, self.opened = 0, asyncio.Event(), asyncio.Event()

    async def event_cursor(self):
        return str(self.written)

    async def events_after(self, cursor, where, limit=500):
        del limit
        page = publish.EventPage(tuple(map(event_of, range(int(cursor) + 1, self.written + 1))), str(self.written))
        if where.tenant_id and self.written and not self.reached.is_set():
            self.reached.set()
            await self.opened.wait()
        return page

    async def changed_elsewhere(self):
        return True


def event_of(number):
    names = ("tenant_id", "user_id", "execution_id", "intent_type", "type")
    return publish.PublishedEvent(
        cursor=str(number),
        artifact_id=None,
        payload={"number": number},
        created_at="",
        **dict.fromkeys(names, "t1"),
    )


@pytest.mark.usefixtures("fast_polls")
async def test_what_is_committed_while_a_lagging_subscriber_reads_is_not_missed():
    outbox = GatedOutbox()
    feed = publish.EventFeed(outbox, lambda _: None)
    async with aclosing(feed.subscribe(publish.EventFilter(tenant_id="t1"), "0")) as events:
        outbox.written = 1
        outbox.reached.set()
        assert (await anext(events)).payload == {"number": 1}
        outbox.reached.clear()
        next(iter(feed._subscribers)).fall_behind()
        outbox.written = 2
        upcoming = asyncio.ensure_future(take(events, 2))
        await outbox.reached.wait()
        outbox.written = 3
        feed.wake()
        await asyncio.wait([upcoming], timeout=0.05)
        outbox.opened.set()
        assert [event.payload["number"] for event in await upcoming] == [2, 3]
    await feed.close()
