import pytest

from symphainy_platform.contract.expansion import BadForm, expanded, names_of_before

FORMS = {
    "long text": ({"a": {"$text": "ab", "times": 3}}, {"a": "ababab"}),
    "many items": ({"$list": {"id": "m{$n}", "n": 1}, "times": 2}, [{"id": "m1", "n": 1}, {"id": "m2", "n": 1}]),
    "no items": ({"$list": 1, "times": 0}, []),
    "one level": ({"$nested": 1}, {}),
    "three levels": ({"$nested": 3}, {"deeper": {"deeper": {}}}),
    "a saved value": ([{"$ref": "id"}], ["x"]),
    "of the owner": ({"tenant": {"$caller": "tenant_id"}}, {"tenant": "acme"}),
    "joined texts": ({"$joined": [{"$ref": "id"}, "=", {"$text": "a", "times": 2}]}, "x=aa"),
    "no form": ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}),
}


@pytest.mark.parametrize(("value", "result"), FORMS.values(), ids=FORMS)
def test_expanded(value, result):
    assert expanded(value, {"id": "x", "$tenant_id": "acme"}) == result


WRITTEN_WRONG = [
    {"$txt": "a"},
    {"$text": 1},
    {"$text": "a", "time": 2},
    {"$list": 1, "times": -1},
    {"$nested": 0},
    {"$caller": "roles"},
    {"$joined": "a"},
    {"$joined": [1]},
]
BAD = [*WRITTEN_WRONG, {"$ref": "y"}]


@pytest.mark.parametrize("value", BAD)
def test_bad_forms(value):
    with pytest.raises(BadForm):
        expanded(value, {"id": "x"})


@pytest.mark.parametrize("value", WRITTEN_WRONG)
def test_bad_forms_are_found_before_anything_is_played(value):
    with pytest.raises(BadForm):
        expanded(value, limit=0)


def test_what_comes_from_before_needs_nothing_saved_to_be_checked():
    value = [{"$ref": "y"}, {"$caller": "user_id"}, {"$joined": [{"$ref": "y"}, "="]}]
    assert expanded(value, limit=0) == ["", "", "="]
    assert list(names_of_before({"a": value, "b": {"$ref": "z"}})) == ["y", "y", "z"]
