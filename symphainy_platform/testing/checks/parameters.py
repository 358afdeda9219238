"""What a caller may get wrong in the parameters: the exact code, and not a trace in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from symphainy_platform.contract.shape import Param, Shape
from symphainy_platform.testing import values
from symphainy_platform.testing.endings import NotApplicable
from symphainy_platform.testing.trial import Trial
from symphainy_platform.testing.world import Call, Outcome

MISSING = "MISSING_PARAMETER"
UNKNOWN = "UNKNOWN_PARAMETER"
WRONG_TYPE = "INVALID_PARAMETER_TYPE"
WRONG_VALUE = "INVALID_PARAMETER_VALUE"
TOO_LARGE = "PAYLOAD_TOO_LARGE"
_OF_VALIDATION = frozenset({MISSING, UNKNOWN, WRONG_TYPE, WRONG_VALUE, TOO_LARGE})


class _Case(NamedTuple):
    label: str
    call: Call
    code: str


async def missing(trial: Trial) -> None:
    """A required parameter is not sent."""
    required = [name for name, param in trial.contract.params.items() if param.required]
    await _refused(trial, [_Case(f"without {name}", trial.call.omitting(name), MISSING) for name in required])


async def null(trial: Trial) -> None:
    """null, where the contract does not allow it."""
    names = [name for name, param in trial.contract.params.items() if not param.nullable]
    await _refused(trial, _sending(trial, ((name, None) for name in names), WRONG_TYPE))


async def wrong_type(trial: Trial) -> None:
    """A value of every other JSON type."""
    await _refused(trial, _each(trial, values.of_other_types, WRONG_TYPE))


async def outside_enum(trial: Trial) -> None:
    """A value that the enumeration does not have."""
    await _refused(trial, _each(trial, values.outside_enum, WRONG_VALUE))


async def outside_range(trial: Trial) -> None:
    """A number just beyond min or max."""
    await _refused(trial, _each(trial, values.outside_range, WRONG_VALUE))


async def outside_length(trial: Trial) -> None:
    """A text one character too short or too long."""
    await _refused(trial, _each(trial, values.outside_length, WRONG_VALUE))


async def outside_pattern(trial: Trial) -> None:
    """A text that the pattern does not match."""
    sample = trial.seen
    pairs = [
        (name, text)
        for name, param in trial.contract.params.items()
        for text in values.outside_pattern(param, sample.get(name, param.default))
    ]
    await _refused(trial, _sending(trial, pairs, WRONG_VALUE))


async def misformed(trial: Trial) -> None:
    """A text that is no uuid, email, datetime or date."""
    await _refused(trial, _each(trial, values.misformed, WRONG_VALUE))


async def outside_items(trial: Trial) -> None:
    """An array one item too short or too long."""
    sample, limits = trial.seen, trial.subject.limits
    pairs = [
        (name, items)
        for name, param in trial.contract.params.items()
        for items in values.outside_items(param, limits, sample.get(name))
    ]
    await _refused(trial, _sending(trial, pairs, WRONG_VALUE))


async def too_large(trial: Trial) -> None:
    """A value one byte over `max_bytes`."""
    large = {name: values.too_large(param, trial.subject.limits) for name, param in trial.contract.params.items()}
    cases = [
        _Case(f"{name} one byte over its limit", trial.call.sending(**{name: value}), _too_large_code(trial, name))
        for name, value in large.items()
        if value is not None
    ]
    await _refused(trial, cases)


def _too_large_code(trial: Trial, name: str) -> str:
    return trial.contract.params[name].too_large or TOO_LARGE


async def too_deep(trial: Trial) -> None:
    """A value one level deeper than `max_depth`."""
    cases = [
        _Case(
            f"{name} one level too deep",
            trial.call.sending(**{name: values.nested(param, param.max_depth + 1)}),
            param.too_deep or WRONG_VALUE,
        )
        for name, param in trial.contract.params.items()
        if param.max_depth is not None and param.properties is None and param.items is None
    ]
    await _refused(trial, cases)


async def wrong_inside(trial: Trial) -> None:
    """Declared properties and items: a wrong type or value, null, a missing one, an unknown one."""
    cases = []
    for name, param in trial.contract.params.items():
        fitting = trial.seen.get(name, values.plain(param))
        for label, value, code in _inside(param, fitting):
            cases.append(_Case(f"{name}{label}", trial.call.sending(**{name: value}), code))
    await _refused(trial, cases)


def _inside(shape: Shape, fitting: Any) -> Iterator[tuple[str, Any, str]]:
    """(place, value with something wrong in it, code) for every declared part of a value."""
    if shape.properties is not None and isinstance(fitting, dict):
        if not shape.additional:
            yield ".compliance_unknown", {**fitting, "compliance_unknown": 1}, UNKNOWN
        for name, inner in shape.properties.items():
            yield from _of_property(name, inner, fitting)
    if shape.items is not None:
        inside = fitting[0] if isinstance(fitting, list) and fitting else values.plain(shape.items)
        yield from (("[]", [wrong], code) for wrong, code in _wrong(shape.items))
        for label, value, code in _inside(shape.items, inside):
            yield f"[]{label}", [value], code


def _of_property(name: str, inner: Shape, fitting: dict[str, Any]) -> Iterator[tuple[str, Any, str]]:
    yield from ((f".{name}", {**fitting, name: wrong}, code) for wrong, code in _wrong(inner))
    if inner.required:
        yield f".{name}", {key: value for key, value in fitting.items() if key != name}, MISSING
    if name in fitting:
        for label, value, code in _inside(inner, fitting[name]):
            yield f".{name}{label}", {**fitting, name: value}, code


def _wrong(shape: Shape) -> Iterator[tuple[Any, str]]:
    """(wrong value, code) by the limits of a nested shape itself."""
    if not shape.nullable and shape.type != "any":
        yield None, WRONG_TYPE
    for wrong_values, code in _WRONG_VALUES:
        yield from ((wrong, code) for wrong in wrong_values(shape))


_WRONG_VALUES: tuple[tuple[Callable[[Shape], tuple[Any, ...]], str], ...] = (
    (values.of_other_types, WRONG_TYPE),
    (values.outside_enum, WRONG_VALUE),
    (values.outside_range, WRONG_VALUE),
    (values.outside_length, WRONG_VALUE),
    (values.misformed, WRONG_VALUE),
)


async def unknown(trial: Trial) -> None:
    """A parameter that the contract does not have; tenant and user come from the identity alone."""
    names = [name for name in ("compliance_unknown", "tenant_id", "user_id") if name not in trial.contract.params]
    await _refused(trial, _sending(trial, ((name, "x") for name in names), UNKNOWN))


async def at_limits(trial: Trial) -> None:
    """A value exactly at a limit, null where it is allowed, an alias: validation lets them pass."""
    cases = list(_allowed(trial))
    if not cases:
        raise NotApplicable("no parameter has a limit")
    for label, name, call in cases:
        async with trial.world() as world:
            outcome = await world.submit(call)
        trial.expect(not _refuses(outcome, name, trial.contract.params[name]), f"{label}: refused with {outcome}")


def _allowed(trial: Trial) -> Iterator[tuple[str, str, Call]]:
    for name, param in trial.contract.params.items():
        for limit, value in values.at_limits(param, trial.subject.limits):
            yield f"{name} at its {limit}", name, trial.call.sending(**{name: value})
        if param.nullable:
            yield f"{name} null", name, trial.call.sending(**{name: None})
        for alias in param.aliases:
            if name in trial.call.params:
                renamed = trial.call.omitting(name).sending(**{alias: trial.call.params[name]})
                yield f"{name} as {alias}", name, renamed


def _refuses(outcome: Outcome, name: str, param: Param) -> bool:
    """Whether validation refused this very parameter; a refusal by the service is its own affair."""
    if outcome.error is None:
        return False
    codes = _OF_VALIDATION | {param.too_large, param.too_deep}
    blamed = str(outcome.error.details.get("parameter", "")).partition(".")[0]
    return outcome.code in codes and blamed == name


def _each(trial: Trial, wrong_values: Callable[[Shape], tuple[Any, ...]], code: str) -> list[_Case]:
    pairs = [(name, value) for name, param in trial.contract.params.items() for value in wrong_values(param)]
    return _sending(trial, pairs, code)


def _sending(trial: Trial, pairs: Iterable[tuple[str, Any]], code: str) -> list[_Case]:
    return [_Case(f"{name} = {value!r:.60}", trial.call.sending(**{name: value}), code) for name, value in pairs]


async def _refused(trial: Trial, cases: list[_Case]) -> None:
    """Submit every case in one world: each gets its code, and nothing is written by any."""
    if not cases:
        raise NotApplicable("no parameter has such a rule")
    async with trial.world() as world:
        before = await world.state()
        for case in cases:
            trial.expect_refusal(await world.submit(case.call), case.code, case.label)
        trial.expect_unchanged(before, await world.state(), "after the refusals")
