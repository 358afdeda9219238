"""Many writers: on one artifact, on one file from several platforms, with and without keys."""

import asyncio

import pytest
from notebook_realm.script import copy_note, edit_note
from runtime_callers import ANN, Caller

from symphainy_platform import IntentError
from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.runtime import retry
from symphainy_platform.state.store import LogKeys, LogRange


def message(writer, turn):
    return {"id": f"{writer}-{turn}", "role": "user", "content": f"{writer} says {turn}"}


async def writes(ann, writer, turns):
    for turn in range(turns):
        updates = {"conversation_history": [message(writer, turn)], "pillar_context": {f"{writer}-{turn}": turn}}
        await ann("update_chat_context", context_updates=updates, history_limit=0)


async def check_gapless(platform, database, expected):
    session = (await Caller(platform, ANN)("get_chat_session")).artifacts["chat_session"]["semantic_payload"]
    ids = [item["id"] for item in session["context"]["conversation_history"]]
    assert len(ids) == len(set(ids)) == len(session["context"]["pillar_context"]) == expected
    assert session["version"] == expected + 1
    assert database("SELECT version FROM artifact_versions ORDER BY version") == [(n,) for n in range(1, expected + 1)]
    seqs = database("SELECT seq FROM artifact_log WHERE log = 'conversation_history' ORDER BY seq")
    assert seqs == [(n,) for n in range(1, expected + 1)]
    versions = database("SELECT json_extract(payload, '$.version') FROM outbox WHERE type = 'chat_context_updated'")
    assert versions == [(n,) for n in range(2, expected + 2)]


async def test_fifty_writers_of_one_session_lose_nothing(platform, ann, database):
    await ann("initialize_chat_session")
    await asyncio.gather(*(writes(ann, f"w{n}", 10) for n in range(50)))
    await check_gapless(platform, database, 500)


async def test_writers_of_two_platforms_on_one_session_lose_nothing(opened, database):
    async with opened() as one, opened() as other:
        await Caller(one, ANN)("initialize_chat_session")
        callers = [Caller(one, ANN), Caller(other, ANN)]
        await asyncio.gather(*(writes(callers[n % 2], f"w{n}", 5) for n in range(20)))
        await check_gapless(other, database, 100)


async def test_duplicates_across_platforms_are_one(opened, database):
    async with opened() as one, opened() as other:
        callers = [Caller(one, ANN), Caller(other, ANN)]
        results = await asyncio.gather(*(callers[n % 2]("initialize_chat_session") for n in range(20)))
        assert len({result.execution_id for result in results}) == 1
        assert [result.idempotent_replay for result in results].count(False) == 1
        assert database("SELECT count(*) FROM artifacts") == [(1,)]


@pytest.mark.parametrize(
    ("intent", "params"), [("write_note", {"text": "x"}), ("get_chat_session", {})], ids=["write", "read"]
)
async def test_duplicates_by_a_clients_key_across_platforms_are_one(opened, database, intent, params):
    async with opened() as one, opened() as other:
        callers = [Caller(one, ANN), Caller(other, ANN)]
        for key in ("k1", "k2", "k3"):
            results = await asyncio.gather(*(callers[n % 2](intent, key, **params) for n in range(10)))
            assert len({result.execution_id for result in results}) == 1
            assert [result.idempotent_replay for result in results].count(False) == 1
        assert database("SELECT count(*) FROM executions") == [(3,)]


async def test_a_conflict_runs_the_service_again_on_fresh_reads(opened, scripted):
    runs = []
    async with opened() as one, opened() as other:
        note = (await Caller(one, ANN)("write_note", text="x")).events[0]["note_id"]

        async def overtaken(ctx, params):
            runs.append(params.text)
            if runs == ["slow"]:
                await Caller(other, ANN)("edit_note", note_id=note, text="fast")
            return await edit_note(ctx, params)

        scripted("edit_note", overtaken)
        result = await Caller(one, ANN)("edit_note", note_id=note, text="slow")
        assert runs == ["slow", "fast", "slow"]
        assert result.events == [{"type": "note_edited", "version": 3}]


