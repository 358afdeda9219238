import pytest

from symphainy_platform.errors import IntentError, InvalidParameterValue

UUID = "0b6e9d1c-5f0a-4a3e-9c1d-2f7f3a1b8e55"
TYPE, VALUE = "INVALID_PARAMETER_TYPE", "INVALID_PARAMETER_VALUE"
MISSING, UNKNOWN, LARGE = "MISSING_PARAMETER", "UNKNOWN_PARAMETER", "PAYLOAD_TOO_LARGE"
FULL = "NOTE_FULL"


def nested(levels):
    value = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


# shape, accepted values, refused values with their codes
SHAPES = {
    "string": ("{type: string}", ["", "x", "é"], [(1, TYPE), (True, TYPE), (None, TYPE), (["x"], TYPE), ({}, TYPE)]),
    "length": ("{type: string, min_length: 2, max_length: 3}", ["ab", "éèà"], [("a", VALUE), ("abcd", VALUE)]),
    "pattern": ("{type: string, pattern: '^(a|b)$'}", ["a", "b"], [("ab", VALUE), ("a\n", VALUE), ("", VALUE)]),
    "enum": ("{type: string, enum: [a, b]}", ["a"], [("A", VALUE), ("", VALUE), (1, TYPE)]),
    "text bytes": ("{type: string, max_bytes: 5}", ["abc", "é"], [("abcd", LARGE), ("éé", LARGE)]),
    "uuid": (
        "{type: uuid}",
        [UUID],
        [
            (UUID.upper(), VALUE),
            (UUID.replace("-", ""), VALUE),
            (f"{{{UUID}}}", VALUE),
            (UUID + "\n", VALUE),
            (7, TYPE),
        ],
    ),
    "email": (
        "{type: email}",
        ["a@b.example", "é@ü.example"],
        [
            ("a@b", VALUE),
            ("a b@c.example", VALUE),
            ("@c.example", VALUE),
            ("a@.example", VALUE),
            (f"a@{'b' * 260}.c", VALUE),
        ],
    ),
    "integer": (
        "{type: integer, min: 1, max: 3}",
        [1, 3],
        [(0, VALUE), (4, VALUE), (1.0, TYPE), (True, TYPE), ("1", TYPE), (None, TYPE)],
    ),
    "integer enum": ("{type: integer, enum: [1, 3]}", [1], [(2, VALUE), (True, TYPE)]),
    "number": (
        "{type: number, min: 0, max: 1.5}",
        [0, 1, 1.5],
        [(-0.1, VALUE), (2, VALUE), (float("nan"), VALUE), (float("inf"), VALUE), (True, TYPE), ("1", TYPE)],
    ),
    "boolean": ("{type: boolean}", [True, False], [(1, TYPE), (0, TYPE), ("true", TYPE), (None, TYPE)]),
    "datetime": (
        "{type: datetime}",
        ["2026-01-27T12:00:00Z", "2026-01-27T12:00:00.123456Z"],
        [
            ("2026-01-27T12:00:00", VALUE),
            ("2026-01-27T12:00:00+01:00", VALUE),
            ("2026-02-30T12:00:00Z", VALUE),
            ("2026-01-27", VALUE),
            ("2026-01-27T25:00:00Z", VALUE),
            (1769515200, TYPE),
        ],
    ),
    "date": (
        "{type: date}",
        ["2026-01-27"],
        [("2026-1-27", VALUE), ("2026-02-30", VALUE), ("20260127", VALUE), (1, TYPE)],
    ),
    "object": ("{type: object}", [{}, {"a": [None]}], [([], TYPE), ("{}", TYPE), (None, TYPE)]),
    "object bytes": ("{type: object, max_bytes: 9, too_large: NOTE_FULL}", [{"a": "b"}], [({"a": "bc"}, FULL)]),
    "object depth": (
        "{type: object, max_depth: 3, too_deep: NOTE_FULL}",
        [nested(3)],
        [(nested(4), FULL), ({"a": [[[]]]}, FULL)],
    ),
    "depth without a code": ("{type: object, max_depth: 3}", [nested(3)], [(nested(4), VALUE)]),
    "properties": (
        "{type: object, properties: {a: {type: integer, required: true}, b: {type: string}}}",
        [{"a": 1}, {"a": 1, "b": ""}],
        [({}, MISSING), ({"a": "1"}, TYPE), ({"a": 1, "c": 1}, UNKNOWN), ({"a": 1, "b": None}, TYPE)],
    ),
    "additional properties": (
        "{type: object, additional: true, properties: {a: {type: integer}}}",
        [{"b": 1}],
        [({"a": ""}, TYPE)],
    ),
    "array": ("{type: array}", [[], [1, None]], [({}, TYPE), ("", TYPE), (None, TYPE)]),
    "items": (
        "{type: array, items: {type: integer, min: 0}, min_items: 1, max_items: 2}",
        [[0], [1, 2]],
        [([], VALUE), ([1, 2, 3], VALUE), (["1"], TYPE), ([-1], VALUE), ([None], TYPE)],
    ),
    "nullable": ("{type: string, nullable: true, enum: [a]}", [None, "a"], [("b", VALUE), (1, TYPE)]),
}
ACCEPTED = [(shape, value) for shape, accepted, _ in SHAPES.values() for value in accepted]
REFUSED = [(shape, value, code) for shape, _, refused in SHAPES.values() for value, code in refused]
PARAM = "{type: string, required: true, max_length: 10}"
KEY = ("key: [user_id, text]", "key: [user_id]")


