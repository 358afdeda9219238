import pytest

from symphainy_platform.canonical import ALGORITHM, canonical_bytes
from symphainy_platform.contract.lifecycle import DEFAULT_LIFECYCLE
from symphainy_platform.errors import ContractViolation, IntentError, Kind

UUID = "0b6e9d1c-5f0a-4a3e-9c1d-2f7f3a1b8e55"
NOW = "2026-01-27T12:00:00.000000Z"
STORED = {
    "chat_session_id": UUID,
    "active_agent": "guide",
    "context": {},
    "has_history": False,
    "created_at": NOW,
    "updated_at": NOW,
}


@pytest.fixture
def update(compiled):
    return compiled["update_chat_context"]


def test_the_key_is_the_contract_s_formula(update):
    params = update.validate({"context_updates": {"a": 1}, "active_agent": "guide"}).with_value("chat_session_id", UUID)
    parts = update.key_parts("t1", "u1", params, {"context_hash": "h"})
    assert parts == [ALGORITHM, "t1", "update_chat_context", 1, UUID, "h", "guide", None]


def test_components_keep_their_places(compile_text):
    contract = compile_text(
        ("key: [user_id, text]", "key: [user_id, text, other]"), ("  text:", "  other: {type: string}\n  text:")
    )
    one = contract.key_parts("t", "u", contract.validate({"text": "ab", "other": "c"}), {})
    two = contract.key_parts("t", "u", contract.validate({"text": "a", "other": "bc"}), {})
    assert canonical_bytes(one) != canonical_bytes(two)


def test_an_intent_without_a_key(compiled):
    contract = compiled["get_chat_session"]
    assert contract.idempotency is None
    with pytest.raises(LookupError):
        contract.key_parts("t", "u", contract.validate({}), {})


def test_windows_in_seconds(compiled, update):
    initialize = compiled["initialize_chat_session"].idempotency
    assert (initialize.window_seconds, initialize.until_next_write) == (60, False)
    assert (update.idempotency.lifetime_seconds, update.idempotency.until_next_write) == (86_400, True)
    assert update.rejects_mismatch
    assert not compiled["initialize_chat_session"].rejects_mismatch


def test_a_fingerprint_leaves_out_views_and_what_is_covered(update):
    params = update.validate({"context_updates": {"a": 1}, "history_limit": 5}).with_value("chat_session_id", UUID)
    assert update.fingerprint_value(params, {"context_hash": "h"}) == {
        "params": {"active_agent": None, "chat_session_id": UUID, "expected_version": None},
        "derived": {"context_hash": "h"},
    }


def test_a_fingerprint_leaves_out_secrets(compile_text):
    contract = compile_text(("  text:", "  password: {type: string, secret: true}\n  text:"))
    params = contract.validate({"text": "a", "password": "hunter2"})
    assert contract.secret_params == {"password"}
    assert "hunter2" not in str([contract.fingerprint_value(params, {}), contract.sent_fingerprint_value(params)])


def test_a_client_s_fingerprint_is_of_what_was_sent(update):
    params = update.validate({"context_updates": {"a": 1}, "history_limit": 5}).with_value("chat_session_id", UUID)
    assert update.sent_fingerprint_value(params) == {"context_updates": {"a": 1}}


def test_effects_of_an_update(update):
    assert update.log_writes == {("chat_session", "conversation_history"), ("chat_session", "history_digests")}
    assert "context" in update.table_writes["chat_sessions"]
    assert update.updated_types == update.required_types == {"chat_session"}
    assert not update.must_write
    assert update.has_writes
    write = update.artifact_write("chat_session", "update")
    assert write.allows("ACTIVE", "ACTIVE")
    assert not write.allows("EXPIRED", "ACTIVE")
    assert update.artifact_write("chat_session", "create") is None


def test_an_update_may_lead_to_several_states(compile_text):
    payload = "payload: {text: {type: string, required: true}}}"
    update = "    - {artifact: note, operation: update, lifecycle: {from: %s, to: %s}, " + payload + "\n"
    writes = update % ("[PENDING]", "READY") + update % ("[PENDING]", "FAILED")
    write = compile_text(("  events:", writes + "  events:")).artifact_write("note", "update")
    assert [write.allows("PENDING", to) for to in ("READY", "FAILED", "PENDING")] == [True, True, False]
    assert not write.allows("READY", "FAILED")


