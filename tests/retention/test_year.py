"""A year of intents: what nobody can ask for any more is purged, in bounded steps, and all else stays."""

import asyncio
import secrets

import pytest

from symphainy_platform import Identity, IntentError
from symphainy_platform.state.store import ArtifactById, Retention, load_one

ANN = Identity("t1", "ann")
USERS = [Identity("t1", f"user{number}") for number in range(10)]
DAYS = 365


def submit(platform, who, intent, key=None, **params):
    return platform.submit_intent(intent, params, identity=who, idempotency_key=key)


def update(platform, who, number, key=None):
    return submit(platform, who, "update_chat_context", key, context_updates={"k": number}, history_limit=0)


async def a_day(platform, day):
    """Every user says something, some of it twice; one reads, one fails, one uses keys."""
    calls = []
    for number, who in enumerate(USERS):
        calls += [update(platform, who, day), update(platform, who, day)] if number else []
    calls += [
        submit(platform, USERS[1], "get_chat_session", f"key-{day}"),
        update(platform, USERS[2], -day, f"k-{day}"),
    ]
    failing = submit(platform, USERS[3], "update_chat_context", context_updates={}, expected_version=10**9)
    results = await asyncio.gather(*calls, failing, return_exceptions=True)
    assert [result.code for result in results if isinstance(result, IntentError)] == ["VERSION_CONFLICT"]


async def status_code(platform, who, execution_id):
    try:
        return (await platform.read.execution(execution_id, identity=who))["status"]
    except IntentError as error:
        return error.code


