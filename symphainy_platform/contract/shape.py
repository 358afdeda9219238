"""The shape of a value: of a parameter, a payload field, an event field, an answer field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self, get_args

from pydantic import Field, StrictBool, StrictFloat, StrictInt, model_validator

from symphainy_platform.contract.spec import Code, Name, Spec, Text, reject

TypeName = Literal[
    "string", "uuid", "email", "integer", "number", "boolean", "datetime", "date", "object", "array", "any"
]
"""Types of values. `any` is for free JSON in answers; a parameter always has a real type."""

TYPE_NAMES: tuple[str, ...] = get_args(TypeName)
Number = StrictInt | StrictFloat

_APPLIES = {
    "enum": {"string", "integer", "number", "email"},
    "pattern": {"string"},
    "min": {"integer", "number"},
    "max": {"integer", "number"},
    "above": {"number"},
    "min_length": {"string", "email"},
    "max_length": {"string", "email"},
    "items": {"array"},
    "min_items": {"array"},
    "max_items": {"array"},
    "properties": {"object"},
    "additional": {"object"},
    "max_bytes": {"string", "object", "array"},
    "max_depth": {"object", "array"},
    "cookie": {"string"},
}
_NEEDS = {
    "max_bytes_setting": "max_bytes",
    "max_items_setting": "max_items",
    "too_large": "max_bytes",
    "too_deep": "max_depth",
}


class Shape(Spec):
    """The type of a JSON value and its limits. Sizes are UTF-8 bytes of compact JSON."""

    type: TypeName
    description: Text | None = None
    example: Any = Field(default=None, description="A value for the documents.")
    required: StrictBool = False
    nullable: StrictBool = False
    secret: StrictBool = Field(default=False, description="Never logged, never stored in clear, never in an event.")
    cookie: Literal["session"] | None = Field(
        default=None, description="In cookie mode the edge carries this value in the browser's cookie, not in the body."
    )
    enum: tuple[str | Number, ...] | None = Field(default=None, min_length=1)
    pattern: Text | None = Field(default=None, description="A regular expression; write ^…$ to match the whole.")
    min: Number | None = None
    max: Number | None = None
    above: Number | None = Field(default=None, description="The value is greater than this, never equal to it.")
    min_length: StrictInt | None = Field(default=None, ge=0, description="Characters (code points).")
    max_length: StrictInt | None = Field(default=None, ge=0, description="Characters (code points).")
    items: Shape | None = None
    min_items: StrictInt | None = Field(default=None, ge=0)
    max_items: StrictInt | None = Field(default=None, ge=0)
    max_items_setting: Name | None = Field(default=None, description="A setting that overrides max_items.")
    properties: dict[Name, Shape] | None = None
    additional: StrictBool = Field(default=False, description="Whether undeclared properties are allowed.")
    max_bytes: StrictInt | None = Field(default=None, ge=1)
    max_bytes_setting: Name | None = Field(default=None, description="A setting that overrides max_bytes.")
    too_large: Code | None = Field(default=None, description="Code beyond max_bytes; PAYLOAD_TOO_LARGE when absent.")
    max_depth: StrictInt | None = Field(default=None, ge=1, description="Objects and arrays nested, itself included.")
    too_deep: Code | None = Field(default=None, description="Code beyond max_depth.")

    @model_validator(mode="after")
    def _limits_fit_the_type(self) -> Self:
        for limit, types in _APPLIES.items():
            value = getattr(self, limit)  # 0 is a limit, and equal to False
            if value is not None and value is not False and self.type not in types:
                reject(f"does not apply to type {self.type}", field=limit, hint=f"only to {_words(types)}")
        for field, needed in _NEEDS.items():
            if getattr(self, field) is not None and getattr(self, needed) is None:
                reject(f"needs {needed}", field=field)
        if self.cookie and not self.secret:
            reject("what a cookie carries is secret", field="cookie", hint="add secret: true")
        return self

    @model_validator(mode="after")
    def _limits_agree(self) -> Self:
        _check_pattern(self.pattern)
        for low, high in (("min", "max"), ("min_length", "max_length"), ("min_items", "max_items")):
            least, most = getattr(self, low), getattr(self, high)
            if least is not None and most is not None and least > most:
                reject(f"{low} is above {high}", field=low)
        if self.above is not None and self.max is not None and self.above >= self.max:
            reject("nothing is above this and up to max", field="above")
        for value in self.enum or ():
            if isinstance(value, str) != (self.type in {"string", "email"}):
                reject(f"{value!r} is no value of type {self.type}", field="enum")
        return self

    @model_validator(mode="after")
    def _limits_of_integers_are_integers(self) -> Self:
        limits = (("min", self.min), ("max", self.max), *(("enum", value) for value in self.enum or ()))
        for limit, value in limits:
            if self.type == "integer" and isinstance(value, float):
                reject(f"{value!r} is no value of type integer", field=limit)
        return self


def _words(names: set[str]) -> str:
    return ", ".join(sorted(names))


def _check_pattern(pattern: str | None) -> None:
    if pattern is None:
        return
    try:
        re.compile(pattern)
    except re.error as error:
        reject(f"not a regular expression: {error}", field="pattern")


class Param(Shape):
    """One parameter of an intent."""

    default: Any = None
    default_from: Name | None = Field(default=None, description="A named source that a type file declares.")
    view: StrictBool = Field(default=False, description="Only shapes the answer: no effect, in no fingerprint.")
    aliases: tuple[Name, ...] = Field(default=(), description="Earlier names that keep working.")

    @property
    def has_default(self) -> bool:
        """Whether a default was written, null included."""
        return "default" in self.model_fields_set

    @model_validator(mode="after")
    def _one_way_to_be_absent(self) -> Self:
        ways = [self.required, self.has_default, self.default_from is not None]
        if sum(ways) > 1:
            reject("of required, default and default_from only one may be given", field="default")
        if self.type == "any":
            reject("a parameter has a type", field="type", hint="any is for answers")
        return self


def walk(fields: Mapping[str, Shape], prefix: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Shape]]:
    """Yield every shape in `fields`, nested ones included, with its path."""
    for name, shape in fields.items():
        path = (*prefix, name)
        yield path, shape
        if shape.items is not None:
            yield from walk({"items": shape.items}, path)
        if shape.properties:
            yield from walk(shape.properties, (*path, "properties"))