def test_effects_of_a_creation_and_of_a_read(compiled):
    assert compiled["initialize_chat_session"].must_write
    read = compiled["get_chat_session"]
    assert (read.has_writes, read.must_write, read.required_events) == (False, False, frozenset())
    assert all(event.answer_only for event in read.events.values())


def test_reads_and_their_defaults(update):
    (read,) = update.reads
    assert (read.id, read.must_be, read.absent) == ("chat_session_id", ("ACTIVE",), "SESSION_NOT_FOUND")
    source = update.default_sources["chat_session_id"]
    assert (source.artifact_type, source.states) == ("chat_session", ("ACTIVE",))


PAYLOADS = {
    "a missing field": ({key: value for key, value in STORED.items() if key != "context"}, "context"),
    "an undeclared field": ({**STORED, "secret": 1}, "secret"),
    "a wrong type": ({**STORED, "context": []}, "context"),
    "a value outside the pattern": ({**STORED, "active_agent": "Guide"}, "active_agent"),
    "a time without Z": ({**STORED, "updated_at": "2026-01-27 12:00"}, "updated_at"),
}


@pytest.mark.parametrize(("payload", "field"), PAYLOADS.values(), ids=PAYLOADS)
def test_a_payload_outside_the_contract(update, payload, field):
    with pytest.raises(ContractViolation) as raised:
        update.check_payload("chat_session", "update", payload)
    assert raised.value.details["field"] == field


def test_a_payload_of_the_contract(update):
    update.check_payload("chat_session", "update", STORED)
    with pytest.raises(ContractViolation, match="does not declare to create"):
        update.check_payload("chat_session", "create", STORED)


def test_events_are_checked(update):
    event = update.events["chat_context_updated"]
    event.check({"type": "chat_context_updated", "chat_session_id": UUID, "version": 2, "active_agent": "guide"})
    event.check({"chat_session_id": UUID, "version": 2, "active_agent": "guide"})
    assert event.unless_unchanged
    with pytest.raises(ContractViolation, match="version"):
        event.check({"chat_session_id": UUID, "version": "2", "active_agent": "guide"})


def test_answers_are_checked(compiled):
    contract = compiled["get_chat_session"]
    contract.check_answer("chat_session", {"exists": False})
    with pytest.raises(ContractViolation, match="exists"):
        contract.check_answer("chat_session", {})
    with pytest.raises(ContractViolation, match="does not declare to answer"):
        contract.check_answer("session", {})


def test_an_error_is_completed_from_the_contract(update):
    error = IntentError("SESSION_NOT_FOUND")
    assert update.complete(error)
    assert (error.kind, error.message) == (Kind.NOT_FOUND, "There is no such active chat session.")


def test_an_error_of_the_runtime_is_completed_too(update):
    error = IntentError("INVALID_PARAMETER_TYPE", details={"parameter": "x"})
    assert update.complete(error)
    assert (error.kind, error.details) == (Kind.INVALID, {"parameter": "x"})


def test_an_undeclared_error_is_none_of_the_contract(update):
    assert not update.complete(IntentError("SOMETHING_ELSE"))


def test_final_errors(compile_text):
    contract = compile_text(("{kind: conflict,", "{kind: conflict, final: true,"))
    assert contract.is_final("NOTE_FULL")
    assert not contract.is_final("HANDLER_ERROR")


def test_the_default_lifecycle():
    assert DEFAULT_LIFECYCLE.allows(None, "PENDING")
    assert DEFAULT_LIFECYCLE.allows("PENDING", "READY")
    assert DEFAULT_LIFECYCLE.allows("DELETED", "DELETED")
    assert not DEFAULT_LIFECYCLE.allows(None, "READY")
    assert not DEFAULT_LIFECYCLE.allows("DELETED", "PENDING")
    assert not DEFAULT_LIFECYCLE.allows("UNKNOWN", "UNKNOWN")


def test_progress_of_a_journey(catalog):
    journey = catalog.journeys["journey_coexistence_chat_session"].value
    assert not journey.progress(set()).complete
    progress = journey.progress({"get_chat_session"})
    assert progress.complete
    assert progress.steps == {"initialize_chat_session": False, "get_chat_session": True, "update_chat_context": False}