async def test_a_years_intents_leave_bounded_tables(opened, clock, database):
    sizes, steps = [], []
    async with opened() as platform:
        idle = await submit(platform, USERS[0], "initialize_chat_session")
        for who in USERS[1:]:
            await submit(platform, who, "initialize_chat_session")
        for day in range(1, DAYS + 1):
            clock.advance(days=1)
            await a_day(platform, day)
            if day % 5 == 0:
                await platform.sweep(steps.append)
                sizes.append(await counted(database))
        await check_what_stays(platform, idle, database)
        with pytest.raises(IntentError) as expired:
            await anext(platform.events(identity=ANN, after="A" * 22))
        assert expired.value.code in {"CURSOR_EXPIRED", "INVALID_PARAMETER_VALUE"}
    grown = {name: (sizes[len(sizes) // 4][name], sizes[-1][name]) for name in sizes[0]}
    assert all(late <= early * 1.05 + 5 for early, late in grown.values()), grown
    written = DAYS * 12
    assert sizes[-1]["executions"] < 36 * 14
    assert sizes[-1]["outbox"] < 13 * 12
    assert sizes[-1]["keys"] + sizes[-1]["client_keys"] < 40
    assert database("SELECT count(*) FROM artifact_versions")[0][0] > written * 0.7
    assert steps


async def counted(database):
    queries = {
        "executions": "SELECT count(*) FROM executions",
        "outbox": "SELECT count(*) FROM outbox",
        "keys": "SELECT count(*) FROM executions WHERE key_digest IS NOT NULL",
        "client_keys": "SELECT count(*) FROM executions WHERE client_key_digest IS NOT NULL",
    }
    return {name: database(sql)[0][0] for name, sql in queries.items()}


async def check_what_stays(platform, idle, database):
    """Executions behind current versions; every version; the session that nobody has touched for a year."""
    assert await status_code(platform, USERS[0], idle.execution_id) == "completed"
    for execution_id, user_id in database("SELECT execution_id, user_id FROM artifacts"):
        assert await status_code(platform, Identity("t1", user_id), execution_id) == "completed"
    unchanged = await submit(platform, USERS[0], "update_chat_context", context_updates={})
    assert (unchanged.execution_id, unchanged.idempotent_replay) == (idle.execution_id, True)
    assert (await submit(platform, USERS[0], "get_chat_session")).artifacts["chat_session"]["semantic_payload"][
        "exists"
    ]
    session = database("SELECT artifact_id, version FROM artifacts WHERE user_id = 'user5'")[0]
    for version in (1, 2, session[1] // 2, session[1]):
        assert await load_one(platform.store, ArtifactById("t1", session[0], version))


async def test_an_execution_is_kept_for_its_retention_and_no_longer(opened, clock):
    async with opened(execution_retention_days=10) as platform:
        first = await submit(platform, ANN, "initialize_chat_session")
        read = await submit(platform, ANN, "get_chat_session")
        await update(platform, ANN, 1)
        clock.advance(days=10, microseconds=-1)
        await platform.sweep()
        assert await status_code(platform, ANN, read.execution_id) == "completed"
        assert await status_code(platform, ANN, first.execution_id) == "completed"
        clock.advance(microseconds=1)
        await platform.sweep()
        assert await status_code(platform, ANN, read.execution_id) == "NOT_FOUND"
        assert await status_code(platform, ANN, first.execution_id) == "NOT_FOUND"


async def test_an_unexpired_key_keeps_its_execution(opened, clock):
    """Also when keys live longer than executions."""
    async with opened(execution_retention_days=0.5) as platform:
        await submit(platform, ANN, "initialize_chat_session")
        first = await update(platform, ANN, 1, "key")
        await update(platform, ANN, 2)
        clock.advance(hours=23)
        await platform.sweep()
        again = await update(platform, ANN, 1, "key")
        assert again.to_dict() == {**first.to_dict(), "idempotent_replay": True}
        clock.advance(hours=1)
        await platform.sweep()
        assert await status_code(platform, ANN, first.execution_id) == "NOT_FOUND"


async def test_a_call_whose_record_is_purged_is_a_new_call(opened, clock):
    async with opened() as platform:
        first = await submit(platform, ANN, "initialize_chat_session", "key")
        clock.advance(days=40)
        await platform.sweep()
        again = await submit(platform, ANN, "initialize_chat_session", "key")
        assert not again.idempotent_replay
        assert again.execution_id != first.execution_id


async def test_a_replay_of_a_purged_producer_still_answers(opened, clock):
    """A key that repeats another execution's answer outlives that execution."""
    async with opened(execution_retention_days=0.5) as platform:
        first = await submit(platform, ANN, "initialize_chat_session")
        clock.advance(hours=11)
        repeated = await submit(platform, ANN, "update_chat_context", "key", context_updates={})
        await update(platform, ANN, 2)
        clock.advance(hours=12)
        await platform.sweep()
        assert await status_code(platform, ANN, first.execution_id) == "NOT_FOUND"
        again = await submit(platform, ANN, "update_chat_context", "key", context_updates={})
        assert again.to_dict() == repeated.to_dict()


async def test_a_sweep_goes_in_bounded_steps(opened, clock, database):
    async with opened(client_key_ttl_seconds=60) as platform:
        await submit(platform, ANN, "initialize_chat_session")
        for _ in range(5):
            await asyncio.gather(*(submit(platform, ANN, "get_chat_session", secrets.token_hex(8)) for _ in range(50)))
        clock.advance(days=40)
        now, kept = clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"), Retention(executions=86_400, outbox=86_400)
        steps = [await platform.store.sweep(now, kept, 20)]
        while steps[-1].more:
            steps.append(await platform.store.sweep(now, kept, 20))
        assert max(max(step.keys, step.executions, step.events) for step in steps) == 20
        assert sum(step.executions for step in steps) == 250
        assert len(steps) >= 13
    assert database("SELECT intent_type FROM executions") == [("initialize_chat_session",)]


async def test_intents_are_answered_while_a_sweep_is_under_way(opened, clock):
    async with opened() as platform:
        await submit(platform, ANN, "initialize_chat_session")
        for _ in range(6):
            await asyncio.gather(*(submit(platform, ANN, "get_chat_session") for _ in range(500)))
        await platform.drain()
        clock.advance(days=40)
        totals = []
        sweeping = asyncio.create_task(platform.sweep(totals.append))
        answered = [await update(platform, ANN, number) for number in range(20)]
        total = await sweeping
        assert len(answered) == 20
        assert total.executions in {
            3000,
            3001,
        }  # the first session's goes, too, when an update was there before the sweep
        assert len(totals) > 2


async def test_a_cursor_before_the_swept_events_has_expired_and_zero_has_not(opened, clock):
    async with opened() as platform:
        await submit(platform, ANN, "initialize_chat_session")
        start = await platform.store.event_cursor()
        await update(platform, ANN, 1)
        await update(platform, ANN, 2)
        swept = await platform.store.event_cursor()
        clock.advance(days=8)
        await platform.sweep()
        with pytest.raises(IntentError) as expired:
            await anext(platform.events(identity=ANN, after=start))
        assert (expired.value.code, expired.value.http_status) == ("CURSOR_EXPIRED", 410)
        written = await update(platform, ANN, 3)
        for cursor in ("0", swept):
            events = platform.events(identity=ANN, after=cursor)
            assert (await anext(events)).execution_id == written.execution_id
            await events.aclose()
