"""Stage `validate`: what the caller sent, to frozen typed parameters, once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from symphainy_platform.canonical import NotStrictJson, canonical_bytes, strict_copy
from symphainy_platform.contract.compile import BoundParams, CompiledContract
from symphainy_platform.errors import InvalidIdempotencyKey, MalformedRequest
from symphainy_platform.runtime.execution import IntentRequest

MAX_METADATA_BYTES = 16_384
LARGE_ITEMS = 1_000
LARGE_TEXT = 262_144

P = ParamSpec("P")
T = TypeVar("T")

_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]{1,255}")


async def validate(contract: CompiledContract, request: IntentRequest) -> BoundParams:
    """The parameters as the contract binds them; nothing of the caller's objects is kept."""
    return await asyncio.to_thread(_validate, contract, request) if request.large else _validate(contract, request)


def _validate(contract: CompiledContract, request: IntentRequest) -> BoundParams:
    sent = request.parameters if request.strict else strict("parameters", request.parameters)
    return contract.validate(sent)


async def off_loop(large: bool, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:  # noqa: FBT001
    """Run pure work here, or in a thread when the request is large."""
    return await asyncio.to_thread(work, *args, **kwargs) if large else work(*args, **kwargs)


def envelope(request: IntentRequest) -> None:
    """Refuse a request of another shape: Python callers may pass anything (MALFORMED_REQUEST)."""
    if not isinstance(request.intent_type, str):
        raise MalformedRequest("intent_type must be a string.", parameter="intent_type", expected="string")
    if not isinstance(request.contract_version, str | None):
        raise MalformedRequest("contract_version must be a string.", parameter="contract_version", expected="string")


def strict(name: str, value: Any) -> dict[str, Any]:
    """A strict-JSON copy of an object, or MALFORMED_REQUEST that says what is wrong with it."""
    try:
        copy = strict_copy(value)
    except NotStrictJson as error:
        raise MalformedRequest(f"{name}: {error}", parameter=name) from error
    if not isinstance(copy, dict):
        raise MalformedRequest(f"{name} must be a JSON object.", parameter=name, expected="object")
    return copy


def metadata(value: Mapping[str, Any]) -> dict[str, Any]:
    """The caller's metadata: strict JSON, at most MAX_METADATA_BYTES."""
    if not value:
        return {}
    copy = strict("metadata", value)
    if len(canonical_bytes(copy)) > MAX_METADATA_BYTES:
        raise MalformedRequest("metadata is too large.", parameter="metadata", max_bytes=MAX_METADATA_BYTES)
    return copy


def idempotency_key(value: str | None) -> str | None:
    """The client's Idempotency-Key: absent, or 1 to 255 visible ASCII characters."""
    if value is not None and not (isinstance(value, str) and _VISIBLE_ASCII.fullmatch(value)):
        raise InvalidIdempotencyKey
    return value


def is_large(parameters: object) -> bool:
    """A cheap guess whether an in-process request is worth a thread: a long list or text near the top."""
    if not isinstance(parameters, Mapping):
        return False
    inner = [item for value in parameters.values() if isinstance(value, Mapping) for item in value.values()]
    return any(isinstance(item, list) and len(item) > LARGE_ITEMS for item in inner) or any(
        isinstance(item, str) and len(item) > LARGE_TEXT for item in inner
    )
