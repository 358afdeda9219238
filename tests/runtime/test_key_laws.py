"""Keys are equal exactly when the values are: whatever the spelling, and however parts are cut."""

import unicodedata

import notebook_realm
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from runtime_callers import ANN, BOB, EVE, FakeClock

from symphainy_platform import Settings
from symphainy_platform.canonical import canonical_bytes
from symphainy_platform.errors import MalformedRequest
from symphainy_platform.plugins import load_plugins, load_realms
from symphainy_platform.runtime.execution import Execution, IntentRequest
from symphainy_platform.runtime.key import Keys
from symphainy_platform.runtime.validate import strict

TEXT = st.text(st.sampled_from('ab\u00e9\u1e69\u212b\uac00 "\\\n'), max_size=4)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
OBJECT = st.dictionaries(TEXT, JSON, max_size=4)


def respelled(value):
    """The same JSON value, written in another way."""
    if isinstance(value, str):
        return unicodedata.normalize("NFD", value)
    if isinstance(value, dict):
        return {respelled(name): respelled(item) for name, item in reversed(value.items())}
    if isinstance(value, list):
        return [respelled(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


@pytest.fixture(scope="module")
def guards(tmp_path_factory):
    """Both guards of a call, without any store."""
    loaded = load_realms(load_plugins([notebook_realm]), Settings(home=tmp_path_factory.mktemp("keys")))
    keys = Keys(b"s" * 32, 60)

    def guards_of(intent, params, identity=ANN, key="k"):
        request = IntentRequest(intent_type=intent, parameters=params, identity=identity, idempotency_key=key)
        now = FakeClock().now()
        execution = Execution(request=request, execution_id="e", trace_id="t", started_at=now, started_text="")
        execution.route, execution.identity = loaded.routes.resolve(intent, None), identity
        execution.params = execution.route.contract.validate(strict("parameters", params))
        return keys.client_guard(execution), keys.contract_guard(execution)

    return guards_of


def fingerprint(guards, value):
    try:
        return guards("write_note", {"text": "x", "extra": value})[0].fingerprint
    except MalformedRequest:  # two of its keys are one in NFC
        reject()


@settings(max_examples=200, deadline=None)
@given(value=OBJECT)
def test_a_value_has_one_fingerprint_in_every_spelling(guards, value):
    assert fingerprint(guards, respelled(value)) == fingerprint(guards, value)


@settings(max_examples=200, deadline=None)
@given(one=OBJECT, other=OBJECT)
def test_fingerprints_are_equal_exactly_when_the_canonical_forms_are(guards, one, other):
    same = fingerprint(guards, one) == fingerprint(guards, other)
    assert same == (canonical_bytes(one) == canonical_bytes(other))


@settings(max_examples=200, deadline=None)
@given(one=st.tuples(TEXT, TEXT), other=st.tuples(TEXT, TEXT))
def test_a_key_never_depends_on_where_its_parts_are_cut(guards, one, other):
    def both(pair):
        guard = guards("keep_note", {"name": pair[0], "text": pair[1]})[1]
        return guard.digest, guard.fingerprint

    def meant(pair):
        return [unicodedata.normalize("NFC", text) for text in pair]

    assert (both(one)[0] == both(other)[0]) == (meant(one)[0] == meant(other)[0])
    assert (both(one)[1] == both(other)[1]) == (meant(one) == meant(other))


def test_true_and_one_differ_and_one_in_both_number_types_does_not(guards):
    prints = [fingerprint(guards, {"n": value}) for value in (True, 1, 1.0, "1", [1], None)]
    assert prints[1] == prints[2]
    assert len(set(prints)) == 5


def test_an_absent_parameter_and_an_empty_one_differ(guards):
    without = guards("write_note", {"text": "x"})[0].fingerprint
    assert without != fingerprint(guards, {})


def test_keys_are_of_a_tenant_an_intent_and_a_user_where_the_contract_says_so(guards):
    params = {"name": "n", "text": "x"}
    digests = [guard.digest for who in (ANN, BOB, EVE) for guard in guards("keep_note", params, who)]
    assert len(set(digests)) == 6
    note = {"note_id": "00000000-0000-4000-8000-000000000000"}
    closing, editing = guards("close_note", note)[1], guards("edit_note", {**note, "text": "x"})[1]
    assert closing.digest != editing.digest
    assert guards("close_note", note, ANN)[1].digest == guards("close_note", note, BOB)[1].digest
