"""What callers may look at: executions, artifacts, versions, journeys; foreign is as good as absent."""

import asyncio

import pytest
from runtime_callers import ANN, BOB, EVE, ROBOT

from symphainy_platform import IntentError

JOURNEY = "journey_coexistence_chat_session"


async def code_of(answer):
    with pytest.raises(IntentError) as refused:
        await answer
    return refused.value.code


@pytest.fixture
async def written(ann):
    return await ann("write_note", text="first")


@pytest.fixture
def note(written):
    return written.events[0]["note_id"]


# ------------------------------------------------------------------------------------ status


async def test_the_status_is_the_answers_envelope(ann, written):
    assert await ann.status(written.execution_id) == written.to_dict()


async def test_the_status_is_shaped_as_the_answer_was(ann):
    await ann("initialize_chat_session")
    history = [{"role": "user", "content": str(n), "timestamp": str(n)} for n in range(5)]
    answer = await ann("update_chat_context", context_updates={"conversation_history": history}, history_limit=2)
    assert len(answer.artifacts["chat_session"]["semantic_payload"]["context"]["conversation_history"]) == 2
    assert await ann.status(answer.execution_id) == answer.to_dict()


async def test_the_status_of_a_replay_is_the_originals(ann):
    first = await ann("keep_note", name="n", text="x")
    again = await ann("keep_note", name="n", text="x")
    assert await ann.status(again.execution_id) == first.to_dict()


async def test_the_status_shows_the_version_that_the_execution_produced(ann, note):
    edited = await ann("edit_note", note_id=note, text="A")
    await ann("edit_note", note_id=note, text="B")
    assert await ann.status(edited.execution_id) == edited.to_dict()


@pytest.mark.parametrize(("who", "seen"), [(ANN, True), (ROBOT, True), (BOB, False), (EVE, False)])
async def test_whose_executions_are_seen(platform, written, who, seen):
    read = platform.read.execution(written.execution_id, identity=who)
    if seen:
        assert await read == written.to_dict()
    else:
        assert await code_of(read) == "NOT_FOUND"


@pytest.mark.parametrize("unknown", ["exec_x", "", "exec_" + "0" * 4000, "' OR 1=1 --"])
async def test_an_unknown_execution_is_not_found(platform, unknown):
    assert await code_of(platform.read.execution(unknown, identity=ANN)) == "NOT_FOUND"


async def test_foreign_and_unknown_look_the_same(platform, written):
    envelopes = []
    for execution_id in (written.execution_id, "exec_x"):
        with pytest.raises(IntentError) as refused:
            await platform.read.execution(execution_id, identity=BOB)
        envelopes.append(refused.value.to_dict())
    assert envelopes[0] == envelopes[1]


async def test_a_read_execution_is_visible_at_once(ann, note):
    for _ in range(20):
        read = await ann("read_note", note_id=note)
        assert await ann.status(read.execution_id) == read.to_dict()


async def test_a_failure_is_visible_at_once(ann):
    for _ in range(20):
        await ann("initialize_chat_session")
        failure = await ann.failure("update_chat_context", context_updates={"k": 1}, expected_version=9)
        assert await ann.status(failure.execution_id) == {**failure.to_dict(), "status": "failed"}


async def test_the_status_of_an_unknown_execution_does_not_wait_for_a_quiet_moment(platform, ann):
    busy = True

    async def write():
        while busy:
            await ann("write_note", text="x")

    writers = [asyncio.create_task(write()) for _ in range(8)]
    async with asyncio.timeout(2):
        for _ in range(10):
            assert await code_of(platform.read.execution("exec_x", identity=ANN)) == "NOT_FOUND"
    busy = False
    await asyncio.gather(*writers)


async def test_what_has_no_record_cannot_be_asked_for(ann, platform):
    failure = await ann.failure("write_note")
    assert await code_of(platform.read.execution(failure.execution_id, identity=ANN)) == "NOT_FOUND"


# ------------------------------------------------------------------------------------ artifacts


async def test_an_artifact_with_its_record(platform, written, note, clock):
    found = await platform.read.artifact(note, identity=ANN)
    at = clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert found == {
        "artifact_id": note,
        "artifact_type": "note",
        "tenant_id": "t1",
        "user_id": "ann",
        "version": 1,
        "lifecycle_state": "OPEN",
        "semantic_descriptor": {},
        "produced_by": {"intent": "write_note", "execution_id": written.execution_id},
        "parent_artifacts": [],
        "materializations": [],
        "created_at": at,
        "updated_at": at,
        "semantic_payload": {"text": "first"},
    }


@pytest.mark.parametrize("paging", [{"limit": 0}, {"limit": -1}, {"limit": 201}, {"before": 0}, {"before": 2**63}])
async def test_a_page_of_versions_that_cannot_be_is_refused(platform, note, paging):
    with pytest.raises(IntentError) as refusal:
        await platform.read.versions(note, identity=ANN, **paging)
    assert (refusal.value.code, refusal.value.details["parameter"]) == ("INVALID_PARAMETER_VALUE", *paging)


