"""The prose of a contract: what only people read of the 10-section document."""

from __future__ import annotations

from pydantic import Field

from symphainy_platform.contract.spec import Date, Name, Spec, Text


class ImplementationStep(Spec):
    """One numbered step of section 6, with its details."""

    title: Text
    details: tuple[Text, ...] = ()


class Dependencies(Spec):
    """What the handler stands on: name → what for."""

    public_works: dict[str, Text] = Field(default_factory=dict)
    state_surface: dict[str, Text] = Field(default_factory=dict)
    runtime: dict[str, Text] = Field(default_factory=dict)


class Registration(Spec):
    """Section 4: how the artifact is registered and indexed."""

    artifact_id: Text | None = None
    semantic_descriptor: Text | None = None
    parent_artifacts: Text | None = None
    materializations: Text | None = None
    indexed: tuple[Text, ...] = ()


class Frontend(Spec):
    """Section 7: a code sample in TypeScript, and what the frontend then does."""

    usage: Text | None = None
    behavior: tuple[Text, ...] = ()


class Docs(Spec):
    """Everything of the 10-section document that is not executed."""

    title: Text | None = None
    priority: Text | None = None
    last_updated: Date | None = None
    flow: tuple[Text, ...] = Field(default=(), description="The boxes of the flow diagram, top to bottom.")
    observable_artifacts: tuple[Text, ...] = ()
    context: dict[Name, Text] = Field(default_factory=dict, description="What each context name is for.")
    registration: Registration = Registration()
    idempotency: tuple[Text, ...] = Field(default=(), description="What the caller sees of it.")
    implementation_steps: tuple[ImplementationStep, ...] = ()
    dependencies: Dependencies = Dependencies()
    frontend: Frontend = Frontend()
    validation: tuple[Text, ...] = Field(default=(), description="Rules on parameters beyond the table.")
    happy_path: tuple[Text, ...] = ()
    compliance: tuple[Text, ...] = Field(default=(), description="What a correct service guarantees.")
