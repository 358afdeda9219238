"""Forms in examples for values that nobody wants to write out: large, deep, or from a step before.

- `{$text: x, times: 5000000}`: a long string
- `{$list: {…}, times: 300}`: the same item many times; `{$n}` in its strings counts from 1
- `{$nested: 33}`: objects nested 33 levels deep
- `{$ref: name}`: a value that an earlier step saved (journeys and steps)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_COUNTER = "{$n}"


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
    return _form(forms[0], value, saved or {}, checking=limit == 0)


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
    if checking and name == "$ref":
        return None
    return build(value[name], min(times, 1) if checking else times, saved)


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


_FORMS: dict[str, Callable[[Any, int, Mapping[str, Any]], Any]] = {
    "$text": _text,
    "$list": _list,
    "$nested": _nested,
    "$ref": _saved,
}
