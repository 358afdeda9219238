"""Every stage refuses with its own code, and a refusal leaves nothing behind."""

from types import MappingProxyType

import pytest
from notebook_realm.script import write_note
from runtime_callers import ANN, EVE, ROBOT, Caller

from symphainy_platform import Identity, IntentError

UNKNOWN = "00000000-0000-4000-8000-000000000000"

REFUSED_BEFORE_THE_CLAIM = {
    "unknown intent": ("no_such", {}, {}, "UNKNOWN_INTENT"),
    "unknown major": ("write_note", {"text": "x"}, {"contract_version": "2"}, "UNKNOWN_INTENT"),
    "no major": ("write_note", {"text": "x"}, {"contract_version": "newest"}, "UNKNOWN_INTENT"),
    "endless major": ("write_note", {"text": "x"}, {"contract_version": "9" * 5000}, "UNKNOWN_INTENT"),
    "digit of another script": ("write_note", {"text": "x"}, {"contract_version": "\u0661"}, "UNKNOWN_INTENT"),
    "intent type is null": (None, {}, {}, "MALFORMED_REQUEST"),
    "intent type is a list": ([], {}, {}, "MALFORMED_REQUEST"),
    "major is a number": ("write_note", {"text": "x"}, {"contract_version": 1}, "MALFORMED_REQUEST"),
    "key is a number": ("write_note", {"text": "x"}, {"idempotency_key": 5}, "INVALID_IDEMPOTENCY_KEY"),
    "nobody": ("write_note", {"text": "x"}, {"identity": None}, "UNAUTHENTICATED"),
    "not a service": ("audit_notes", {}, {}, "PERMISSION_DENIED"),
    "permission of no role": ("sign_note", {}, {}, "PERMISSION_DENIED"),
    "permission of an unlisted role": (
        "sign_note",
        {},
        {"identity": Identity("t1", "ann", ["boss"])},
        "PERMISSION_DENIED",
    ),
    "missing": ("write_note", {}, {}, "MISSING_PARAMETER"),
    "null": ("write_note", {"text": None}, {}, "INVALID_PARAMETER_TYPE"),
    "bool for string": ("write_note", {"text": True}, {}, "INVALID_PARAMETER_TYPE"),
    "number for string": ("write_note", {"text": 1}, {}, "INVALID_PARAMETER_TYPE"),
    "too long": ("write_note", {"text": "x" * 101}, {}, "INVALID_PARAMETER_VALUE"),
    "unknown parameter": ("write_note", {"text": "x", "txet": 1}, {}, "UNKNOWN_PARAMETER"),
    "tenant as parameter": ("write_note", {"text": "x", "tenant_id": "t2"}, {}, "UNKNOWN_PARAMETER"),
    "upper case uuid": ("read_note", {"note_id": UNKNOWN[:-1] + "A"}, {}, "INVALID_PARAMETER_VALUE"),
    "unknown id": ("read_note", {"note_id": UNKNOWN}, {}, "NOTE_NOT_FOUND"),
    "NUL": ("write_note", {"text": "a\0"}, {}, "MALFORMED_REQUEST"),
    "lone surrogate": ("write_note", {"text": "\ud800"}, {}, "MALFORMED_REQUEST"),
    "NaN": ("write_note", {"text": float("nan")}, {}, "MALFORMED_REQUEST"),
    "not a JSON value": ("write_note", {"text": object()}, {}, "MALFORMED_REQUEST"),
    "big integer": ("write_note", {"text": "x", "extra": {"n": 2**53}}, {}, "MALFORMED_REQUEST"),
    "__proto__": ("write_note", {"text": "x", "extra": {"__proto__": {}}}, {}, "MALFORMED_REQUEST"),
    "parameters are a list": ("write_note", [], {}, "MALFORMED_REQUEST"),
    "parameters are null": ("write_note", None, {}, "MALFORMED_REQUEST"),
    "parameters are no dict": ("write_note", MappingProxyType({"text": "x"}), {}, "MALFORMED_REQUEST"),
    "metadata is no JSON": ("write_note", {"text": "x"}, {"metadata": {"x": {1, 2}}}, "MALFORMED_REQUEST"),
    "metadata is too large": ("write_note", {"text": "x"}, {"metadata": {"x": "y" * 20_000}}, "MALFORMED_REQUEST"),
    "metadata keys collide in NFC": (
        "write_note",
        {"text": "x"},
        {"metadata": {"\u00e9": 1, "e\u0301": 2}},
        "MALFORMED_REQUEST",
    ),
    "empty key": ("write_note", {"text": "x"}, {"idempotency_key": ""}, "INVALID_IDEMPOTENCY_KEY"),
    "blank in key": ("write_note", {"text": "x"}, {"idempotency_key": "a b"}, "INVALID_IDEMPOTENCY_KEY"),
    "line end after key": ("write_note", {"text": "x"}, {"idempotency_key": "a\n"}, "INVALID_IDEMPOTENCY_KEY"),
    "long key": ("write_note", {"text": "x"}, {"idempotency_key": "k" * 256}, "INVALID_IDEMPOTENCY_KEY"),
}


