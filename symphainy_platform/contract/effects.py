"""What an intent reads, writes, emits and answers, as its contract declares it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StrictBool, model_validator

from symphainy_platform.contract.shape import Shape
from symphainy_platform.contract.spec import Code, Name, Spec, State, Text, ValueName, as_tuple, reject
from symphainy_platform.errors import Kind

States = Annotated[tuple[State, ...], BeforeValidator(as_tuple, json_schema_input_type=State | tuple[State, ...])]
"""One state, or several."""


class ReadSpec(Spec):
    """An artifact that the intent reads: it must be there, in one of these states."""

    artifact: Name
    id: ValueName = Field(description="The parameter, or fact of the proof, that holds the artifact's id.")
    must_be: States = ()
    absent: Code = Field(description="Code when there is none that this caller may see.")
    wrong_state: Code | None = Field(default=None, description="Code when it is in another state.")
    unnamed: Literal["allow"] | None = Field(
        default=None,
        description="allow: when the id was not sent and its default found nothing, go on with None.",
    )

    @model_validator(mode="after")
    def _a_state_needs_its_code(self) -> Self:
        if self.must_be and self.wrong_state is None:
            reject("must_be needs wrong_state: the code for other states", field="wrong_state")
        return self


class Transition(Spec):
    """The lifecycle of a write: `{to: ACTIVE}` creates, `{from: […], to: …}` updates."""

    from_: States = Field(default=(), alias="from")
    to: State


class WriteSpec(Spec):
    """One write: of an artifact, of an artifact's log, or of a domain table."""

    artifact: Name | None = None
    log: Name | None = None
    of: Name | None = Field(default=None, description="The artifact type that owns the log.")
    table: Name | None = None
    operation: Literal["create", "update", "append", "insert"]
    lifecycle: Transition | None = None
    payload: dict[Name, Shape] | None = Field(default=None, description="The stored payload, whole.")
    columns: tuple[Name, ...] = ()
    optional: StrictBool = Field(default=False, description="The happy path may do without this write.")
    listed: StrictBool = Field(
        default=False, description="Of artifacts that the service finds by listing, beside those that `reads` declares."
    )
    description: Text | None = None

    @model_validator(mode="after")
    def _one_target_and_its_fields(self) -> Self:
        targets = [name for name in ("artifact", "log", "table") if getattr(self, name)]
        if len(targets) != 1:
            reject("a write names one of artifact, log, table")
        allowed, needed = _WRITE_RULES[targets[0]]
        if self.operation not in allowed:
            reject(f"a write of a {targets[0]} is one of {', '.join(allowed)}", field="operation")
        for field in ("lifecycle", "payload", "columns", "of"):
            if bool(getattr(self, field)) != (field in needed):
                word = "needs" if field in needed else "has no"
                reject(f"a write of a {targets[0]} {word} {field}", field=field)
        return self

    @model_validator(mode="after")
    def _create_comes_from_nothing(self) -> Self:
        if self.lifecycle and bool(self.lifecycle.from_) != (self.operation == "update"):
            reject("create has only `to`; update has `from` and `to`", field="lifecycle")
        return self


_WRITE_RULES: dict[str, tuple[tuple[str, ...], frozenset[str]]] = {
    "artifact": (("create", "update"), frozenset({"lifecycle", "payload"})),
    "log": (("append",), frozenset({"of"})),
    "table": (("insert", "update"), frozenset({"columns"})),
}


class EventSpec(Spec):
    """An event that the intent emits: always, or unless / when a condition holds."""

    type: Name
    unless: Literal["unchanged"] | None = Field(default=None, description="unchanged: the intent wrote no artifact.")
    when: Text | None = Field(default=None, description="The condition, in words; without one the event is required.")
    answer_only: StrictBool = Field(default=False, description="In the answer, never in the outbox: a read's event.")
    about: Name | None = Field(
        default=None,
        description="The payload field that holds the id of the artifact it is about; else the first one written.",
    )
    audit: StrictBool = Field(default=False, description="Kept in the audit chain of the tenant.")
    payload: dict[Name, Shape] = Field(default_factory=dict)
    description: Text | None = None

    @model_validator(mode="after")
    def _audited_is_published(self) -> Self:
        if self.audit and self.answer_only:
            reject("the audit chain is made of published events: an answer_only event is none", field="audit")
        return self

    @property
    def required(self) -> bool:
        """Whether every success emits it."""
        return self.unless is None and self.when is None


class Effects(Spec):
    """Everything that the intent touches; what is not here may not be written."""

    reads: tuple[ReadSpec, ...] = ()
    writes: tuple[WriteSpec, ...] = ()
    events: tuple[EventSpec, ...] = ()


class ErrorEffects(Spec):
    """What a failure commits all the same (a stolen token revokes its session)."""

    lifecycle: Transition | None = None
    events: tuple[EventSpec, ...] = ()

    @model_validator(mode="after")
    def _declares_something(self) -> Self:
        if self.lifecycle is None and not self.events:
            reject("effects of an error are a lifecycle, events, or both")
        return self


class ErrorSpec(Spec):
    """One failure that the contract declares."""

    kind: Kind
    message: Text | None = Field(default=None, description="A sentence that a person can act on.")
    retryable: StrictBool = Field(default=False, description="The same call may succeed later, unchanged.")
    final: StrictBool = Field(default=False, description="Cached: a duplicate gets this failure again.")
    effects: ErrorEffects | None = None
    legacy_code: Text | None = Field(default=None, description="The code that older clients know.")

    @model_validator(mode="after")
    def _final_is_final(self) -> Self:
        if self.final and self.retryable:
            reject("what is final is not retryable", field="final")
        return self


class Derivation(Spec):
    """A value computed from the parameters: `by` names a method of the intent's service."""

    by: Name
    covers: tuple[Name, ...] = Field(default=(), description="Parameters that the fingerprint need not hash again.")


def as_derivation(value: Any) -> Any:
    """Let `{context_hash: context_hash}` stand for `{context_hash: {by: context_hash}}`."""
    return {"by": value} if isinstance(value, str) else value
