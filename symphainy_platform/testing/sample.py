"""The happy path of an intent: what the checks vary, repeat and break."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symphainy_platform.contract.expansion import expanded
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.scenario import Fixture, Scenario, Step
from symphainy_platform.testing.values import plain


@dataclass(frozen=True, slots=True)
class Sample:
    """Parameters that succeed when these fixtures exist."""

    name: str
    given: tuple[Fixture, ...]
    params: Mapping[str, Any]

    def fixture_of(self, artifact_type: str) -> Fixture | None:
        """The fixture of a type that the sample works on."""
        return next((fixture for fixture in self.given if fixture.artifact == artifact_type), None)


def find_sample(contract: Contract) -> Sample | None:
    """The first happy example of the owner, single submissions first; else required parameters made up.

    None when there is no example and the intent reads an artifact or needs a value that only
    its author can choose.
    """
    for example in sorted(contract.examples.values(), key=lambda example: len(example.steps)):
        if _starts_happily(example, contract.intent):
            return _from_example(example, contract)
    return _made_up(contract)


def _starts_happily(example: Scenario, intent: str) -> bool:
    first: Step = example.all_steps[0]
    ends_well = not first.error and not first.fault and first.caller == "owner"
    return example.kind == "happy" and ends_well and first.intent in (None, intent)


def _from_example(example: Scenario, contract: Contract) -> Sample:
    name = next(name for name, other in contract.examples.items() if other is example)
    params = expanded(example.all_steps[0].params or {})
    return Sample(name, tuple(contract.fixtures[fixture] for fixture in example.given), params)


def _made_up(contract: Contract) -> Sample | None:
    params = {name: plain(param) for name, param in contract.params.items() if param.required}
    needs_state = any(read.unnamed != "allow" for read in contract.effects.reads)
    if needs_state or None in params.values():
        return None
    return Sample("required parameters", (), params)