@pytest.mark.parametrize(("shape", "value"), ACCEPTED)
def test_accepted(compile_text, shape, value):
    params = compile_text((PARAM, shape), KEY).validate({"text": value})
    assert params.values.text == value


@pytest.mark.parametrize(("shape", "value", "code"), REFUSED)
def test_refused(compile_text, shape, value, code):
    contract = compile_text((PARAM, shape), KEY)
    with pytest.raises(IntentError) as raised:
        contract.validate({"text": value})
    assert raised.value.code == code
    assert raised.value.details["parameter"].split(".")[0] == "text"
    assert raised.value.details["expected"]


def test_missing(compile_text):
    with pytest.raises(IntentError) as raised:
        compile_text().validate({})
    assert (raised.value.code, raised.value.details["parameter"]) == (MISSING, "text")


def test_a_misspelled_name_is_told_before_the_missing_one(compile_text):
    with pytest.raises(IntentError) as raised:
        compile_text().validate({"txt": "a"})
    assert (raised.value.code, raised.value.details["hint"]) == (UNKNOWN, "did you mean `text`?")
    assert "Did you mean `text`?" in raised.value.message


def test_a_path_leads_to_the_nested_place(compile_text):
    shape = (
        "{type: object, properties: {lines: {type: array, items: {type: object, properties: {n: {type: integer}}}}}}"
    )
    with pytest.raises(IntentError) as raised:
        compile_text((PARAM, shape), KEY).validate({"text": {"lines": [{"n": 1}, {"n": "2"}]}})
    assert raised.value.details == {"parameter": "text.lines.1.n", "expected": "an integer"}


def test_the_value_is_not_quoted(compile_text):
    with pytest.raises(IntentError) as raised:
        compile_text((PARAM, "{type: string, secret: true, max_length: 3}"), KEY).validate({"text": "hunter2"})
    assert "hunter2" not in str(raised.value.to_dict())


def test_the_codes_of_limits_come_from_the_contract(compile_text):
    contract = compile_text((PARAM, "{type: object, max_bytes: 9, too_large: NOTE_FULL}"), KEY)
    with pytest.raises(IntentError) as raised:
        contract.validate({"text": {"a": "bcd"}})
    error = raised.value
    assert (error.code, error.http_status, error.message) == (FULL, 409, "The notebook is full.")
    assert error.details["expected"] == "at most 9 bytes"


def test_a_setting_overrides_a_limit(compile_text):
    shape = (PARAM, "{type: object, max_bytes: 9, max_bytes_setting: note_max_bytes}")
    assert compile_text(shape, KEY, settings={"note_max_bytes": 99}).validate({"text": {"a": "bcd"}})
    with pytest.raises(IntentError):
        compile_text(shape, KEY, settings={"note_max_bytes": 5}).validate({"text": {"a": "b"}})


def test_absent_values(compile_text):
    more = ["size: {type: integer}", "strategy: {type: string, default: merge}", "tags: {type: array, default: []}"]
    contract = compile_text((PARAM, "\n  ".join([PARAM, *more])))
    params = contract.validate({"text": "a"})
    assert (params.values.size, params.values.strategy, params.values.tags) == (None, "merge", [])
    assert params.given == {"text"}
    params.values.tags.append("changed")
    assert contract.validate({"text": "a"}).values.tags == []


def test_aliases_keep_working(compile_text):
    contract = compile_text((PARAM, "{type: string, required: true, aliases: [body]}"))
    params = contract.validate({"body": "a"})
    assert (params.values.text, params.given) == ("a", {"text"})
    with pytest.raises(InvalidParameterValue):
        contract.validate({"body": "a", "text": "b"})


def test_values_are_read_only(compile_text):
    values = compile_text().validate({"text": "a"}).values
    with pytest.raises(AttributeError):
        values.text = "b"
    with pytest.raises(AttributeError, match="no parameter `txt`"):
        _ = values.txt


def test_a_bound_default_is_no_given_value(compiled):
    params = compiled["update_chat_context"].validate({"context_updates": {}})
    bound = params.with_value("chat_session_id", UUID)
    assert (bound.values.chat_session_id, params.values.chat_session_id) == (UUID, None)
    assert bound.given == {"context_updates"}


def test_views_are_apart(compiled):
    params = compiled["get_chat_session"].validate({"history_limit": 0, "chat_session_id": UUID})
    assert params.view_options == {"history_limit": 0}


def test_representations_hold_no_values(compile_text):
    params = compile_text().validate({"text": "hunter2"})
    assert "hunter2" not in f"{params!r} {params.values!r}"
