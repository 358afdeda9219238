import pytest

from symphainy_platform.testing.matching import at_path, differences, is_there

ANSWER = {"session": {"context": {"a": 1, "items": [{"id": "x", "text": "hi"}, {"id": "y"}]}, "ready": True}}

MATCHES = [
    {},
    {"session": {"ready": True}},
    {"session": {"context": {"a": 1.0}}},
    {"session": {"context": {"items": [{"id": "x"}, {}]}}},
]
DIFFERS = {
    "session.ready is True, expected 1": {"session": {"ready": 1}},
    "session.context.a is 1, expected True": {"session": {"context": {"a": True}}},
    "session.context.b is missing": {"session": {"context": {"b": None}}},
    "session.context.items has 2 items, expected 1": {"session": {"context": {"items": [{}]}}},
    "session.context.items[1].id is 'y', expected 'z'": {"session": {"context": {"items": [{}, {"id": "z"}]}}},
}


@pytest.mark.parametrize("expected", MATCHES)
def test_what_is_given_matches(expected):
    assert list(differences(expected, ANSWER)) == []


@pytest.mark.parametrize(("sentence", "expected"), DIFFERS.items())
def test_a_difference_is_a_sentence(sentence, expected):
    assert list(differences(expected, ANSWER)) == [sentence]


def test_parts_by_dotted_path():
    assert at_path(ANSWER, "session.context.items.1.id") == "y"
    assert is_there(ANSWER, "session.ready")
    assert not is_there(ANSWER, "session.context.items.2")
    assert not is_there(ANSWER, "session.ready.more")
