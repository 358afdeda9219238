"""Examples and scenarios: what is submitted, and what must come of it. All of them are executed."""

from __future__ import annotations

from collections.abc import Mapping
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


class Submission(Spec):
    """Somebody submits something, and names parts of the answer for what follows."""

    intent: Name | None = Field(default=None, description="The intent type; in a contract's examples its own.")
    params: dict[str, Any] | None = None
    caller: Caller = "owner"
    after: Seconds | None = Field(default=None, description="How much later than the step before, by the clock.")
    save: dict[Name, Text] = Field(
        default_factory=dict,
        description="Names for parts of the answer, `artifact.field`: chat_session.chat_session_id",
    )


class SetupStep(Submission):
    """A step of a setup: it must succeed."""

    intent: Name = Field(description="The intent type.")
    params: dict[str, Any]


class Saved(Spec):
    """What a step has saved under a name."""

    name: Name = Field(alias="$ref")

    def of(self, saved: Mapping[str, Any]) -> str:
        """The saved text; KeyError when nothing was saved under the name."""
        return str(saved[self.name])


class Actor(Spec):
    """Who a caller is once a setup has been played."""

    user_id: Text | Saved
    session_ref: Text | Saved | None = None
    roles: tuple[Text, ...] | None = Field(default=None, description="Those that the intent needs, when absent.")


class Setup(Spec):
    """A history that examples start from: played step by step in every world, before the example."""

    on: Name | None = Field(default=None, description="The setup that is played before this one.")
    steps: tuple[SetupStep, ...] = ()
    owner: Actor | None = Field(default=None, description="Who `owner` is from then on, and whose the fixtures are.")
    other_user: Actor | None = Field(default=None, description="Who `other_user` is from then on.")

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not (self.steps or self.owner or self.other_user):
            reject("a setup has steps, or says who a caller is")
        return self


class Step(Submission):
    """One submission and what must come of it.

    `params` and `returns` may hold the forms of `contract.expansion`. `returns` is matched as a
    subset: objects by the fields given, arrays item by item and of the same length.
    """

    fault: Fault | None = None
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

    `events` counts the events, by type, that the steps have brought into the outbox.
    """

    title: Text | None = None
    kind: Literal["happy", "boundary", "failure"] = "happy"
    before: Name | None = Field(default=None, description="The setup that is played before.")
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


def history(setups: Mapping[str, Setup], name: str | None) -> tuple[Setup, ...]:
    """The setup of this name after those that it builds on, in the order of playing; KeyError for an unknown one.

    Raises ValueError when a setup builds on itself.
    """
    found: list[Setup] = []
    while name is not None:
        setup = setups[name]
        if setup in found:
            msg = f"the setup `{name}` builds on itself"
            raise ValueError(msg)
        found.append(setup)
        name = setup.on
    return tuple(reversed(found))