@pytest.mark.parametrize("version", [0, -1, 2**63])
async def test_a_version_that_cannot_be_is_not_found(platform, note, version):
    with pytest.raises(IntentError) as refusal:
        await platform.read.version(note, version, identity=ANN)
    assert refusal.value.code == "NOT_FOUND"


@pytest.mark.parametrize(("who", "seen"), [(ANN, True), (ROBOT, True), (BOB, False), (EVE, False)])
async def test_whose_artifacts_are_seen(platform, note, who, seen):
    read = platform.read
    listed = (await read.artifacts(identity=who))["artifacts"]
    assert [entry["artifact_id"] for entry in listed] == ([note] if seen else [])
    for question in (
        read.artifact(note, identity=who),
        read.versions(note, identity=who),
        read.version(note, 1, identity=who),
    ):
        if seen:
            assert await question
        else:
            assert await code_of(question) == "NOT_FOUND"


@pytest.mark.parametrize("version", [0, 2, -1, 2**40])
async def test_a_version_that_never_was_is_not_found(platform, note, version):
    assert await code_of(platform.read.version(note, version, identity=ANN)) == "NOT_FOUND"


async def test_listings_are_filtered_and_paged(platform, ann, clock):
    made = []
    for number in range(7):
        made.append((await ann("write_note", text=str(number))).events[0]["note_id"])
        clock.advance(seconds=1)
    await ann("close_note", note_id=made[0])
    await ann("initialize_chat_session")
    seen, cursor = [], None
    while True:
        page = await platform.read.artifacts(
            identity=ANN, artifact_type="note", lifecycle_state="OPEN", limit=4, cursor=cursor
        )
        seen += [entry["artifact_id"] for entry in page["artifacts"]]
        if (cursor := page["cursor"]) is None:
            break
    assert seen == made[:0:-1]


async def test_old_versions_stay_readable(platform, ann, note):
    for text in ("A", "B"):
        await ann("edit_note", note_id=note, text=text)
    payloads = [(await platform.read.version(note, n, identity=ANN))["semantic_payload"]["text"] for n in (1, 2, 3)]
    assert payloads == ["first", "A", "B"]
    versions = await platform.read.versions(note, identity=ANN)
    assert [entry["version"] for entry in versions["versions"]] == [3, 2, 1]
    assert versions["before"] is None


async def test_versions_are_paged(platform, ann, note):
    for number in range(5):
        await ann("edit_note", note_id=note, text=str(number))
    seen, before = [], None
    while True:
        page = await platform.read.versions(note, identity=ANN, before=before, limit=2)
        seen += [entry["version"] for entry in page["versions"]]
        if (before := page["before"]) is None:
            break
    assert seen == [6, 5, 4, 3, 2, 1]


async def test_the_old_wording_of_a_message_stays_readable(platform, ann):
    def history(content):
        return {"conversation_history": [{"id": "m", "role": "user", "content": content}]}

    first = await ann("initialize_chat_session", initial_context=history("old"))
    session = first.artifacts["chat_session"]["semantic_payload"]["chat_session_id"]
    await ann("update_chat_context", context_updates=history("new"))
    await ann("update_chat_context", context_updates={"x": 1}, merge_strategy="replace")
    contexts = [
        (await platform.read.version(session, n, identity=ANN))["semantic_payload"]["context"] for n in (1, 2, 3)
    ]
    wordings = [[item["content"] for item in context.get("conversation_history", ())] for context in contexts]
    assert wordings == [["old"], ["new"], []]
    assert contexts[2]["x"] == 1


# ------------------------------------------------------------------------------------ journeys


async def test_a_journey_is_complete_when_its_rule_holds(platform, ann):
    begun = await platform.read.journey(JOURNEY, identity=ANN)
    assert (begun["complete"], [step["completed"] for step in begun["steps"]]) == (False, [False] * 3)
    assert await ann.code("update_chat_context", context_updates={}) == "SESSION_NOT_FOUND"
    await ann("initialize_chat_session")
    done = await platform.read.journey(JOURNEY, identity=ANN)
    assert done["complete"]
    assert {step["intent"]: step["completed"] for step in done["steps"]} == {
        "initialize_chat_session": True,
        "get_chat_session": False,
        "update_chat_context": False,
    }


@pytest.mark.parametrize("who", [BOB, EVE, ROBOT])
async def test_a_journey_is_each_users_own(platform, ann, who):
    await ann("initialize_chat_session")
    assert not (await platform.read.journey(JOURNEY, identity=who))["complete"]


async def test_a_failed_step_is_not_completed(platform, ann):
    await ann("initialize_chat_session")
    await ann.code("update_chat_context", context_updates={}, expected_version=9)
    steps = (await platform.read.journey(JOURNEY, identity=ANN))["steps"]
    assert not next(step for step in steps if step["intent"] == "update_chat_context")["completed"]


async def test_an_unknown_journey_is_not_found(platform):
    assert await code_of(platform.read.journey("journey_to_the_moon", identity=ANN)) == "NOT_FOUND"


async def test_a_read_step_counts_at_once(platform, ann):
    await ann("get_chat_session")
    steps = (await platform.read.journey(JOURNEY, identity=ANN))["steps"]
    assert next(step for step in steps if step["intent"] == "get_chat_session")["completed"]
