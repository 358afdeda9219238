"""Compiled checks of values against shapes: strict, fast, and able to say what is wrong.

No bool for a number, no number for a string, and 1.0 is no integer (JSON has one type of
number, but the fingerprint of a call must not depend on who parsed it). A number accepts
integers. Times are UTC, written with `Z`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import StrEnum
from itertools import chain
from typing import Any, NamedTuple, cast

import orjson
from pydantic_core import CoreSchema, PydanticCustomError, SchemaValidator, ValidationError, core_schema

from symphainy_platform.contract.describe import describe
from symphainy_platform.contract.findings import nearest
from symphainy_platform.contract.shape import Shape

UUID_PATTERN = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_MAX_EMAIL = 254
_TYPE_ERRORS = frozenset({"is_instance_of", "none_required", "bool_type"})
_VALUE = "outside_contract"


class Fault(StrEnum):
    """In which way a value is not of its shape."""

    MISSING = "missing"
    UNKNOWN = "unknown"
    TYPE = "type"
    VALUE = "value"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"


_RANK = {fault: rank for rank, fault in enumerate((Fault.UNKNOWN, Fault.MISSING, Fault.TYPE, Fault.VALUE))}


class Problem(NamedTuple):
    """The first thing that is wrong with a mapping of fields. It never quotes the value."""

    fault: Fault
    path: str
    expected: str
    hint: str | None = None
    code: str | None = None


class Mismatch(Exception):
    """The value is not of the declared shape."""

    def __init__(self, problem: Problem) -> None:
        """Keep the problem."""
        super().__init__(problem.path)
        self.problem = problem


class Fields:
    """A compiled set of named shapes; nothing but the declared names is accepted."""

    __slots__ = ("_validate", "shapes")

    def __init__(self, shapes: Mapping[str, Shape], settings: Mapping[str, int]) -> None:
        """Compile; `settings` override the limits that name one."""
        self.shapes = shapes
        self._validate = SchemaValidator(_object(shapes, settings, additional=False)).validate_python

    def check(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields that were given, checked; raises Mismatch."""
        try:
            return cast("dict[str, Any]", self._validate(value))
        except ValidationError as error:
            raise Mismatch(_problem(error, self.shapes)) from None


def shape_schema(shape: Shape, settings: Mapping[str, int]) -> CoreSchema:
    """The pydantic-core schema of one shape."""
    schema = _BUILDERS[shape.type](shape, settings)
    if shape.enum is not None:
        schema = core_schema.chain_schema([schema, core_schema.literal_schema(list(shape.enum))])
    for check in (_size_check(shape, settings), _depth_check(shape)):
        if check is not None:
            schema = core_schema.no_info_after_validator_function(check, schema)
    return core_schema.nullable_schema(schema) if shape.nullable else schema


def _object(shapes: Mapping[str, Shape], settings: Mapping[str, int], *, additional: bool) -> CoreSchema:
    fields = {
        name: core_schema.typed_dict_field(shape_schema(shape, settings), required=shape.required)
        for name, shape in shapes.items()
    }
    return core_schema.typed_dict_schema(fields, strict=True, extra_behavior="allow" if additional else "forbid")


def _properties(shape: Shape, settings: Mapping[str, int]) -> CoreSchema:
    if shape.properties is None:  # free JSON: checked for being an object, never copied
        return core_schema.is_instance_schema(dict)
    return _object(shape.properties, settings, additional=shape.additional)


def _string(shape: Shape, _: Mapping[str, int]) -> CoreSchema:
    return core_schema.str_schema(
        strict=True,
        pattern=shape.pattern,
        min_length=shape.min_length,
        max_length=shape.max_length,
    )


def _array(shape: Shape, settings: Mapping[str, int]) -> CoreSchema:
    limit = settings.get(shape.max_items_setting or "", shape.max_items)
    if shape.items is None and shape.min_items is None and limit is None:
        return core_schema.is_instance_schema(list)
    items = shape_schema(shape.items, settings) if shape.items else core_schema.any_schema()
    return core_schema.list_schema(items, strict=True, min_length=shape.min_items, max_length=limit)


def _text_that(holds: Callable[[str], bool]) -> Callable[[Shape, Mapping[str, int]], CoreSchema]:
    def check(text: str) -> str:
        if not holds(text):
            raise PydanticCustomError(_VALUE, "outside the contract")
        return text

    def build(shape: Shape, settings: Mapping[str, int]) -> CoreSchema:
        return core_schema.no_info_after_validator_function(check, _string(shape, settings))

    return build


