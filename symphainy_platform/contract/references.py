"""`$ref: <type file>.<shape>`: shapes that several contracts share, put in their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symphainy_platform.contract.findings import ContractInvalid, did_you_mean
from symphainy_platform.contract.yaml_source import Path, Source

_REF = "$ref"
_SECTIONS = ("params", "effects", "returns", "errors")


def resolve_references(source: Source, shapes: Mapping[str, Any]) -> Any:
    """Return the contract's data with every `$ref` in params, effects, returns and errors replaced.

    Fields beside a `$ref` override the shape's own. Raises ContractInvalid for an unknown
    name and for shapes that lead back to themselves.
    """
    resolver = _Resolver(source, shapes)
    return {
        name: resolver.resolved(value, (name,), ()) if name in _SECTIONS else value
        for name, value in source.data.items()
    }


class _Resolver:
    def __init__(self, source: Source, shapes: Mapping[str, Any]) -> None:
        self._source = source
        self._shapes = shapes

    def resolved(self, value: Any, path: Path, trail: tuple[str, ...]) -> Any:
        if isinstance(value, list):
            return [self.resolved(item, (*path, index), trail) for index, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        own = {name: self.resolved(item, (*path, name), trail) for name, item in value.items() if name != _REF}
        if _REF not in value:
            return own
        return self._shape(value[_REF], (*path, _REF), trail) | own

    def _shape(self, name: Any, path: Path, trail: tuple[str, ...]) -> dict[str, Any]:
        if name in trail:
            self._fail(path, f"`{name}` leads back to itself", " → ".join((*trail, name)))
        shape = self._shapes.get(name) if isinstance(name, str) else None
        if not isinstance(shape, dict):
            self._fail(path, f"there is no shape `{name}`", did_you_mean(str(name), self._shapes))
        resolved: dict[str, Any] = self.resolved(shape, path, (*trail, name))
        return resolved

    def _fail(self, path: Path, message: str, fix: str) -> None:
        raise ContractInvalid([self._source.finding(path, message, fix)])
