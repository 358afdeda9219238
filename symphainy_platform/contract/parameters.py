"""The parameters of a contract, compiled: names, defaults, limits, and the errors they answer."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, NoReturn

from symphainy_platform.contract.bound import BoundParams
from symphainy_platform.contract.effects import ErrorSpec
from symphainy_platform.contract.model import param_default
from symphainy_platform.contract.shape import Param, walk
from symphainy_platform.contract.validators import Fault, Fields, Mismatch, Problem
from symphainy_platform.errors import (
    IntentError,
    InvalidParameterType,
    InvalidParameterValue,
    MissingParameter,
    PayloadTooLarge,
    RuntimeIntentError,
    UnknownParameter,
)

_ERRORS: dict[Fault, tuple[type[RuntimeIntentError], str]] = {
    Fault.MISSING: (MissingParameter, "The parameter `{path}` is missing: expected {expected}."),
    Fault.UNKNOWN: (UnknownParameter, "The contract of this intent has no parameter `{path}`."),
    Fault.TYPE: (InvalidParameterType, "The parameter `{path}` has the wrong type: expected {expected}."),
    Fault.VALUE: (InvalidParameterValue, "The parameter `{path}` must be {expected}."),
    Fault.TOO_LARGE: (PayloadTooLarge, "The parameter `{path}` is too large: {expected} are accepted."),
    Fault.TOO_DEEP: (InvalidParameterValue, "The parameter `{path}` is nested too deeply: {expected} are accepted."),
}


class Parameters:
    """Checks and completes the parameters of one intent type."""

    def __init__(
        self,
        params: Mapping[str, Param],
        settings: Mapping[str, int],
        errors: Mapping[str, ErrorSpec],
    ) -> None:
        """Compile; `errors` are the contract's, for the codes that limits name."""
        self._fields = Fields(params, settings)
        self._errors = errors
        self._absent = {name: param_default(param) for name, param in params.items()}
        self._copies_defaults = any(isinstance(value, (dict, list)) for value in self._absent.values())
        self._aliases = {alias: name for name, param in params.items() for alias in param.aliases}
        self.views = frozenset(name for name, param in params.items() if param.view)
        """Parameters that only shape the answer."""
        self.secret = frozenset(path[0] for path, shape in walk(params) if shape.secret)
        """Parameters that are secret, or hold something secret."""
        self.effective = tuple(sorted(set(params) - self.views - self.secret))
        """Parameters that a fingerprint covers."""

    def validate(self, parameters: Mapping[str, Any]) -> BoundParams:
        """Check parameters of strict JSON values, and fill in defaults.

        Raises MissingParameter, UnknownParameter, InvalidParameterType, InvalidParameterValue
        or PayloadTooLarge with the dotted `parameter`, what was `expected` and a `hint`; or the
        contract's own code for `too_large` and `too_deep`.
        """
        named = self.current_names(parameters)
        try:
            given = self._fields.check(named)
        except Mismatch as mismatch:
            self._refuse(mismatch.problem)
        absent = copy.deepcopy(self._absent) if self._copies_defaults else self._absent
        options = {name: given[name] for name in self.views if name in given} if self.views else {}
        return BoundParams({**absent, **given}, frozenset(given), options)

    def current_names(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters under their current names; InvalidParameterValue when one is sent twice."""
        if not self._aliases:
            return parameters if isinstance(parameters, dict) else dict(parameters)
        named: dict[str, Any] = {}
        for sent, value in parameters.items():
            name = self._aliases.get(sent, sent)
            if name in named:
                msg = f"The parameter `{name}` was sent under two names."
                raise InvalidParameterValue(msg, parameter=name, expected="one of its names")
            named[name] = value
        return named

    def _refuse(self, problem: Problem) -> NoReturn:
        error_type, words = _ERRORS[problem.fault]
        message = words.format(path=problem.path, expected=problem.expected)
        details = {"parameter": problem.path, "expected": problem.expected}
        if problem.hint:
            message = f"{message} {problem.hint[0].upper()}{problem.hint[1:]}"
            details["hint"] = problem.hint
        if problem.code is None:
            raise error_type(message, **details) from None
        declared = self._errors[problem.code]
        raise IntentError(
            problem.code,
            declared.message or message,
            kind=declared.kind,
            retryable=declared.retryable,
            details=details,
        ) from None
