"""Examples and scenarios: what is submitted, and what must come of it. All of them are executed."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, StrictBool, StrictInt, model_validator

from symphainy_platform.contract.spec import Code, Name, Seconds, Spec, State, Text, reject

Caller = Literal["owner", "other_user", "other_tenant", "service", "anonymous"]
"""Who submits. Fixtures belong to `owner`; `other_user` is of the owner's tenant."""


class RowFixture(Spec):
    """A row of a domain table that exists before an example runs."""

    table: Name
    key: dict[Name, str]
    values: dict[Name, Any] = Field(default_factory=dict)


class Fixture(Spec):
    """An artifact of the owner that exists before an example runs, with its stored payload.

    Fixtures are made in the order of `given`, the newest last.
    """

    artifact: Name
    id: Text
    state: State
    payload: dict[Name, Any]
    rows: tuple[RowFixture, ...] = ()


class Fault(Spec):
    """A fault of the store at one step of the execution."""

    at: Literal["load", "commit"]
    raise_: Literal["unavailable"] = Field(alias="raise")


class Step(Spec):
    """One submission and what must come of it.

    `params` and `returns` may hold the forms of `contract.expansion`. `returns` is matched as a
    subset: objects by the fields given, arrays item by item and of the same length.
    """

    intent: Name | None = Field(default=None, description="The intent type; in a contract's examples its own.")
    params: dict[str, Any] | None = None
    caller: Caller = "owner"
    after: Seconds | None = Field(default=None, description="How much later than the step before, by the clock.")
    fault: Fault | None = None
    save: dict[Name, Text] = Field(
        default_factory=dict,
        description="Names for parts of the answer, `artifact.field`: chat_session.chat_session_id",
    )
    returns: dict[Name, dict[str, Any]] | None = None
    absent: dict[Name, tuple[str, ...]] = Field(
        default={}, description="Fields (dotted) that the answer must not have."
    )
    error: Code | None = None
    replay: StrictBool | None = Field(default=None, description="Whether the answer is (not) an idempotent replay.")
    same_execution_as: StrictInt | None = Field(default=None, ge=1, description="The step that it repeats, from 1.")
    emits: tuple[Name, ...] | None = Field(default=None, description="Event types in the answer, in order.")

    @model_validator(mode="after")
    def _success_or_failure(self) -> Self:
        if self.error and (self.returns or self.save or self.emits or self.replay):
            reject("a step that fails returns, saves and emits nothing", field="error")
        return self


class Scenario(Step):
    """A named example: one submission, or several `steps`.

    `events` counts the events in the outbox, by type, after all steps.
    """

    title: Text | None = None
    kind: Literal["happy", "boundary", "failure"] = "happy"
    given: tuple[Name, ...] = Field(default=(), description="Fixtures that exist before.")
    steps: tuple[Step, ...] = ()
    events: dict[Name, StrictInt] | None = None

    @property
    def all_steps(self) -> tuple[Step, ...]:
        """The submissions in order."""
        return self.steps or (self,)

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if bool(self.steps) == (self.params is not None):
            reject("an example has either params or steps")
        if self.steps and (self.error or self.returns or self.save or self.fault):
            reject("with steps, the expectations belong to the steps", field="steps")
        if any(step.params is None for step in self.steps):
            reject("every step has params ({} for none)", field="steps")
        return self
