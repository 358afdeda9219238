"""An API that fails: every verb says so in time, nothing is half-written, and what was written is found again."""

import asyncio
import socket
import time

import pytest
import pytest_asyncio
from faulty_proxy import FAULTS, HANG, OTHER_SHAPES, THROTTLED, FaultyProxy
from servers.supabase_gateway import SECRET_KEY

from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.state.records import AuditPosition, Committed, SealedKey
from symphainy_platform.state.store import ArtifactById, ArtifactVersions, EventFilter, Retention, load_one
from symphainy_platform.testing.store_suite.samples import (
    CREATED,
    TENANT,
    artifact,
    commit_all,
    commit_one,
    event,
    everything,
    writing,
)

RETENTION = Retention(executions=60, outbox=60)
KEY = SealedKey(purpose="p", kid="k", public=b"p", sealed=b"s", created_at=CREATED)
VERBS = {
    "secret": lambda store: store.secret("s"),
    "keys": lambda store: store.keys(),
    "keep_key": lambda store: store.keep_key(KEY, None),
    "forget_keys": lambda store: store.forget_keys(["k"]),
    "commit": lambda store: store.commit([everything()]),
    "commit of many": lambda store: store.commit([everything("exec_2", "a2"), everything("exec_3", "a3")]),
    "load": lambda store: store.load([ArtifactById(TENANT, "a1")]),
    "load of many": lambda store: store.load([ArtifactById(TENANT, "a1"), ArtifactById(TENANT, "a2")]),
    "event_cursor": lambda store: store.event_cursor(),
    "events_after": lambda store: store.events_after("0", EventFilter()),
    "audit_position": lambda store: store.audit_position(),
    "audit_tenants": lambda store: store.audit_tenants(),
    "append_audit": lambda store: store.append_audit([], after=AuditPosition(), upto=AuditPosition()),
    "changed_elsewhere": lambda store: store.changed_elsewhere(),
    "sweep": lambda store: store.sweep(CREATED, RETENTION),
    "purge": lambda store: store.purge([artifact()], {}),
}


@pytest.fixture
def projects(migrated_projects):
    return migrated_projects


@pytest.fixture
def proxy(projects):
    made = FaultyProxy(projects.url())
    yield made
    made.close()


@pytest_asyncio.fixture
async def store(proxy, open_store):
    return await open_store(url=proxy.url)


async def refusal(verb):
    with pytest.raises(DatabaseUnavailable) as raised:
        await verb
    return raised.value


async def events(store):
    return (await store.events_after("0", EventFilter())).events


async def refuses_everything(store, seconds):
    begun = time.monotonic()
    refusals = await asyncio.gather(*(refusal(verb(store)) for verb in VERBS.values()))
    health = await store.health()
    assert time.monotonic() - begun < seconds
    assert not health.ready
    return {error.details["reason"] for error in refusals}


async def is_as_new(store):
    """Whatever the failed calls left in the pool or the database, the store works."""
    assert (await store.health()).ready
    assert (await store.events_after("0", EventFilter())).events == ()
    await asyncio.gather(*(commit_all(store, everything(f"exec_new{n}", f"new{n}")) for n in range(20)))
    assert len(await events(store)) == 20


@pytest.mark.timeout(240)
async def test_every_verb_says_that_the_database_is_unavailable(store, proxy):
    reasons = {}
    for fault in FAULTS:
        proxy.fail(fault)
        reasons[fault] = await refuses_everything(store, 6)
    assert reasons == {fault: {"busy"} if fault in THROTTLED else {"lost"} for fault in FAULTS}
    proxy.heal()
    await is_as_new(store)


async def test_an_api_that_hangs_is_not_waited_for_longer_than_six_seconds(store, proxy):
    proxy.fail(HANG)
    begun = time.monotonic()
    reasons = {error.details["reason"] for error in await asyncio.gather(*(refusal(v(store)) for v in VERBS.values()))}
    assert reasons == {"timeout"}
    for verb in VERBS.values():  # who comes after those does not wait as long again
        await refusal(verb(store))
    assert time.monotonic() - begun < 6
    proxy.heal()
    async with asyncio.timeout(6):
        while not (await store.health()).ready:
            pass
    await is_as_new(store)


