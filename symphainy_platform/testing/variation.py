"""The happy path with other parameters that are just as right."""

from __future__ import annotations

from collections.abc import Iterable

from symphainy_platform.contract.expansion import is_from_before
from symphainy_platform.errors import IntentError
from symphainy_platform.testing import values
from symphainy_platform.testing.endings import NotApplicable, Skipped
from symphainy_platform.testing.trial import Trial
from symphainy_platform.testing.world import Call

_RICHEST_FIRST = ("object", "string", "array", "number", "integer")


def accepts(trial: Trial, call: Call) -> bool:
    """Whether validation lets these parameters pass."""
    try:
        trial.compiled.validate(dict(trial.seen_params(call.params)))
    except IntentError:
        return False
    return True


def variations(trial: Trial, names: Iterable[str]) -> list[Call]:
    """One call for each of these parameters that can be varied; Skipped when none can."""
    names = list(names)
    found = [call for name in names if (call := _varied(trial, name, 1)) is not None]
    if not found:
        raise Skipped(f"no other value can be made up for {', '.join(names) or 'any parameter'}")
    return found


def with_other_keys(trial: Trial, number: int) -> list[Call]:
    """`number` calls that differ from the happy one, and from each other, in what the key covers.

    Raises NotApplicable when the key covers nothing but ids and context, Skipped when no values
    can be made up.
    """
    names = [name for name in varied_names(trial) if name in trial.rules.in_key]
    if not names:
        raise NotApplicable("the key covers no parameter that may be varied")
    for name in names:
        calls = [call for place in range(1, number + 1) if (call := _varied(trial, name, place)) is not None]
        if len({repr(call.params[name]) for call in calls}) == number:
            return calls
    raise Skipped("no other values can be made up for what the key covers")


def varied_names(trial: Trial) -> list[str]:
    """Parameters with an effect that may be varied: none that names or proves what must exist; those in use first."""
    fixed = {name for name, value in trial.sample.params.items() if is_from_before(value)}
    fixed |= {read.id for read in trial.contract.effects.reads}
    names = [name for name in trial.rules.effective if name not in fixed]
    return sorted(names, key=lambda name: (name not in trial.sample.params, _rank(trial, name), name))


def _rank(trial: Trial, name: str) -> int:
    kind = trial.contract.params[name].type
    return _RICHEST_FIRST.index(kind) if kind in _RICHEST_FIRST else len(_RICHEST_FIRST)


def _varied(trial: Trial, name: str, number: int) -> Call | None:
    param = trial.contract.params[name]
    current = trial.sample.params.get(name, param.default)
    candidates = (trial.call.sending(**{name: value}) for value in values.others(param, current, number))
    return next((call for call in candidates if accepts(trial, call)), None)
