import pytest

from symphainy_platform.contract.expansion import BadForm, expanded

FORMS = {
    "long text": ({"a": {"$text": "ab", "times": 3}}, {"a": "ababab"}),
    "many items": ({"$list": {"id": "m{$n}", "n": 1}, "times": 2}, [{"id": "m1", "n": 1}, {"id": "m2", "n": 1}]),
    "no items": ({"$list": 1, "times": 0}, []),
    "one level": ({"$nested": 1}, {}),
    "three levels": ({"$nested": 3}, {"deeper": {"deeper": {}}}),
    "a saved value": ([{"$ref": "id"}], ["x"]),
    "no form": ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}),
}


@pytest.mark.parametrize(("value", "result"), FORMS.values(), ids=FORMS)
def test_expanded(value, result):
    assert expanded(value, {"id": "x"}) == result


BAD = [{"$txt": "a"}, {"$text": 1}, {"$text": "a", "time": 2}, {"$list": 1, "times": -1}, {"$nested": 0}, {"$ref": "y"}]


@pytest.mark.parametrize("value", BAD)
def test_bad_forms(value):
    with pytest.raises(BadForm):
        expanded(value, {"id": "x"})
