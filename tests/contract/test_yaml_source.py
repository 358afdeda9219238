import pytest

from symphainy_platform.contract.findings import ContractInvalid
from symphainy_platform.contract.yaml_source import read_yaml

REFUSED = {
    "an empty file": ("", 1, "empty"),
    "only a comment": ("# nothing\n", 1, "empty"),
    "a duplicate key": ("a: 1\nb: 2\na: 3", 3, "first on line 1"),
    "a nested duplicate key": ("a:\n  b: 1\n  b: 2", 3, "twice"),
    "an anchor": ("a: &x 1", 1, "anchors"),
    "an alias": ("a: 1\nb: *x", 2, ""),
    "a tag": ("a: !!str 1", 1, "tag"),
    "a merge key": ("a: 1\n<<: {b: 1}", 2, "merge"),
    "two documents": ("a: 1\n---\nb: 2", 2, "second document"),
    "yes": ("a: 1\nb: yes", 2, "bool"),
    "a capital True": ("a: True", 1, "bool"),
    "a tilde": ("a: ~", 1, "null"),
    "an empty value": ("a:\nb: 1", 1, "empty"),
    "sexagesimal": ("a: 10:30", 1, "int"),
    "octal": ("a: 0123", 1, "int"),
    "hexadecimal": ("a: 0x1F", 1, "int"),
    "underscores": ("a: 1_000", 1, "int"),
    "a date": ("a: 2026-01-27", 1, "timestamp"),
    "infinity": ("a: .inf", 1, "float"),
    "a huge integer": ("a: 99999999999999999999", 1, "integer"),
    "an integer of thousands of digits": ("a: 1\nb: " + "7" * 5000, 2, "integer"),
    "a number beyond a double": ("a: 1\nb: -1e400", 2, "double"),
    "NUL in a string": ('a: 1\nb: "\\0"', 2, "NUL"),
    "a forbidden key": ("a: 1\nb: {__proto__: 1}", 2, "__proto__"),
    "an unclosed list": ("a: [1, 2", 2, "not YAML"),
    "a tab": ("a:\n\t- 1", 2, "not YAML"),
    "a key that is a list": ("? [a]\n: 1", 1, "key"),
    "very deep": ("[" * 100 + "]" * 100, 1, "deep"),
}


@pytest.mark.parametrize(("text", "line", "words"), REFUSED.values(), ids=REFUSED)
def test_refused_with_file_and_line(text, line, words):
    with pytest.raises(ContractInvalid) as raised:
        read_yaml(text, "x.yaml")
    (finding,) = raised.value.findings
    assert (finding.file, finding.line) == ("x.yaml", line)
    assert words in str(finding)


READ = {
    "scalars": (
        "a: 1\nb: -1.5e3\nc: null\nd: true\ne: text",
        {"a": 1, "b": -1500.0, "c": None, "d": True, "e": "text"},
    ),
    "quoted words are text": ("a: 'yes'\nb: \"10:30\"\nc: ''", {"a": "yes", "b": "10:30", "c": ""}),
    "versions and durations are text": ("a: 1.0.0\nb: 24h", {"a": "1.0.0", "b": "24h"}),
    "block text": ("a: |\n  one\n  two\n", {"a": "one\ntwo\n"}),
    "keys are always text": ("1: a\non: b", {"1": "a", "on": "b"}),
}


@pytest.mark.parametrize(("text", "value"), READ.values(), ids=READ)
def test_read_as_json(text, value):
    assert read_yaml(text, "x.yaml").data == value


def test_every_part_knows_its_place():
    source = read_yaml("a:\n  - b: 1\n    c: 2\n", "x.yaml")
    assert source.mark(("a", 0, "c")) == (3, 5)
    assert source.mark(("a", 0, "missing")) == (2, 5)
    assert source.finding(("a", 0, "c"), "wrong").field == "a[0].c"
