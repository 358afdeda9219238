"""The happy path of an intent: what the checks vary, repeat and break."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symphainy_platform.contract.expansion import expanded, is_from_before
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.scenario import Caller, Fixture, Scenario, Step
from symphainy_platform.testing.values import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Parameters that succeed once a setup has been played and these fixtures exist."""

    name: str
    before: str | None = None
    given: tuple[Fixture, ...] = ()
    params: Mapping[str, Any]
    """Written out; a `$ref` stays one, for the world to replace."""
    caller: Caller = "owner"

    def fixture_of(self, artifact_type: str) -> Fixture | None:
        """The fixture of a type that the sample works on."""
        return next((fixture for fixture in self.given if fixture.artifact == artifact_type), None)


def find_sample(contract: Contract) -> Sample | None:
    """The first happy example of the owner (of a public intent: of anybody), single submissions first.

    Where there is none, the required parameters are made up.
    None when there is no example and the intent reads an artifact or needs a value that only
    its author can choose.
    """
    for example in sorted(contract.examples.values(), key=lambda example: len(example.steps)):
        if _starts_happily(example, contract):
            return _from_example(example, contract)
    return _made_up(contract)


def _starts_happily(example: Scenario, contract: Contract) -> bool:
    first: Step = example.all_steps[0]
    admitted = first.caller == "owner" or "public" in contract.access
    ends_well = not first.error and not first.fault and first.replay is not True
    return example.kind == "happy" and ends_well and admitted and first.intent in (None, contract.intent)


def _from_example(example: Scenario, contract: Contract) -> Sample:
    name = next(name for name, other in contract.examples.items() if other is example)
    first = example.all_steps[0]
    return Sample(
        name=name,
        before=example.before,
        given=tuple(contract.fixtures[fixture] for fixture in example.given),
        params=written_out(first.params or {}),
        caller=first.caller,
    )


def written_out(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters without the forms that stand for the same in every world."""
    return {name: value if is_from_before(value) else expanded(value) for name, value in params.items()}


def _made_up(contract: Contract) -> Sample | None:
    params = {name: plain(param) for name, param in contract.params.items() if param.required}
    needs_state = any(read.unnamed != "allow" for read in contract.effects.reads)
    if needs_state or None in params.values():
        return None
    return Sample(name="required parameters", params=params)
