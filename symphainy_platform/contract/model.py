"""The contract of one intent, as its author writes it (20-contracts, "The format, by example")."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from symphainy_platform.contract.docs import Docs
from symphainy_platform.contract.effects import Derivation, Effects, ErrorSpec, EventSpec, as_derivation
from symphainy_platform.contract.scenario import Fixture, Scenario, Setup
from symphainy_platform.contract.shape import Param, Shape
from symphainy_platform.contract.spec import (
    Code,
    Date,
    Dotted,
    FormatVersion,
    Name,
    Seconds,
    SemVer,
    Spec,
    Text,
    ValueName,
    as_tuple,
    reject,
)

AccessKind = Literal["public", "user", "service"]
ContextName = Literal["tenant_id", "user_id", "session_ref", "solution_id"]


class Idempotency(Spec):
    """How duplicates are recognized; or `{none: reason}` for an intent that needs no key."""

    none: Text | None = Field(default=None, description="Why this intent needs no key.")
    scope: tuple[Literal["tenant_id", "user_id"], ...] = ()
    key: tuple[ValueName, ...] = Field(
        default=(), description="Parameters, context names, derived values and facts of the proof (`proof.<fact>`)."
    )
    derive: dict[
        Name, Annotated[Derivation, BeforeValidator(as_derivation, json_schema_input_type=Name | Derivation)]
    ] = Field(default_factory=dict)
    on_replay: Literal["return_stored"] = "return_stored"
    on_mismatch: Literal["reject", "return_stored"] = "reject"
    window: Seconds | None = Field(default=None, description="From the first commit; replays do not extend it.")
    until: Literal["next_write"] | None = None
    replay_while: Name | None = Field(
        default=None,
        description="A method of the service: may the stored answer still be given? If not, it decides anew.",
    )
    ttl: Seconds | None = Field(default=None, description="How long the record is kept at most.")

    @model_validator(mode="after")
    def _a_key_or_a_reason(self) -> Self:
        if (self.none is None) == (not self.key):
            reject("either a key, or `none` with the reason")
        if self.none is not None and self.model_fields_set != {"none"}:
            reject("`none` stands alone", field="none")
        if self.key and not (self.window or self.ttl):
            reject("a key needs a window or a ttl", field="key")
        if self.window and self.ttl and self.ttl < self.window:
            reject("the record would be gone before its window ends", field="ttl")
        return self


class Compliance(Spec):
    """What the author tells the compliance suite: it can mark a check, never switch one off."""

    expected_failures: dict[Text, Text] = Field(
        default_factory=dict, description="Check id → reason. Strict: when the check passes, the run fails."
    )


class Contract(Spec):
    """One intent: who may submit it, with what, what it does, what it answers, how it fails."""

    contract: FormatVersion = Field(description="The version of this format.")
    intent: Name
    version: SemVer
    realm: Name
    journeys: tuple[Name, ...] = ()
    status: Literal["draft", "ready", "deprecated"] = "ready"
    deprecated_until: Date | None = None
    owner: Text
    purpose: Text
    access: Annotated[
        tuple[AccessKind, ...],
        BeforeValidator(as_tuple, json_schema_input_type=AccessKind | tuple[AccessKind, ...]),
        Field(min_length=1),
    ]
    permissions: tuple[Text, ...] = Field(default=(), description="All of them are needed (contracts/roles.yaml).")
    proof: Name | None = Field(default=None, description="Public intents: a registered check of the parameters.")
    context: tuple[ContextName, ...] = Field(
        default=("tenant_id", "user_id"),
        description="What the service needs of the caller; session_ref: an identity that has a session.",
    )
    deadline: Seconds | None = Field(default=None, description="The platform's setting when absent.")
    params: dict[Name, Param] = Field(default_factory=dict)
    idempotency: Idempotency
    effects: Effects = Effects()
    returns: dict[Name, dict[Name, Shape]] = Field(
        default_factory=dict, description="The semantic_payload of each artifact."
    )
    returns_only: tuple[Name, ...] = Field(default=(), description="Response fields that are never stored.")
    errors: dict[Code, ErrorSpec] = Field(default_factory=dict)
    fixtures: dict[Name, Fixture] = Field(default_factory=dict)
    setups: dict[Name, Setup] = Field(default_factory=dict)
    examples: dict[Name, Scenario] = Field(default_factory=dict)
    compliance: Compliance = Compliance()
    handler: Dotted = Field(description="The module of the intent's service.")
    docs: Docs = Docs()

    @property
    def major(self) -> int:
        """The major version, which is part of every idempotency key."""
        return int(self.version.partition(".")[0])

    @property
    def all_events(self) -> tuple[EventSpec, ...]:
        """The events of its successes, then those of its failures."""
        failures = [error.effects.events for error in self.errors.values() if error.effects]
        return (*self.effects.events, *(event for events in failures for event in events))

    @model_validator(mode="after")
    def _access_agrees(self) -> Self:
        if self.proof and "public" not in self.access:
            reject("only a public intent has a proof", field="proof")
        if self.permissions and self.access == ("public",):
            reject("a public intent cannot need permissions", field="permissions")
        if self.idempotency.replay_while and "public" not in self.access:
            reject(
                "only a public intent asks its service: a caller's own key would answer unasked", field="idempotency"
            )
        if (self.status == "deprecated") != (self.deprecated_until is not None):
            reject("status deprecated and deprecated_until go together", field="status")
        return self


def param_default(param: Param) -> Any:
    """The value of a parameter that was not sent (None when nothing was declared)."""
    return param.default if param.has_default else None
