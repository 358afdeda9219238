"""What a shape expects, in words for people."""

from __future__ import annotations

from symphainy_platform.contract.shape import Shape

_PHRASES = {
    "string": "a string",
    "uuid": "a UUID in canonical lower case",
    "email": "an email address",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "datetime": "a UTC time such as 2026-01-27T12:00:00Z",
    "date": "a date such as 2026-01-27",
    "object": "an object",
    "array": "an array",
    "any": "any JSON value",
}


def describe(shape: Shape) -> str:
    """A phrase such as "an integer from 0 to 1000" or "one of: merge, replace"."""
    if shape.enum is not None:
        phrase = "one of: " + ", ".join(str(value) for value in shape.enum)
    else:
        phrase = " ".join([_PHRASES[shape.type], *_limits(shape)])
    return f"{phrase}, or null" if shape.nullable else phrase


def _limits(shape: Shape) -> list[str]:
    limits = [_range(shape.min, shape.max), _above(shape), _range(shape.min_length, shape.max_length, "characters")]
    limits.append(_range(shape.min_items, shape.max_items, "items"))
    if shape.pattern is not None:
        limits.append(f"that matches {shape.pattern}")
    if shape.max_bytes is not None:
        limits.append(f"of at most {shape.max_bytes:,} bytes")
    if shape.max_depth is not None:
        limits.append(f"nested at most {shape.max_depth} levels")
    return [limit for limit in limits if limit]


def _above(shape: Shape) -> str:
    return "" if shape.above is None else f"above {shape.above}"


def _range(low: float | None, high: float | None, unit: str = "") -> str:
    if low is None and high is None:
        return ""
    of = "of " if unit else ""
    if high is None:
        return f"{of}from {low} {unit}".rstrip() if not unit else f"of at least {low} {unit}"
    if low is None:
        return f"of at most {high} {unit}".rstrip() if unit else f"up to {high}"
    return f"{of}from {low} to {high}" if not unit else f"of {low} to {high} {unit}"
