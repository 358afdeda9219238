import hashlib
import hmac
import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symphainy_platform.canonical import (
    MAX_INTEGER,
    KeyedDigest,
    NotStrictJson,
    canonical_bytes,
    digest,
    parse_json,
    strict_copy,
)

VECTORS = json.loads((Path(__file__).parent / "canonical_vectors.json").read_text(encoding="utf-8"))
INTEGERS = st.integers(-MAX_INTEGER, MAX_INTEGER)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
# Keys without combining marks never collide after NFC.
KEYS = st.text("abcé_", max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | FLOATS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["about"])
def test_vector(vector):
    assert canonical_bytes(json.loads(vector["value"])).decode() == vector["canonical"]


def test_digests_are_of_the_canonical_form():
    canonical = b'{"a":1}'
    assert digest({"a": 1.0}) == hashlib.sha256(canonical).digest()
    assert KeyedDigest(b"key")({"a": 1.0}) == hmac.new(b"key", canonical, "sha256").digest()


@given(VALUES)
def test_equal_after_a_round_trip(value):
    canonical = canonical_bytes(value)
    assert canonical_bytes(json.loads(canonical)) == canonical


@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_order_of_keys_does_not_matter(value):
    backwards = dict(reversed(list(value.items())))
    assert canonical_bytes(backwards) == canonical_bytes(value)


@given(INTEGERS)
def test_an_integer_is_the_same_as_its_float(number):
    assert canonical_bytes([float(number)]) == canonical_bytes([number])


@given(VALUES)
def test_inputs_are_not_changed(value):
    before = json.dumps(value)
    canonical_bytes(value)
    assert json.dumps(value) == before


NOT_CANONICAL = {
    "nan": math.nan,
    "nested infinity": {"a": [None, math.inf]},
    "keys that collide": {"é": 1, "e\u0301": 2},
    "a large integer": MAX_INTEGER + 1,
    "a lone surrogate": "\ud800",
    "a key that is no string": {1: 2},
    "a set": {1},
}


@pytest.mark.parametrize("value", NOT_CANONICAL.values(), ids=NOT_CANONICAL)
def test_no_canonical_form(value):
    with pytest.raises(ValueError, match=r"."):
        canonical_bytes(value)


NOT_STRICT = {
    "empty": b"",
    "byte order mark": b"\xef\xbb\xbf{}",
    "not UTF-8": b'"\xff"',
    "UTF-8 of a surrogate": b'"\xed\xa0\x80"',
    "duplicate key": b'{"a":1,"a":1}',
    "duplicate key by escape": b'{"a":1,"\\u0061":2}',
    "keys that are the same in NFC": '{"é":1,"e\u0301":2}'.encode(),
    "keys that are the same in NFC, by escape": b'{"\\u00e9":1,"e\\u0301":2}',
    "NaN": b"[NaN]",
    "Infinity": b"[-Infinity]",
    "a number that becomes infinite": b"[1e400]",
    "a large integer": b"[9007199254740992]",
    "a small integer": b"[-9007199254740992]",
    "65 levels": b"[" * 65 + b"]" * 65,
    "65 levels of objects": b'{"a":' * 64 + b"{}" + b"}" * 64,
    "very deep": b"[" * 100_000,
    "NUL": b'["\\u0000"]',
    "NUL in a key": b'{"a\\u0000":1}',
    "a raw NUL": b'["\0"]',
    "a lone high surrogate": b'"\\ud800"',
    "a lone low surrogate": b'"\\udc00"',
    "__proto__": b'{"a":[{"__proto__":1}]}',
    "__proto__ by escape": b'{"\\u005f_proto__":1}',
    "trailing comma": b"[1,]",
    "trailing words": b"{} x",
    "single quotes": b"{'a':1}",
    "a leading zero": b"01",
}


@pytest.mark.parametrize("body", NOT_STRICT.values(), ids=NOT_STRICT)
def test_not_strict_json(body):
    with pytest.raises(NotStrictJson) as raised:
        parse_json(body)
    assert raised.value.reason


STRICT = {
    "64 levels": (b"[" * 64 + b"]" * 64, None),
    "the largest integer": (b"9007199254740991", MAX_INTEGER),
    "a large float": (b"9007199254740993.0", 9007199254740992.0),
    "a pair of surrogates": (b'"\\ud83d\\ude00"', "😀"),
    "constructor is a key like others": (b'{"constructor":1}', {"constructor": 1}),
    "white space": (b" \n{ }\t", {}),
    "other keys in NFD": ('{"e\u0301":1}'.encode(), {"e\u0301": 1}),
}


@pytest.mark.parametrize(("body", "value"), STRICT.values(), ids=STRICT)
def test_strict_json(body, value):
    parsed = parse_json(body)
    assert value is None or parsed == value


def test_the_reason_does_not_quote_the_data():
    with pytest.raises(NotStrictJson) as raised:
        parse_json(b'{"my secret":1,"my secret":2}')
    assert "secret" not in raised.value.reason


@given(VALUES)
def test_a_strict_copy_is_what_parsing_gives(value):
    assert strict_copy(value) == parse_json(json.dumps(value).encode())


def test_a_copy_is_deep():
    value = {"a": [{"b": 1}]}
    copy = strict_copy(value)
    copy["a"][0]["b"] = 2
    assert value == {"a": [{"b": 1}]}


def test_tuples_become_lists():
    assert strict_copy((1, ("a",))) == [1, ["a"]]


def cycle():
    value = {}
    value["again"] = [value]
    return value


NOT_COPIED = {
    "a cycle": cycle(),
    "nan": [math.nan],
    "infinity": -math.inf,
    "a large integer": [MAX_INTEGER + 1],
    "NUL": {"a": "\0"},
    "NUL in a key": {"\0": 1},
    "a lone surrogate": "a\udc00",
    "__proto__": {"__proto__": {}},
    "a key that is no string": {1: 1},
    "keys that are the same in NFC": {"é": 1, "e\u0301": 1},
    "a set": {1},
    "bytes": b"a",
    "65 levels": json.loads("[" * 65 + "]" * 65),
}


@pytest.mark.parametrize("value", NOT_COPIED.values(), ids=NOT_COPIED)
def test_not_copied(value):
    with pytest.raises(NotStrictJson):
        strict_copy(value)