async def test_a_version_that_was_only_read_must_still_stand_at_the_commit(opened, scripted):
    async with opened() as one, opened() as other:
        note = (await Caller(one, ANN)("write_note", text="old")).events[0]["note_id"]
        runs = []

        async def overtaken(ctx, params):
            runs.append(params.note_id)
            if len(runs) == 1:
                await Caller(other, ANN)("edit_note", note_id=note, text="new")
            return await copy_note(ctx, params)

        scripted("copy_note", overtaken)
        copy = await Caller(one, ANN)("copy_note", note_id=note)
        assert copy.artifacts["note"]["semantic_payload"] == {"text": "new"}
        assert len(runs) == 2


@pytest.fixture
def first_commit_fails(platform, monkeypatch):
    """Arms the store: its next commit waits until it is told to fail; what comes after is written."""
    commit = platform.store.commit
    held, fail = asyncio.Event(), asyncio.Event()

    async def failing(batch):
        if not held.is_set():
            held.set()
            await fail.wait()
            raise DatabaseUnavailable
        return await commit(batch)

    def arm():
        monkeypatch.setattr(platform.store, "commit", failing)
        return held, fail

    return arm


DEPENDENT = {
    "an unchanged update": ("update_chat_context", {"context_updates": {}}, "completed"),
    "an expected version": ("update_chat_context", {"context_updates": {"k": 2}, "expected_version": 1}, "completed"),
}


@pytest.mark.parametrize(("intent", "params", "status"), DEPENDENT.values(), ids=DEPENDENT)
async def test_an_answer_never_stands_on_a_write_that_failed(ann, first_commit_fails, intent, params, status):
    created = await ann("initialize_chat_session")
    held, fail = first_commit_fails()
    lost = asyncio.create_task(ann.code("update_chat_context", context_updates={"k": 1}))
    await held.wait()
    dependent = asyncio.create_task(ann(intent, **params))
    await asyncio.wait([dependent], timeout=0.02)
    assert not dependent.done()
    fail.set()
    assert await lost == "DATABASE_UNAVAILABLE"
    answer = await dependent
    assert answer.status == status
    payload = answer.artifacts["chat_session"]["semantic_payload"]
    assert payload["context"].get("k") != 1
    if not params["context_updates"]:
        assert (answer.execution_id, payload["version"]) == (created.execution_id, 1)


async def test_a_refusal_never_stands_on_a_write_that_failed(ann, first_commit_fails):
    note = (await ann("write_note", text="x")).events[0]["note_id"]
    held, fail = first_commit_fails()
    lost = asyncio.create_task(ann.code("close_note", note_id=note))
    await held.wait()
    editing = asyncio.create_task(ann("edit_note", note_id=note, text="y"))
    await asyncio.wait([editing], timeout=0.02)
    fail.set()
    assert await lost == "DATABASE_UNAVAILABLE"
    assert (await editing).events == [{"type": "note_edited", "version": 2}]


async def test_conflicts_without_end_are_a_version_conflict(opened, scripted, monkeypatch):
    monkeypatch.setattr(retry, "_LONGEST_PAUSE", 0.001)
    runs = []
    async with opened() as one, opened() as other:
        note = (await Caller(one, ANN)("write_note", text="x")).events[0]["note_id"]

        async def always_overtaken(ctx, params):
            if params.text == "slow":
                runs.append(params.text)
                await Caller(other, ANN)("edit_note", note_id=note, text=f"fast {len(runs)}")
            return await edit_note(ctx, params)

        scripted("edit_note", always_overtaken)
        failure = await Caller(one, ANN).failure("edit_note", note_id=note, text="slow")
        assert (failure.code, failure.retryable) == ("VERSION_CONFLICT", True)
        assert len(runs) == retry.MAX_ATTEMPTS
        assert (await Caller(one, ANN).status(failure.execution_id))["error_code"] == "VERSION_CONFLICT"


async def test_a_decision_on_a_write_that_failed_is_taken_again(platform, ann, database, monkeypatch):
    """Writers pipeline: each reads what the one before has handed over, which may yet fail."""
    note = (await ann("write_note", text="x")).events[0]["note_id"]
    commit, batches = platform.store.commit, []

    async def fail_the_first(batch):
        batches.append(len(batch))
        if len(batches) == 1:
            raise DatabaseUnavailable
        return await commit(batch)

    monkeypatch.setattr(platform.store, "commit", fail_the_first)
    edits = (ann("edit_note", note_id=note, text=f"{n}") for n in range(10))
    results = await asyncio.gather(*edits, return_exceptions=True)
    refused = [result for result in results if getattr(result, "code", None) == "DATABASE_UNAVAILABLE"]
    assert len(refused) == batches[0]
    assert database("SELECT version FROM artifacts") == [(1 + 10 - len(refused),)]


