"""Canonical JSON, its digests, and strict JSON: one algorithm each, nothing else hashes.

The algorithm "idem/v1" (10-runtime, "Idempotency, exactly"). Two JSON values are the same
value exactly when their canonical bytes are equal:

1. Strings, keys included, are in Unicode NFC; keys that collide after NFC are refused.
2. Object keys are sorted by code point; no white space; UTF-8, only control characters,
   quotes and backslashes are escaped.
3. Numbers: NaN and the infinities are refused. An integral float within ±(2^53-1) is written
   as an integer, -0.0 as 0; integers outside that range are refused; other floats are written
   in their shortest form.
4. A digest is SHA-256 over those bytes, a keyed digest HMAC-SHA-256 over them.

Test vectors: `tests/contract/canonical_vectors.json`.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import unicodedata
from itertools import chain
from typing import Any

import jiter
import orjson

ALGORITHM = "idem/v1"
"""Name of the algorithm above; it prefixes every key, so that a change never matches old keys."""

MAX_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader keeps exact."""

MAX_NESTING = 64
"""How many objects and arrays strict JSON may nest."""

_OPTIONS = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_STRICT_INTEGER
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
_INTEGRAL_FLOAT = re.compile(rb"\.0[,\]}]")
_FORBIDDEN_KEY = "__proto__"


def canonical_bytes(value: Any) -> bytes:
    """Return the canonical JSON of `value`; raises ValueError for what JSON cannot hold."""
    data = _dump(value)
    if b"null" in data and _holds_non_finite(value):
        raise ValueError("NaN and Infinity have no canonical form")
    return data if _is_canonical(data) else _dump(_rewritten(value))


def digest(value: Any) -> bytes:
    """SHA-256 (32 bytes) of the canonical form."""
    return hashlib.sha256(canonical_bytes(value)).digest()


class KeyedDigest:
    """HMAC-SHA-256 of canonical forms under one key, which is prepared once: half the cost of a digest."""

    def __init__(self, key: bytes) -> None:
        """Keep what the key begins every digest with."""
        self._begun = hmac.new(key, digestmod="sha256")

    def __call__(self, value: Any) -> bytes:
        """Return the digest (32 bytes) of a JSON value; raises ValueError for what JSON cannot hold."""
        mac = self._begun.copy()
        mac.update(canonical_bytes(value))
        return mac.digest()


def _dump(value: Any) -> bytes:
    try:
        return orjson.dumps(value, option=_OPTIONS)
    except TypeError as error:
        raise ValueError(str(error)) from error


def _is_canonical(data: bytes) -> bool:
    """Whether sorted compact JSON needs no rewriting; a false alarm only costs a walk."""
    if _INTEGRAL_FLOAT.search(data) or data.endswith(b".0"):
        return False
    return data.isascii() or unicodedata.is_normalized("NFC", data.decode())


def _holds_non_finite(value: Any) -> bool:
    """Whether a NaN or infinity is inside: the serializer writes both as null.

    It has taken the value, so there are no subclasses and no cycles in it.
    """
    nodes = [value]
    for node in nodes:
        kind = type(node)
        if kind is dict:
            nodes.extend(node.values())
        elif kind is list or kind is tuple:
            nodes.extend(node)
        elif kind is float and not math.isfinite(node):
            return True
    return False


def _rewritten(value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) <= MAX_INTEGER else value
    if isinstance(value, (list, tuple)):
        return [_rewritten(item) for item in value]
    return _rewritten_object(value) if isinstance(value, dict) else value


def _rewritten_object(value: dict[str, Any]) -> dict[str, Any]:
    rewritten = {unicodedata.normalize("NFC", key): _rewritten(item) for key, item in value.items()}
    if len(rewritten) != len(value):
        raise ValueError("two keys of one object are the same in Unicode NFC")
    return rewritten


class NotStrictJson(ValueError):
    """The bytes or the value are not strict JSON (10-runtime, "HTTP"); `reason` says why."""

    def __init__(self, reason: str) -> None:
        """Keep the reason, a phrase for people that never quotes the data."""
        super().__init__(reason)
        self.reason = reason