@pytest.mark.parametrize("case", REFUSED_BEFORE_THE_CLAIM.values(), ids=REFUSED_BEFORE_THE_CLAIM)
async def test_a_refusal_before_the_claim_has_its_code_and_writes_nothing(platform, database, case):
    intent, params, options, code = case
    with pytest.raises(IntentError) as refused:
        await platform.submit_intent(intent, params, **{"identity": ANN, **options})
    assert refused.value.code == code
    assert refused.value.execution_id.startswith("exec_")
    assert database("SELECT count(*) FROM executions") == [(0,)]


@pytest.mark.parametrize("key", ["k", "k" * 255, "!~"])
async def test_a_visible_ascii_key_is_accepted(ann, key):
    assert not (await ann("write_note", key, text="x")).idempotent_replay


async def test_the_envelope_of_a_failure_is_complete(ann):
    failure = (await ann.failure("write_note")).to_dict()
    assert failure["details"]["parameter"] == "text"
    assert set(failure) == {
        "error",
        "error_code",
        "execution_id",
        "intent_type",
        "retryable",
        "details",
        "trace_id",
    }
    assert failure["intent_type"] == "write_note"


async def test_an_unknown_intent_names_the_nearest(ann):
    failure = await ann.failure("write_notes", text="x")
    assert failure.details["did_you_mean"] == "write_note"
    assert failure.kind.http_status == 404


async def test_unknown_comes_before_unauthenticated_and_that_before_parameters(platform):
    nobody = Caller(platform, None)
    assert await nobody.code("no_such") == "UNKNOWN_INTENT"
    assert await nobody.code("write_note") == "UNAUTHENTICATED"
    assert await Caller(platform, ANN).code("sign_note", bad=1) == "PERMISSION_DENIED"


async def test_roles_admit(platform):
    assert (await Caller(platform, ROBOT)("audit_notes")).status == "completed"
    assert (await Caller(platform, Identity("t1", "ann", ["signer"]))("sign_note")).status == "completed"


async def test_the_intent_of_a_major_that_exists_is_found(platform):
    for version in ("1", "1.0.0", "1.7"):
        result = await platform.submit_intent("write_note", {"text": "x"}, identity=ANN, contract_version=version)
        assert result.status == "completed"


async def test_foreign_and_unknown_artifacts_are_the_same(platform, ann, bob):
    note = (await ann("write_note", text="x")).events[0]["note_id"]
    foreign = await bob.failure("close_note", note_id=note)
    unknown = await bob.failure("close_note", note_id=UNKNOWN)
    assert foreign.code == unknown.code == "NOTE_NOT_FOUND"
    assert foreign.message == unknown.message
    assert foreign.details == unknown.details
    assert await Caller(platform, EVE).code("close_note", note_id=note) == "NOTE_NOT_FOUND"


async def test_a_wrong_state_has_the_declared_code(ann, clock):
    note = (await ann("write_note", text="x")).events[0]["note_id"]
    await ann("close_note", note_id=note)
    clock.advance(hours=2)
    failure = await ann.failure("close_note", note_id=note)
    assert (failure.code, failure.details["lifecycle_state"]) == ("NOTE_NOT_OPEN", "CLOSED")
    assert await ann.code("edit_note", note_id=note, text="y") == "NOTE_NOT_OPEN"


async def test_keys_that_are_one_in_unicode_have_a_code(ann):
    """Two spellings of one key have no canonical form, so there is no key to recognize a duplicate by."""
    twice = {"\u00e9": 1, "e\u0301": 2}
    assert await ann.code("write_note", "key", text="x", extra=twice) == "MALFORMED_REQUEST"
    assert await ann.code("initialize_chat_session", initial_context=twice) == "MALFORMED_REQUEST"
    await ann("initialize_chat_session")
    assert await ann.code("update_chat_context", context_updates=twice) == "MALFORMED_REQUEST"


async def test_what_the_caller_keeps_of_its_parameters_is_its_own(platform, scripted):
    seen = []

    async def keep(ctx, params):
        sent["extra"]["list"].append(2)
        seen.append(params.extra)
        return await write_note(ctx, params)

    scripted("write_note", keep)
    sent = {"text": "x", "extra": {"list": [1]}}
    await platform.submit_intent("write_note", sent, identity=ANN)
    assert seen == [{"list": [1]}]


NOBODY = {
    "no tenant": ("", "ann"),
    "no user": ("t1", ""),
    "null": (None, "ann"),
    "a number": ("t1", 7),
    "roles are one text": ("t1", "ann", "service"),
}


@pytest.mark.parametrize("parts", NOBODY.values(), ids=NOBODY)
def test_what_is_no_identity_cannot_be_made(parts):
    with pytest.raises(ValueError, match="Identity"):
        Identity(*parts)
