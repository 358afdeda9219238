"""Forms in examples for values that nobody wants to write out: large, deep, or from a step before.

- `{$text: x, times: 5000000}`: a long string
- `{$list: {…}, times: 300}`: the same item many times; `{$n}` in its strings counts from 1
- `{$nested: 33}`: objects nested 33 levels deep
- `{$joined: [{$ref: token}, "="]}`: texts put together
- `{$ref: name}`: a value that a step before, or the setup, has saved
- `{$caller: tenant_id}`: tenant_id, user_id or session_ref of the owner
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

_COUNTER = "{$n}"

OWNER = "$"
"""What the facts of the owner begin with, among the saved values: `$tenant_id`."""

_OF_THE_OWNER = ("tenant_id", "user_id", "session_ref")


class BadForm(ValueError):
    """A form is not written as the list above says."""


def expanded(value: Any, saved: Mapping[str, Any] | None = None, *, limit: int | None = None) -> Any:
    """Return `value` with every form replaced; `limit` 0 checks the forms without building them.

    Raises BadForm, also for a `$ref` to a name that `saved` does not have (unless only checking).
    """
    if isinstance(value, list):
        return [expanded(item, saved, limit=limit) for item in value]
    if not isinstance(value, dict):
        return value
    forms = [name for name in value if name.startswith("$")]
    if not forms:
        return {name: expanded(item, saved, limit=limit) for name, item in value.items()}
    return _form(forms[0], value, {} if saved is None else saved, checking=limit == 0)


def _form(name: str, value: Mapping[str, Any], saved: Mapping[str, Any], *, checking: bool) -> Any:
    build = _FORMS.get(name)
    if build is None:
        msg = f"unknown form {name}; known: {', '.join(_FORMS)}"
        raise BadForm(msg)
    if extra := set(value) - {name, "times"}:
        msg = f"{name} takes no {min(extra)}"
        raise BadForm(msg)
    times = value.get("times", 1)
    if not isinstance(times, int) or isinstance(times, bool) or times < 0:
        msg = "times is a whole number from 0"
        raise BadForm(msg)
    return build(value[name], min(times, 1), _Anything()) if checking else build(value[name], times, saved)


def _text(item: Any, times: int, _: Mapping[str, Any]) -> str:
    if not isinstance(item, str):
        msg = "$text takes a string"
        raise BadForm(msg)
    return item * times


def _list(item: Any, times: int, saved: Mapping[str, Any]) -> list[Any]:
    return [expanded(_counted(item, number), saved) for number in range(1, times + 1)]


def _counted(item: Any, number: int) -> Any:
    if isinstance(item, str):
        return item.replace(_COUNTER, str(number))
    if isinstance(item, list):
        return [_counted(part, number) for part in item]
    if isinstance(item, dict):
        return {key: _counted(part, number) for key, part in item.items()}
    return item


def _nested(levels: Any, _times: int, _: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(levels, int) or isinstance(levels, bool) or levels < 1:
        msg = "$nested takes a number of levels from 1"
        raise BadForm(msg)
    value: dict[str, Any] = {}
    for _level in range(levels - 1):
        value = {"deeper": value}
    return value


def _saved(name: Any, _times: int, saved: Mapping[str, Any]) -> Any:
    if name not in saved:
        msg = f"no step before saved `{name}`"
        raise BadForm(msg)
    return saved[name]


def _of_the_owner(name: Any, _times: int, saved: Mapping[str, Any]) -> Any:
    if name not in _OF_THE_OWNER:
        msg = f"$caller is one of {', '.join(_OF_THE_OWNER)}"
        raise BadForm(msg)
    return saved[f"{OWNER}{name}"]


def _joined(parts: Any, _times: int, saved: Mapping[str, Any]) -> str:
    texts = expanded(parts, saved)
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        msg = "$joined takes a list of texts"
        raise BadForm(msg)
    return "".join(texts)


class _Anything(dict[str, Any]):
    """Saved values while nothing is played: a text under every name."""

    def __contains__(self, _: object) -> bool:
        return True

    def __missing__(self, _: str) -> str:
        return ""


def is_from_before(value: Any) -> bool:
    """Whether `value` holds a form that only whoever plays an example can replace: `$ref`, `$caller`."""
    if isinstance(value, list):
        return any(is_from_before(item) for item in value)
    if isinstance(value, dict):
        return not _FROM_BEFORE.isdisjoint(value) or any(is_from_before(item) for item in value.values())
    return False


def names_of_before(value: Any) -> Iterator[str]:
    """Every name that a `$ref` anywhere in `value` asks for."""
    if isinstance(value, list):
        for item in value:
            yield from names_of_before(item)
    elif isinstance(value, dict):
        if isinstance(name := value.get("$ref"), str):
            yield name
        for item in value.values():
            yield from names_of_before(item)


_FORMS: dict[str, Callable[[Any, int, Mapping[str, Any]], Any]] = {
    "$text": _text,
    "$list": _list,
    "$nested": _nested,
    "$joined": _joined,
    "$ref": _saved,
    "$caller": _of_the_owner,
}
_FROM_BEFORE = frozenset({"$ref", "$caller"})