def parse_json(body: bytes) -> Any:
    """Parse strict JSON.

    UTF-8 without BOM, no duplicate keys (nor keys that are the same in Unicode NFC), no NaN or
    Infinity (nor a number that becomes one), integers within ±(2^53-1), nesting at most 64, no
    NUL and no lone surrogate in strings, no key `__proto__`. Raises NotStrictJson.
    """
    try:
        value = jiter.from_json(body, catch_duplicate_keys=True, allow_inf_nan=False)
    except ValueError as error:
        raise NotStrictJson(_parse_reason(str(error))) from None
    # Most bodies are plain ASCII without escapes: their strings and keys need no look.
    escaped = b"\\u" in body
    _check_tree(value, wide=escaped or not body.isascii(), nul=escaped and b"\\u0000" in body)
    return value


def _parse_reason(message: str) -> str:
    """The parser's sentence without the data that it quotes."""
    if message.startswith("Detected duplicate key"):
        return "an object has the same key twice at" + message.rpartition(" at")[2]
    return message


def _check_tree(value: Any, *, wide: bool, nul: bool) -> None:
    """Check a parsed value, level by level; `wide`: keys may be non-ASCII; `nul`: strings may hold one."""
    level: list[Any] = [value]
    for _ in range(MAX_NESTING + 1):
        kinds = set(map(type, level))
        _check_scalars(level, kinds, nul=nul)
        objects = [node for node in level if type(node) is dict] if dict in kinds else []
        arrays = [node for node in level if type(node) is list] if list in kinds else []
        if not objects and not arrays:
            return
        for node in objects:
            _check_keys(node, wide=wide)
        level = [*chain.from_iterable(map(dict.values, objects)), *chain.from_iterable(arrays)]
    raise NotStrictJson(_TOO_DEEP)


def _check_scalars(level: list[Any], kinds: set[type], *, nul: bool) -> None:
    if not kinds.isdisjoint((int, float)):
        for number in [node for node in level if type(node) is int or type(node) is float]:
            _check_number(number)
    if nul and str in kinds:
        for text in [node for node in level if type(node) is str]:
            _check_text(text)


_TOO_DEEP = f"nested more than {MAX_NESTING} levels deep"


def _check_keys(node: dict[str, Any], *, wide: bool) -> None:
    if _FORBIDDEN_KEY in node:
        raise NotStrictJson("the key __proto__ is not allowed")
    if wide:
        for key in node:
            _check_text(key)
        if not all(map(str.isascii, node)) and len({unicodedata.normalize("NFC", key) for key in node}) < len(node):
            raise NotStrictJson("two keys of one object are the same in Unicode NFC")


def _check_number(number: float) -> None:
    if -MAX_INTEGER <= number <= MAX_INTEGER:
        return
    if type(number) is int:
        raise NotStrictJson("an integer is outside ±(2^53-1)")
    if not math.isfinite(number):
        raise NotStrictJson("a number is outside the range of a double")


def _check_text(text: str) -> None:
    if "\0" in text:
        raise NotStrictJson("a string holds NUL")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise NotStrictJson("a string holds a lone surrogate") from None


def strict_copy(value: Any) -> Any:
    """Deep-copy a Python value under the same rules as `parse_json`.

    Takes None, bool, int, float, str, list, tuple (becomes a list) and dict with str keys;
    anything else, and every cycle, raises NotStrictJson.
    """
    return _copied(value, 0)


def _copied(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind is str:
        _check_text(value)
        return value
    if kind is int or kind is float:
        _check_number(value)
        return value
    if value is None or kind is bool:
        return value
    return _copied_container(value, depth)


def _copied_container(value: Any, depth: int) -> Any:
    if not isinstance(value, (dict, list, tuple)):
        raise NotStrictJson(f"a value of type {type(value).__name__} is not JSON")
    if depth >= MAX_NESTING:
        raise NotStrictJson(_TOO_DEEP)
    if not isinstance(value, dict):
        return [_copied(item, depth + 1) for item in value]
    _check_str_keys(value)
    return {key: _copied(item, depth + 1) for key, item in value.items()}


def _check_str_keys(value: dict[Any, Any]) -> None:
    for key in value:
        if type(key) is not str:
            raise NotStrictJson("a key of an object is not a string")
    _check_keys(value, wide=True)
