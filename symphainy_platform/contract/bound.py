"""Parameters of one call: checked, with defaults, ready for the service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn


class ParamValues:
    """One read-only attribute per parameter of the contract; None when absent."""

    __slots__ = ("_values",)
    _values: Mapping[str, Any]

    def __init__(self, values: Mapping[str, Any]) -> None:
        """Show these values."""
        object.__setattr__(self, "_values", values)

    def __getattr__(self, name: str) -> Any:
        """The value of a parameter; AttributeError for a name that the contract does not have."""
        try:
            return self._values[name]
        except KeyError:
            msg = f"the contract has no parameter `{name}`"
            raise AttributeError(msg) from None

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: a service may be run again with the same parameters."""
        msg = f"parameters are read-only (`{name}`)"
        raise AttributeError(msg)

    def __eq__(self, other: object) -> bool:
        """Equal values are equal."""
        return isinstance(other, ParamValues) and self._values == other._values

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Names only: values may be secret or large."""
        return f"ParamValues({', '.join(self._values)})"

    def __reduce__(self) -> tuple[type[ParamValues], tuple[Mapping[str, Any]]]:
        """Copy and pickle by value."""
        return ParamValues, (self._values,)


class BoundParams:
    """The parameters of one call: `values` for the service, what was `given`, what only views."""

    __slots__ = ("_mapping", "given", "values", "view_options")

    def __init__(self, mapping: Mapping[str, Any], given: frozenset[str], view_options: Mapping[str, Any]) -> None:
        """Use `CompiledContract.validate`, not this."""
        self._mapping = mapping
        self.given = given
        """Names that were sent (under their current name, also when an alias was used)."""
        self.values = ParamValues(mapping)
        """One attribute per parameter."""
        self.view_options = view_options
        """The `view: true` parameters that were sent."""

    def __getitem__(self, name: str) -> Any:
        """The value of a parameter, None when absent."""
        return self._mapping[name]

    def get(self, name: str) -> Any:
        """The value of a parameter; None when it is absent or the contract has no such parameter."""
        return self._mapping.get(name)

    def with_value(self, name: str, value: Any) -> BoundParams:
        """The same call with one parameter bound, as `default_from` does; `given` stays."""
        return BoundParams({**self._mapping, name: value}, self.given, self.view_options)

    def __repr__(self) -> str:
        """Names only."""
        return f"BoundParams(given={sorted(self.given)})"
