"""Values derived from a shape: wrong ones, ones at its limits, and others that are just as right."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from symphainy_platform.contract.shape import Shape

TEXTUAL = frozenset({"string", "uuid", "email", "datetime", "date"})
"""Types whose JSON type is string."""

_OTHER_TYPES: dict[str, tuple[Any, ...]] = {
    "integer": ("1", 1.5, 1.0, True, [], {}),
    "number": ("1", True, [], {}),
    "boolean": (0, 1, "true", [], {}),
    "object": ([], "{}", 1, True),
    "array": ({}, "[]", 1, True),
}
_OTHER_THAN_TEXT: tuple[Any, ...] = (1, True, [], {})

_MISFORMED: dict[str, tuple[str, ...]] = {
    "uuid": ("", "not-a-uuid", "0B6E9D1C-5F0A-4A3E-9C1D-2F7F3A1B8E55", "0b6e9d1c5f0a4a3e9c1d2f7f3a1b8e55"),
    "email": ("", "nobody", "a@b", "a b@example.com", "@example.com"),
    "datetime": ("", "2026-01-27", "2026-01-27T12:00:00", "2026-02-30T12:00:00Z", "2026-01-27T12:00:00+01:00"),
    "date": ("", "27.01.2026", "2026-02-30", "2026-01-27T12:00:00Z"),
}
_WIDE = "é"
"""One character, two bytes: whoever counts the other thing is found out at every limit."""
_UNLIKELY = ("", "~", "compliance ~ no match", "0", "ZZZ_~")


def of_other_types(shape: Shape) -> tuple[Any, ...]:
    """JSON values of every other type; a bool is no number, and 1.0 is no integer."""
    return _OTHER_THAN_TEXT if shape.type in TEXTUAL else _OTHER_TYPES.get(shape.type, ())


def outside_enum(shape: Shape) -> tuple[Any, ...]:
    """Values of the type that the enumeration does not have."""
    if not shape.enum:
        return ()
    if shape.type in TEXTUAL:
        first = str(shape.enum[0])
        unlike = ("", "compliance_no_such", f"{first} ", first.swapcase())
        return tuple(value for value in unlike if value not in shape.enum)
    return (max(value for value in shape.enum if not isinstance(value, str)) + 1,)


def outside_range(shape: Shape) -> tuple[Any, ...]:
    """Numbers just beyond the limits."""
    below: tuple[float, ...] = () if shape.min is None else (shape.min - 1,)
    below += () if shape.above is None else (shape.above, shape.above - 1)
    above = () if shape.max is None else (shape.max + 1,)
    return below + above


def outside_length(shape: Shape) -> tuple[str, ...]:
    """Texts one character too short or too long."""
    short = (_WIDE * (shape.min_length - 1),) if shape.min_length else ()
    long = () if shape.max_length is None else (_WIDE * (shape.max_length + 1),)
    return short + long


def outside_pattern(shape: Shape, fitting: Any) -> tuple[str, ...]:
    """Texts that the pattern does not match; with `$` at its end also a fitting one and a line feed."""
    if shape.pattern is None:
        return ()
    unlike = [text for text in _UNLIKELY if re.search(shape.pattern, text) is None]
    anchored = isinstance(fitting, str) and shape.pattern.endswith("$")
    return (*unlike, f"{fitting}\n") if anchored else tuple(unlike)


def misformed(shape: Shape) -> tuple[str, ...]:
    """Texts that are no uuid, email, datetime or date."""
    return _MISFORMED.get(shape.type, ())


def outside_items(shape: Shape, settings: Mapping[str, int], fitting: Any) -> tuple[Any, ...]:
    """Arrays one item too short or too long, and one with an item of another type."""
    items = list(fitting) if isinstance(fitting, list) and fitting else _one_item(shape)
    most = settings.get(shape.max_items_setting or "", shape.max_items)
    found: list[Any] = []
    if shape.min_items:
        found.append((items * shape.min_items)[: shape.min_items - 1])
    if most is not None and items:
        found.append((items * (most + 1))[: most + 1])
    return tuple(found)


def _one_item(shape: Shape) -> list[Any]:
    found = plain(shape.items) if shape.items else 1
    return [] if found is None else [found]


def too_large(shape: Shape, settings: Mapping[str, int]) -> Any:
    """A value one byte over `max_bytes` (compact JSON); None without such a limit."""
    limit = bytes_limit(shape, settings)
    return None if limit is None else _of_size(shape, limit + 1)


def as_large_as_allowed(shape: Shape, settings: Mapping[str, int]) -> Any:
    """A value of exactly `max_bytes`; None without such a limit."""
    limit = bytes_limit(shape, settings)
    return None if limit is None else _of_size(shape, limit)


def bytes_limit(shape: Shape, settings: Mapping[str, int]) -> int | None:
    """`max_bytes`, or the setting that overrides it."""
    return settings.get(shape.max_bytes_setting or "", shape.max_bytes or 0) or None


_FRAMES: dict[str, Any] = {"string": "", "object": {"p": ""}, "array": [""]}


def _of_size(shape: Shape, size: int) -> Any:
    if shape.type == "object" and shape.properties is not None:
        return None
    wide, odd = divmod(size - len(orjson.dumps(_FRAMES[shape.type])), len(_WIDE.encode()))
    text = _WIDE * wide + "x" * odd
    return {"string": text, "object": {"p": text}, "array": [text]}[shape.type]


def nested(shape: Shape, levels: int) -> Any:
    """A value of the shape's type that nests this deep, itself included: objects and arrays in turn."""
    frames: dict[bool, Callable[[Any], Any]] = {True: lambda inner: {"deeper": inner}, False: lambda inner: [inner]}
    innermost_is_object = (levels % 2 == 1) == (shape.type == "object")
    value: Any = {} if innermost_is_object else []
    for step in range(1, levels):
        value = frames[(step % 2 == 0) == innermost_is_object](value)
    return value