async def test_json_that_answers_nothing_is_no_answer(store, proxy):
    await commit_all(store, everything("exec_0", "a0"))
    for shape in OTHER_SHAPES:
        proxy.fail(shape)
        for batch in ([everything("exec_1", "a1")], [everything("exec_2", "a2"), everything("exec_3", "a3")]):
            assert (await refusal(store.commit(batch))).details["reason"] in ("unintelligible", "lost"), shape
        assert (await refusal(store.load([ArtifactById(TENANT, "a0")]))).details["reason"] in ("unintelligible", "lost")
        done = await asyncio.gather(*(verb(store) for verb in VERBS.values()), return_exceptions=True)
        assert {type(each) for each in done if isinstance(each, Exception)} == {DatabaseUnavailable}, shape
        assert not (await store.health()).ready
    proxy.heal()
    await commit_all(store, *(everything(f"exec_{n}", f"a{n}") for n in range(1, 4)))
    assert [found.artifact_id for found in await events(store)] == ["a0", "a1", "a2", "a3"]


async def test_an_api_that_is_not_there_is_refused(store, proxy):
    proxy.close()
    assert await refuses_everything(store, 6) == {"refused"}


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
async def test_a_commit_whose_answer_was_lost_is_found_or_made(store, proxy, late):
    faults = [fault for fault in FAULTS if fault not in THROTTLED]
    for fault in faults:
        proxy.fail(fault, 1, late=late)
        outcome = await commit_one(store, everything(f"exec_{fault}", fault))
        assert isinstance(outcome, Committed), fault
        assert len(await load_one(store, ArtifactVersions(tenant_id=TENANT, artifact_id=fault))) == 1, fault
    assert [found.artifact_id for found in await events(store)] == faults


async def test_what_was_written_while_every_answer_was_lost_is_found_by_a_retry(store, proxy):
    for fault in ("502", "drop", "garbage"):
        batch = [everything(f"exec_{n}_{fault}", f"a{n}_{fault}") for n in range(2)]
        proxy.fail(fault, late=True)
        await refusal(store.commit(batch))
        proxy.heal()
        assert [type(outcome) for outcome in await store.commit(batch)] == [Committed, Committed]
    assert len(await events(store)) == 6


async def test_what_hung_may_have_been_written_and_a_retry_tells(store, proxy):
    await commit_all(store, writing("exec_0", artifact()))
    update = writing("exec_1", artifact(version=2), events=(event(),))
    proxy.fail(HANG, 1, late=True)
    await refusal(store.commit([update]))
    assert isinstance(await commit_one(store, update), Committed)
    assert (await load_one(store, ArtifactById(TENANT, "a1"))).version == 2
    assert len(await events(store)) == 1


async def test_a_throttled_commit_is_not_written_and_not_tried_again(store, proxy):
    asked = len(proxy.requests)
    proxy.fail("429", 1)
    assert (await refusal(store.commit([everything()]))).details["reason"] == "busy"
    assert len(proxy.requests) == asked + 1
    assert await events(store) == ()
    await commit_all(store, everything())


async def test_the_start_waits_for_nobody(projects, proxy, clock, open_store):
    await open_store()
    for fault in ("502", "drop", "429"):
        proxy.fail(fault)
        away = projects.store(clock, url=proxy.url)
        with pytest.raises(DatabaseUnavailable):
            await away.open()
        await away.close()


async def test_nothing_listens_at_the_start(projects, clock, open_store):
    await open_store()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = projects.store(clock, url=f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(DatabaseUnavailable):
            await away.open()
    await away.close()


async def test_cancelled_calls_leave_a_working_store(store, proxy):
    proxy.fail(HANG, 30)
    calls = [asyncio.create_task(store.load([ArtifactById(TENANT, "a1")])) for _ in range(30)]
    await asyncio.wait(calls, timeout=0.3)
    for call in calls:
        call.cancel()
    await asyncio.wait(calls)
    proxy.heal()
    await is_as_new(store)


async def test_a_commit_is_one_call_and_so_is_a_load(store, proxy):
    proxy.requests.clear()
    await store.commit([everything(f"exec_{n}", f"a{n}") for n in range(64)])
    await store.load([ArtifactById(TENANT, f"a{n}") for n in range(10)])
    assert [function for function, _ in proxy.requests] == ["commit_intents", "load"]


async def test_every_call_carries_the_secret_key_and_nothing_else(store, proxy):
    await asyncio.gather(*(verb(store) for verb in VERBS.values()))
    assert {headers["apikey"] for _, headers in proxy.requests} == {SECRET_KEY}
    assert {headers["authorization"] for _, headers in proxy.requests} == {f"Bearer {SECRET_KEY}"}
