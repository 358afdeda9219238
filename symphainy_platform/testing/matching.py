"""Comparing an answer with what an example expects: objects by the fields given, arrays whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_MISSING = object()


def differences(expected: Any, given: Any, place: str = "") -> Iterator[str]:
    """Where `given` is not as expected, as sentences; nothing when it matches."""
    if isinstance(expected, Mapping) and isinstance(given, Mapping):
        for key, value in expected.items():
            yield from differences(value, given.get(key, _MISSING), f"{place}.{key}".lstrip("."))
    elif isinstance(expected, list) and isinstance(given, list):
        yield from _of_items(expected, given, place)
    elif given is _MISSING:
        yield f"{place} is missing"
    elif not _same(expected, given):
        yield f"{place} is {given!r:.80}, expected {expected!r:.80}"


def _of_items(expected: list[Any], given: list[Any], place: str) -> Iterator[str]:
    if len(expected) != len(given):
        yield f"{place} has {len(given)} items, expected {len(expected)}"
        return
    for index, (one, other) in enumerate(zip(expected, given, strict=True)):
        yield from differences(one, other, f"{place}[{index}]")


def _same(expected: Any, given: Any) -> bool:
    """Equal as JSON: 1 and 1.0 are, 1 and true are not."""
    return isinstance(expected, bool) == isinstance(given, bool) and bool(expected == given)


def at_path(value: Any, path: str) -> Any:
    """The part at a dotted path (`chat_session.context.items.0`); raises LookupError when it is not there."""
    for part in path.split("."):
        if isinstance(value, list) and part.isdecimal():
            value = value[int(part)]
        elif isinstance(value, Mapping):
            value = value[part]
        else:
            raise LookupError(path)
    return value


def is_there(value: Any, path: str) -> bool:
    """Whether there is anything at a dotted path."""
    try:
        at_path(value, path)
    except LookupError:
        return False
    return True
