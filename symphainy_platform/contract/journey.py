"""Journeys (`journeys/*.yaml`): intents in order, and when a user's journey is complete (seed 001)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field, StrictBool, model_validator

from symphainy_platform.contract.scenario import Fixture, Scenario, Setup
from symphainy_platform.contract.spec import Date, FormatVersion, Name, SemVer, Spec, Text, reject


class JourneyStep(Spec):
    """One step: an intent, and what people observe of it."""

    intent: Name
    title: Text
    flow: tuple[Text, ...] = ()
    observable: tuple[Text, ...] = ()
    optional: StrictBool = False


class Completion(Spec):
    """The journey is complete when any / all of these intents have succeeded."""

    any_of: tuple[Name, ...] = ()
    all_of: tuple[Name, ...] = ()
    means: Text | None = None

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if bool(self.any_of) == bool(self.all_of):
            reject("completion has one of any_of, all_of")
        return self

    def holds(self, completed: Collection[str]) -> bool:
        """Whether the rule holds for a user who has completed these intents."""
        if self.any_of:
            return any(intent in completed for intent in self.any_of)
        return all(intent in completed for intent in self.all_of)


@dataclass(frozen=True, slots=True)
class JourneyProgress:
    """Which steps of a journey one user has completed, and whether the whole is complete."""

    journey: str
    steps: Mapping[str, bool]
    complete: bool


class Journey(Spec):
    """One journey of a realm."""

    journey: FormatVersion = Field(description="The version of this format.")
    id: Name
    version: SemVer
    title: Text
    realm: Name
    solution: Text | None = None
    status: Literal["draft", "ready", "deprecated"] = "ready"
    priority: Text | None = None
    last_updated: Date | None = None
    owner: Text
    purpose: Text
    begins: Text | None = Field(default=None, description="What the user does first.")
    steps: tuple[JourneyStep, ...] = Field(min_length=1)
    order: Literal["any", "sequence"] = Field(
        default="sequence", description="sequence: each step after the one before."
    )
    transitions: tuple[Text, ...] = Field(default=(), description="Lifecycle, step by step.")
    invariants: tuple[Text, ...] = ()
    completion: Completion
    fixtures: dict[Name, Fixture] = Field(default_factory=dict)
    setups: dict[Name, Setup] = Field(default_factory=dict)
    scenarios: dict[Name, Scenario] = Field(default_factory=dict)

    @property
    def intents(self) -> tuple[str, ...]:
        """The intent types of the steps, in order."""
        return tuple(step.intent for step in self.steps)

    def progress(self, completed: Collection[str]) -> JourneyProgress:
        """How far a user is who has completed these intents."""
        steps = {intent: intent in completed for intent in self.intents}
        return JourneyProgress(self.id, steps, self.completion.holds(completed))
