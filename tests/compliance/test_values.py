"""What the suite makes up from a shape is what it says it is, by the validators that it will be sent to."""

import orjson
import pytest

from symphainy_platform.contract.shape import Shape
from symphainy_platform.contract.validators import Fields, Mismatch
from symphainy_platform.testing import values

SHAPES = {
    "string": {"type": "string", "min_length": 2, "max_length": 5},
    "text": {"type": "string"},
    "large text": {"type": "string", "max_bytes": 40},
    "uuid": {"type": "uuid"},
    "email": {"type": "email"},
    "datetime": {"type": "datetime"},
    "date": {"type": "date"},
    "integer": {"type": "integer", "min": 1, "max": 9},
    "number": {"type": "number", "min": 0.5, "max": 2.5},
    "boolean": {"type": "boolean"},
    "enum": {"type": "string", "enum": ["a", "b"]},
    "number enum": {"type": "integer", "enum": [1, 2]},
    "object": {"type": "object", "max_bytes": 64, "max_depth": 3},
    "declared object": {"type": "object", "properties": {"a": {"type": "integer", "required": True}}},
    "array": {"type": "array", "items": {"type": "string"}, "min_items": 1, "max_items": 2},
    "deep array": {"type": "array", "max_depth": 2, "max_bytes": 50},
}
WRONG = {
    "type": values.of_other_types,
    "enum": values.outside_enum,
    "range": values.outside_range,
    "length": values.outside_length,
    "format": values.misformed,
    "items": lambda shape: values.outside_items(shape, {}, None),
}


def fits(shape, value):
    try:
        Fields({"it": shape}, {}).check({"it": value})
    except Mismatch:
        return False
    return True


@pytest.fixture(params=SHAPES.values(), ids=SHAPES)
def shape(request):
    return Shape.model_validate(request.param)


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_values_are_wrong(shape, kind):
    assert [value for value in WRONG[kind](shape) if fits(shape, value)] == []


def test_plain_values_and_values_at_limits_fit(shape):
    made = [values.plain(shape), *(value for _, value in values.at_limits(shape, {}))]
    assert [value for value in made if not fits(shape, value)] == []


def test_beyond_the_limits_nothing_fits(shape):
    if shape.max_bytes:
        assert len(orjson.dumps(values.too_large(shape, {}))) == shape.max_bytes + 1
        assert not fits(shape, values.too_large(shape, {}))
    if shape.max_depth:
        assert not fits(shape, values.nested(shape, shape.max_depth + 1))


def test_other_values_differ_and_some_fit(shape):
    value = values.plain(shape)
    found = [other for other in values.others(shape, value, 1) if fits(shape, other)]
    assert value not in found
    assert found or shape.type in {"uuid", "email", "datetime", "date", "array"} or shape.properties


@pytest.mark.parametrize(
    ("pattern", "fitting"), [("^(guide|liaison_[a-z_]+)$", "guide"), ("^[0-9]{3}$", "123"), ("a", "a")]
)
def test_texts_outside_a_pattern_do_not_match(pattern, fitting):
    shape = Shape.model_validate({"type": "string", "pattern": pattern})
    made = values.outside_pattern(shape, fitting)
    assert made
    assert [text for text in made if fits(shape, text)] == []