def _is_datetime(text: str) -> bool:
    if not _DATETIME.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_email(text: str) -> bool:
    return len(text) <= _MAX_EMAIL and _EMAIL.fullmatch(text) is not None


_BUILDERS: dict[str, Callable[[Shape, Mapping[str, int]], CoreSchema]] = {
    "string": _string,
    "uuid": lambda _shape, _settings: core_schema.str_schema(strict=True, pattern=UUID_PATTERN),
    "email": _text_that(_is_email),
    "datetime": _text_that(_is_datetime),
    "date": _text_that(_is_date),
    "integer": lambda shape, _: core_schema.int_schema(
        strict=True, ge=cast("int", shape.min), le=cast("int", shape.max)
    ),
    "number": lambda shape, _: core_schema.float_schema(
        strict=True, allow_inf_nan=False, ge=shape.min, gt=shape.above, le=shape.max
    ),
    "boolean": lambda _shape, _settings: core_schema.bool_schema(strict=True),
    "object": _properties,
    "array": _array,
    "any": lambda _shape, _settings: core_schema.any_schema(),
}


def _size_check(shape: Shape, settings: Mapping[str, int]) -> Callable[[Any], Any] | None:
    limit = settings.get(shape.max_bytes_setting or "", shape.max_bytes or 0)
    if not limit:
        return None

    def check(value: Any) -> Any:
        if len(orjson.dumps(value)) > limit:
            fault = Fault.TOO_LARGE.value
            raise PydanticCustomError(fault, "too large", {"code": shape.too_large, "limit": f"at most {limit} bytes"})
        return value

    return check


def _depth_check(shape: Shape) -> Callable[[Any], Any] | None:
    limit = shape.max_depth
    if limit is None:
        return None

    def check(value: Any) -> Any:
        if nested_deeper_than(value, limit):
            fault = Fault.TOO_DEEP.value
            raise PydanticCustomError(fault, "too deep", {"code": shape.too_deep, "limit": f"at most {limit} levels"})
        return value

    return check


def nested_deeper_than(value: Any, limit: int) -> bool:
    """Whether objects and arrays nest more than `limit` levels, `value` itself being the first."""
    level = [value]
    for _ in range(limit):
        containers = [node for node in level if type(node) is dict or type(node) is list]
        if not containers:
            return False
        level = [*chain.from_iterable(node.values() if type(node) is dict else node for node in containers)]
    return any(isinstance(node, (dict, list)) for node in level)


def _problem(error: ValidationError, shapes: Mapping[str, Shape]) -> Problem:
    """The most telling of pydantic's errors: a misspelled name explains a missing one."""
    problems = [_translated(details, shapes) for details in error.errors(include_url=False, include_input=False)]
    return min(problems, key=lambda problem: _RANK.get(problem.fault, len(_RANK)))


def _translated(details: Any, shapes: Mapping[str, Shape]) -> Problem:
    kind, location = details["type"], details["loc"]
    around, shape = _at(location, shapes)
    path = ".".join(str(part)[:64] for part in location)
    if kind == "extra_forbidden":
        near = nearest(str(location[-1]), around)
        return Problem(Fault.UNKNOWN, path, "one of: " + ", ".join(around), near and f"did you mean `{near}`?")
    if kind in (Fault.TOO_LARGE, Fault.TOO_DEEP):
        return Problem(Fault(kind), path, details["ctx"]["limit"], None, details["ctx"]["code"])
    expected = describe(shape) if shape else "a value of the declared type"
    return Problem(_fault(kind), path, expected)


def _fault(kind: str) -> Fault:
    if kind == "missing":
        return Fault.MISSING
    return Fault.TYPE if kind.endswith("_type") or kind in _TYPE_ERRORS else Fault.VALUE


def _at(location: tuple[int | str, ...], shapes: Mapping[str, Shape]) -> tuple[Mapping[str, Shape], Shape | None]:
    """The named shapes around a location, and the shape at it."""
    shape: Shape | None = None
    for part in location:
        if shape is not None and isinstance(part, int):
            shape = shape.items
            continue
        shapes = shapes if shape is None else shape.properties or {}
        shape = shapes.get(str(part))
    return shapes, shape