def at_limits(shape: Shape, settings: Mapping[str, int]) -> Iterator[tuple[str, Any]]:
    """Values that stand exactly at a limit and must be accepted, with the limit's name."""
    yield from (("enum", value) for value in shape.enum or ())
    yield from ((name, value) for name, value in (("min", shape.min), ("max", shape.max)) if value is not None)
    if shape.pattern is None and shape.enum is None:
        lengths = (("min_length", shape.min_length), ("max_length", shape.max_length))
        yield from ((name, _WIDE * length) for name, length in lengths if length is not None)
    if (largest := as_large_as_allowed(shape, settings)) is not None:
        yield "max_bytes", largest
    if shape.max_depth is not None and shape.properties is None and shape.items is None:
        yield "max_depth", nested(shape, shape.max_depth)


_PLAIN: dict[str, Any] = {
    "uuid": "0b6e9d1c-5f0a-4a3e-9c1d-2f7f3a1b8e55",
    "email": "ann@example.com",
    "datetime": "2026-01-27T12:00:00Z",
    "date": "2026-01-27",
    "boolean": True,
    "any": 1,
}


def plain(shape: Shape) -> Any:
    """An ordinary value of a shape, or None when none can be made up (a pattern)."""
    if shape.enum:
        return shape.enum[0]
    if shape.type in ("integer", "number"):
        return shape.min if shape.min is not None else min(1, shape.max if shape.max is not None else 1)
    if shape.type == "string":
        return None if shape.pattern else "text".ljust(shape.min_length or 0, "x")[: shape.max_length]
    if shape.type == "array":
        return _one_item(shape) * (shape.min_items or 0)
    if shape.type == "object":
        return {name: plain(inner) for name, inner in (shape.properties or {}).items() if inner.required}
    return _PLAIN[shape.type]


def others(shape: Shape, value: Any, number: int) -> Iterator[Any]:
    """Values of the shape that differ from `value`, best first; `number` makes each call's its own."""
    if shape.enum:
        yield from (other for other in shape.enum if other != value)
    elif shape.type in ("integer", "number"):
        yield from _other_numbers(shape, value if isinstance(value, int | float) else 0, number)
    elif shape.type == "boolean":
        yield not value
    elif shape.type == "string":
        yield from _other_texts(value or "", number)
    elif shape.type == "object":
        yield from _other_objects(value or {}, number)
    elif shape.type == "array" and isinstance(value, list) and len(value) > 1:
        yield value[:-1]


def _other_numbers(shape: Shape, value: float, number: int) -> Iterator[float]:
    if shape.max is None or value + number <= shape.max:
        yield value + number
    if shape.min is None or value - number >= shape.min:
        yield value - number


def _other_texts(value: str, number: int) -> Iterator[str]:
    yield f"{value} {number}"
    yield f"{value}{number}"
    yield f"{value}_{'abcdefghijklmnopqrstuvwxyz'[number % 26]}"
    yield f"{value[:-2]}{number:02d}"


def _other_objects(value: Mapping[str, Any], number: int) -> Iterator[dict[str, Any]]:
    """Another text in the place of one that is there; else one more key."""
    for key, inner in value.items():
        if isinstance(inner, str):
            yield {**value, key: f"{inner} {number}"}
        elif isinstance(inner, Mapping):
            yield from ({**value, key: other} for other in _other_objects(inner, number) if inner)
    yield {**value, f"compliance_{number}": number}


def another_id(text: str) -> str:
    """An id of the same form, of nothing that exists: its last characters are others of their kind."""
    head, tail = text[:-_CHANGED], text[-_CHANGED:]
    return head + tail.translate(_OTHERS)


_CHANGED = 6
_OTHERS = str.maketrans(
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "1234567890bcdefahijklmnopqrstuvwxyzgBCDEFAHIJKLMNOPQRSTUVWXYZG",
)
"""Every digit and letter → another one; hexadecimal digits stay hexadecimal."""


def secrets_in(shapes: Mapping[str, Shape], values: Mapping[str, Any]) -> Iterator[str]:
    """Every text that stands where a shape says `secret`."""
    for name, shape in shapes.items():
        if name in values:
            yield from _texts(values[name]) if shape.secret else _secrets_within(shape, values[name])


def _secrets_within(shape: Shape, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and shape.properties:
        yield from secrets_in(shape.properties, value)
    if isinstance(value, Sequence) and not isinstance(value, str) and shape.items:
        for item in value:
            yield from _texts(item) if shape.items.secret else _secrets_within(shape.items, item)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from _texts(inner)