async def test_the_same_update_from_many_at_once_is_one(ann, database):
    note = (await ann("write_note", text="x")).events[0]["note_id"]
    results = await asyncio.gather(*(ann("edit_note", note_id=note, text="y") for _ in range(20)))
    assert len({result.execution_id for result in results}) == 1
    assert database("SELECT version FROM artifacts") == [(2,)]


async def test_nothing_is_kept_of_keys_and_queues_when_all_is_quiet(platform, ann):
    note = (await ann("write_note", "k", text="x")).events[0]["note_id"]
    calls = [ann("edit_note", f"k{n}", note_id=note, text=f"{n % 3}") for n in range(30)]
    await asyncio.gather(*calls, ann.code("edit_note", note_id="no uuid", text="x"))
    await platform.drain()
    parts = platform._parts
    assert not parts.claims._held
    assert not parts.queues._queues
    assert not parts.pending._by_artifact
    assert not parts.writer.waiting


async def test_what_a_service_does_to_a_version_in_flight_never_reaches_the_store(
    platform, ann, scripted, database, monkeypatch
):
    note = (await ann("write_note", text="0")).events[0]["note_id"]
    reached, released, commit = asyncio.Event(), asyncio.Event(), platform.store.commit

    async def held(batch):
        reached.set()
        await released.wait()
        return await commit(batch)

    monkeypatch.setattr(platform.store, "commit", held)
    first = asyncio.create_task(ann("edit_note", note_id=note, text="first"))
    await reached.wait()

    async def scribble(ctx, params):
        found = await ctx.state_surface.get_artifact(params.note_id)
        found.semantic_payload["text"] = "never decided"
        released.set()
        raise IntentError("NOTE_NOT_OPEN")

    scripted("edit_note", scribble)
    assert await ann.code("edit_note", note_id=note, text="second") == "NOTE_NOT_OPEN"
    assert (await first).artifacts["note"]["semantic_payload"] == {"text": "first"}
    assert database("SELECT semantic_payload FROM artifacts") == [('{"text":"first"}',)]


BASE = [{"id": f"m{n}", "content": "base"} for n in range(64)]
OVERTAKING = {
    "an append": ([{"id": "new", "content": "x"}], {"id": "new", "content": "x"}),
    "an append behind a known block": ([*BASE, {"id": "new", "content": "x"}], {"id": "new", "content": "x"}),
    "an edit": ([{"id": "m63", "content": "edited"}], {"id": "m63", "content": "edited"}),
}


@pytest.mark.parametrize(("mine", "theirs"), OVERTAKING.values(), ids=OVERTAKING)
async def test_what_another_process_has_just_said_is_in_the_answer(opened, monkeypatch, mine, theirs):
    async with opened() as one, opened() as two:
        here, there = Caller(one, ANN), Caller(two, ANN)
        await here("initialize_chat_session", initial_context={"conversation_history": BASE})
        load, overtaken = one.store.load, []

        async def after_the_other(reads):
            if not overtaken and any(isinstance(read, LogKeys | LogRange) for read in reads):
                overtaken.append(
                    await there("update_chat_context", context_updates={"conversation_history": [theirs], "by": "two"})
                )
            return await load(reads)

        monkeypatch.setattr(one.store, "load", after_the_other)
        answer = await here("update_chat_context", context_updates={"conversation_history": mine})
    assert overtaken[0].execution_id == answer.execution_id
    assert answer.artifacts["chat_session"]["semantic_payload"]["context"]["conversation_history"][-1] == theirs


async def test_a_service_that_has_changed_its_parameters_is_not_run_again(opened, monkeypatch, database):
    async with opened() as one, opened() as two:
        here, there = Caller(one, ANN), Caller(two, ANN)
        await here("initialize_chat_session")
        service = one._parts.routes.resolve("update_chat_context", None).service
        execute = service.execute

        async def careless(ctx, params):
            result = await execute(ctx, params)
            params.context_updates.pop("conversation_history")
            await there("update_chat_context", context_updates={"by": "two"})
            return result

        monkeypatch.setattr(service, "execute", careless)
        failure = await here.failure("update_chat_context", context_updates={"conversation_history": BASE, "by": "one"})
    assert (failure.code, "read-only" in failure.message) == ("CONTRACT_VIOLATION", True)
    assert database("SELECT version FROM artifacts") == [(2,)]
