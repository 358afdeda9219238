"""Type files (`types/*.yaml`): an artifact type, and shapes that several contracts share."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, StrictBool, model_validator

from symphainy_platform.contract.effects import States
from symphainy_platform.contract.lifecycle import DEFAULT_LIFECYCLE, Lifecycle
from symphainy_platform.contract.spec import Dotted, FormatVersion, Name, Spec, State, Text, reject


class SweepSpec(Spec):
    """What a sweep does with an artifact that is due: submit an intent, or purge it whole."""

    submit: Name | None = Field(default=None, description="An intent of services.")
    naming: Name = Field(default="artifact_id", description="Its parameter that takes the artifact's id.")
    purge: StrictBool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.submit is None) != self.purge:
            reject("a sweep either submits an intent or purges", field="submit")
        return self


class LifecycleSpec(Spec):
    """The graph of states."""

    initial: States = Field(min_length=1)
    transitions: dict[State, States] = Field(default_factory=dict)
    sweeps: dict[State, SweepSpec] = Field(default_factory=dict, description="By state: what to do when it is due.")

    def graph(self) -> Lifecycle:
        """The graph as the State Surface asks it."""
        transitions = {state: frozenset(targets) for state, targets in self.transitions.items()}
        return Lifecycle(frozenset(self.initial), transitions)


class DefaultSpec(Spec):
    """A source for `default_from`: the user's newest artifact of this type in these states."""

    newest: States = Field(min_length=1)


class TypeFile(Spec):
    """One artifact type (`artifact` and what follows it), shared `shapes`, or both."""

    type: FormatVersion = Field(description="The version of this format.")
    artifact: Name | None = None
    realm: Name | None = None
    description: Text | None = None
    lifecycle: LifecycleSpec | None = None
    logs: tuple[Name, ...] = ()
    tables: tuple[Name, ...] = ()
    defaults: dict[Name, DefaultSpec] = Field(default_factory=dict)
    present: Dotted | None = Field(default=None, description="module.function: the Presenter of the type.")
    shapes: dict[Name, dict[str, Any]] = Field(default_factory=dict, description="For `$ref: <file>.<shape>`.")

    @model_validator(mode="after")
    def _declares_something(self) -> Self:
        of_artifact = self.lifecycle or self.logs or self.tables or self.defaults or self.present
        if self.artifact is None and of_artifact:
            reject("needs `artifact`: the type that it is about", field="artifact")
        if self.artifact is None and not self.shapes:
            reject("a type file declares an artifact type or shapes")
        return self

    @property
    def graph(self) -> Lifecycle:
        """The declared lifecycle, else the default one."""
        return self.lifecycle.graph() if self.lifecycle else DEFAULT_LIFECYCLE
