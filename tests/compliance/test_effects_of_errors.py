"""What a failure may have written: its declared effects, exactly, as the suite sees them in the tables."""

import json

import pytest
import vault_realm

from symphainy_platform.plugins import load_plugins, load_realms
from symphainy_platform.settings import Settings
from symphainy_platform.testing.error_effects import Failure
from symphainy_platform.testing.state import State

EXECUTION = "exec_2"
BOX = {
    "tenant_id": "acme",
    "artifact_id": "b1",
    "artifact_type": "box",
    "user_id": "usr_7",
    "version": 1,
    "lifecycle_state": "OPEN",
    "semantic_payload": "{}",
    "execution_id": "exec_1",
    "updated_at": "1",
}
SEALED = BOX | {"version": 2, "lifecycle_state": "SEALED", "execution_id": EXECUTION, "updated_at": "2"}
ROW = {
    "tenant_id": "acme",
    "chat_session_id": "b1",
    "lifecycle_state": "OPEN",
    "version": 1,
    "updated_at": "1",
    "colour": "red",
}
FOLLOWED = ROW | {"lifecycle_state": "SEALED", "version": 2, "updated_at": "2"}
EVENT = {
    "tenant_id": "acme",
    "user_id": "usr_7",
    "execution_id": EXECUTION,
    "type": "box_sealed",
    "payload": json.dumps({"box_id": "3d0c2a52-91f4-4d3b-8a06-2f6b1f0f8f11"}),
}
RECORD = {"execution_id": EXECUTION, "status": "failed", "error": json.dumps({"code": "KEY_REUSED"})}

BEFORE = {"artifacts": [BOX], "artifact_versions": [], "chat_sessions": [ROW], "outbox": [], "executions": []}
AFTER = {
    "artifacts": [SEALED],
    "artifact_versions": [BOX],
    "chat_sessions": [FOLLOWED],
    "outbox": [EVENT],
    "executions": [RECORD],
}


@pytest.fixture(scope="module")
def loaded():
    return load_realms(load_plugins([vault_realm]), Settings())


@pytest.fixture
def faults(loaded):
    """The sentences about a failure of turn_key between two states of the tables."""

    def found(after, *, before=BEFORE, code="KEY_REUSED"):
        failure = Failure(
            contract=loaded.routes.resolve("turn_key", None).contract,
            catalog=loaded.catalog,
            code=code,
            execution_id=EXECUTION,
            before=State.of(before),
            after=State.of(after),
        )
        return "\n".join(failure.faults())

    return found


def test_exactly_the_declared_effects_are_right(faults):
    assert faults(AFTER) == ""


def test_a_failure_without_effects_may_leave_its_record_alone(faults):
    assert faults(BEFORE | {"executions": [RECORD]}, code="BAD_KEY") == ""
    assert "yet something was written" in faults(AFTER, code="BAD_KEY")


def test_effects_that_are_behind_us_need_not_come_again(faults):
    sealed = AFTER | {"executions": []}
    assert faults(sealed, before=sealed) == ""
    assert "declared is one artifact that goes to SEALED" in faults(BEFORE)


WRONG = {
    "the artifact stays": ({"artifacts": [BOX]}, "declared is one artifact"),
    "the state of another failure": (
        {"artifacts": [SEALED | {"lifecycle_state": "LOST"}]},
        "is LOST, declared is SEALED",
    ),
    "another payload": ({"artifacts": [SEALED | {"semantic_payload": '{"a":1}'}]}, "semantic_payload changed"),
    "another owner": ({"artifacts": [SEALED | {"user_id": "bob"}]}, "user_id changed"),
    "two versions further": ({"artifacts": [SEALED | {"version": 3}]}, "not the next version"),
    "the version before is gone": ({"artifact_versions": []}, "not the next version"),
    "another producer": ({"artifacts": [SEALED | {"execution_id": "exec_1"}]}, "another execution as its producer"),
    "another artifact, too": ({"artifacts": [SEALED, SEALED | {"artifact_id": "b2"}]}, "declared is one artifact"),
    "an entry of a log": ({"artifact_log": [{"seq": 1}]}, "a log of an artifact changed"),
    "the row stays": ({"chat_sessions": [ROW]}, "does not follow it"),
    "the row says another state": (
        {"chat_sessions": [FOLLOWED | {"lifecycle_state": "OPEN"}]},
        "chat_sessions.lifecycle_state is OPEN, the artifact's is SEALED",
    ),
    "an undeclared column": ({"chat_sessions": [FOLLOWED | {"colour": "blue"}]}, "does not declare to write"),
    "a row of another artifact": ({"chat_sessions": [FOLLOWED, ROW | {"chat_session_id": "b2"}]}, "does not follow it"),
    "another table": ({"ledgers": [{"a": 1}]}, "the table ledgers changed"),
    "no event": ({"outbox": []}, "box_sealed is in the outbox 0 times"),
    "the event twice": ({"outbox": [EVENT | {"id": 1}, EVENT | {"id": 2}]}, "box_sealed is in the outbox 2 times"),
    "another event": ({"outbox": [EVENT, EVENT | {"type": "box_lost"}]}, "the event box_lost is not declared"),
    "an event without what it says": ({"outbox": [EVENT | {"payload": "{}"}]}, "`box_id` is missing"),
    "an event of another execution": ({"outbox": [EVENT | {"execution_id": "exec_1"}]}, "names another execution"),
    "an event for somebody else": ({"outbox": [EVENT | {"user_id": "bob"}]}, "not published to the owner"),
    "no record": ({"executions": []}, "the record of the failed execution is not there"),
    "a record of a success": ({"executions": [RECORD | {"status": "completed"}]}, "the record of the failed execution"),
    "a record of another code": ({"executions": [RECORD | {"error": '{"code": "X"}'}]}, "the record of the failed"),
}


@pytest.mark.parametrize(("changed", "sentence"), WRONG.values(), ids=WRONG)
def test_anything_else_is_told(faults, changed, sentence):
    assert sentence in faults(AFTER | changed)


def test_an_artifact_in_a_state_that_the_failure_does_not_start_from(faults):
    lost = BOX | {"lifecycle_state": "LOST"}
    found = faults(AFTER | {"artifact_versions": [lost]}, before=BEFORE | {"artifacts": [lost]})
    assert "the artifact was LOST, declared is OPEN" in found
