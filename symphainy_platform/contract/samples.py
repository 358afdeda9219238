"""Sample values for documents: made from shapes and their examples, always the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.shape import Shape

_SAMPLES: Mapping[str, Any] = {
    "string": "text",
    "uuid": "0b6e9d1c-5f0a-4a3e-9c1d-2f7f3a1b8e55",
    "email": "ada@example.org",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "datetime": "2026-01-27T12:00:00.000000Z",
    "date": "2026-01-27",
    "any": {},
}
_HIDDEN = "…"


def sample(shape: Shape) -> Any:
    """A value of a shape: its example, its first enum value, or one of its type."""
    if shape.example is not None:
        return shape.example
    if shape.enum:
        return shape.enum[0]
    if shape.type == "object":
        return sample_fields(shape.properties or {})
    if shape.type == "array":
        return [sample(shape.items)] if shape.items else []
    least = shape.min if shape.min is not None else shape.above
    return max(_SAMPLES[shape.type], least) if least is not None else _SAMPLES[shape.type]


def sample_fields(shapes: Mapping[str, Shape]) -> dict[str, Any]:
    """A value with every field that is never secret and not optional; all of them if none is required."""
    required = {name: shape for name, shape in shapes.items() if shape.required and not shape.secret}
    return {name: sample(shape) for name, shape in (required or shapes).items() if not shape.secret}


def sample_answer(contract: Contract) -> dict[str, Any]:
    """The success envelope of an intent."""
    events = contract.effects.events[:1]
    return {
        "execution_id": "exec_019c0000-0000-7000-8000-000000000001",
        "intent_type": contract.intent,
        "status": "completed",
        "idempotent_replay": False,
        "artifacts": {
            name: {"result_type": "artifact", "semantic_payload": _answered(shapes), "renderings": {}}
            for name, shapes in contract.returns.items()
        },
        "events": [{"type": event.type, **sample_fields(event.payload)} for event in events],
    }


def _answered(shapes: Mapping[str, Shape]) -> dict[str, Any]:
    """The fields of a full answer: without the optional ones that only some calls bring.

    Callers get secrets, so documents show that they do, though none of them.
    """
    shown = {name: shape for name, shape in shapes.items() if shape.required or shape.example is not None}
    return {name: _HIDDEN if shape.secret and shape.example is None else sample(shape) for name, shape in shown.items()}


def sample_error(contract: Contract) -> dict[str, Any]:
    """The failure envelope of an intent, with its first own code."""
    code, declared = next(iter(contract.errors.items()), ("HANDLER_ERROR", None))
    legacy = {"legacy_code": declared.legacy_code} if declared and declared.legacy_code else {}
    return {
        "error": (declared and declared.message) or "The intent service failed; nothing was written.",
        "error_code": code,
        "execution_id": "exec_019c0000-0000-7000-8000-000000000001",
        "intent_type": contract.intent,
        "retryable": bool(declared and declared.retryable),
        "details": {},
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        **legacy,
    }
