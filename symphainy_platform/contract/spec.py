"""What all parts of a contract file have in common: frozen, strict, no unknown field."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from symphainy_platform.contract.findings import did_you_mean

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=63)]
"""A name in snake_case: of an intent, a parameter, a column, an event …"""

PROOF = "proof."
"""The prefix of a fact that the contract's proof has found out."""

ValueName = Annotated[str, StringConstraints(pattern=r"^(proof\.)?[a-z][a-z0-9_]*$", max_length=69)]
"""The name of a value of one call: a parameter, or `proof.<fact>`."""

Code = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=63)]
"""An error code."""

State = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=63)]
"""A lifecycle state."""

Text = Annotated[str, StringConstraints(min_length=1)]
"""Prose; never empty."""

SemVer = Annotated[str, StringConstraints(pattern=r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$")]
"""MAJOR.MINOR.PATCH."""

Dotted = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+$")]
"""A dotted Python path."""


def _whole(value: Any) -> Any:
    return value if type(value) is int else None  # for Python, true and 1.0 are 1 as well


FormatVersion = Annotated[Literal[1], BeforeValidator(_whole)]
"""The version of a file format; there is one so far."""

Date = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]
"""A day, ISO-8601."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([1-9]\d{0,9})([smhd])")
_LONGEST = 3650 * 86400


def _seconds(value: Any) -> Any:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    seconds = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 0 < seconds <= _LONGEST:
        msg = "duration"
        raise PydanticCustomError(msg, "expected a duration such as 60s, 15m, 24h or 7d, at most 3650d")
    return seconds


Seconds = Annotated[int, BeforeValidator(_seconds, json_schema_input_type=str)]
"""A duration, written `60s`, `15m`, `24h` or `7d`, kept in seconds."""


def as_tuple(value: Any) -> Any:
    """Let one word stand for a list of one; lists become tuples."""
    return (value,) if isinstance(value, str) else value


class Spec(BaseModel):
    """One mapping of a contract file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, validate_default=False)

    @model_validator(mode="before")
    @classmethod
    def _known_fields_only(cls, data: Any) -> Any:
        """Name the unknown field and the nearest valid one, which pydantic's own error does not."""
        if isinstance(data, dict):
            valid = {field.alias or name for name, field in cls.model_fields.items()}
            for name in data:
                if name not in valid:
                    context = {"field": name, "hint": did_you_mean(str(name), valid)}
                    kind = "unknown_field"
                    raise PydanticCustomError(kind, "unknown field", context)
        return data


def reject(message: str, *, field: str | None = None, hint: str = "") -> NoReturn:
    """Fail a validator, with the field of the mapping under validation that is to blame."""
    context = {"message": message, "hint": hint} | ({} if field is None else {"field": field})
    kind = "contract_rule"
    raise PydanticCustomError(kind, "{message}", context)
