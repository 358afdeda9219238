"""Compiling: from a contract as written to what the runtime asks of it on every intent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from symphainy_platform.canonical import ALGORITHM
from symphainy_platform.contract.bound import BoundParams
from symphainy_platform.contract.catalog import Catalog, DefaultSource
from symphainy_platform.contract.compiled_effects import CompiledErrorEffects, CompiledEvent, CompiledWrite, checked
from symphainy_platform.contract.compiled_key import CompiledIdempotency
from symphainy_platform.contract.effects import ErrorSpec, ReadSpec, WriteSpec
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.parameters import Parameters
from symphainy_platform.contract.validators import Fields
from symphainy_platform.errors import RUNTIME_ERRORS, ContractViolation, IntentError

__all__ = ["BoundParams", "CompiledContract", "CompiledRead", "compile_contract"]

CompiledRead = ReadSpec
"""A declared read needs no compiling."""

NO_FACTS: Mapping[str, Any] = {}
"""What an intent without a proof has found out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledContract:
    """One contract, ready to be executed. Immutable; one instance serves every execution."""

    contract: Contract
    intent_type: str
    version: str
    major: int
    handler: str
    deadline_seconds: int | None
    access: frozenset[str]
    """Who may submit: any of public, user, service."""
    permissions: frozenset[str]
    """All of these are needed as well."""
    needs_session: bool
    """Whether the context names `session_ref`: an identity without a session will not do."""
    proof: str | None
    """The registered check that gives a public intent its tenant and user."""
    is_public: bool
    """Whether a proof, and no bearer, says who asks."""
    of_services: bool
    """Whether only services may submit it: they work on the whole tenant."""
    parameters: Parameters
    reads: tuple[ReadSpec, ...]
    default_sources: Mapping[str, DefaultSource]
    idempotency: CompiledIdempotency | None
    writes: Mapping[tuple[str, str], CompiledWrite]
    log_writes: frozenset[tuple[str, str]]
    """(artifact type, log) pairs that may be appended to."""
    table_writes: Mapping[str, frozenset[str]]
    """Table → columns that may be written."""
    events: Mapping[str, CompiledEvent]
    returns: Mapping[str, Fields]
    returns_only: frozenset[str]
    """Response fields that no artifact stores."""
    secret_answers: Mapping[str, frozenset[str]]
    """Name of an artifact in the answer → its fields that are stored nowhere."""
    answers: frozenset[str]
    """Names of the artifacts that every success answers."""
    errors: Mapping[str, ErrorSpec]
    error_effects: Mapping[str, CompiledErrorEffects]
    """Error code → what a failure with it commits all the same."""
    has_writes: bool
    must_write: bool
    """Whether a success without any write would break the contract."""
    required_types: frozenset[str]
    """Artifact types that a success which writes at all has written."""
    required_tables: frozenset[str]
    """Domain tables that it has written."""
    updated_types: frozenset[str]
    """Artifact types that this intent may update: its writers queue for them."""

    @property
    def validate(self) -> Callable[[Mapping[str, Any]], BoundParams]:
        """Check parameters (strict JSON values): see `Parameters.validate`."""
        return self.parameters.validate

    @property
    def secret_params(self) -> frozenset[str]:
        """Parameters that are secret, or hold something secret."""
        return self.parameters.secret

    @property
    def rejects_mismatch(self) -> bool:
        """Whether an equal key with other parameters is an error rather than a replay."""
        return self.idempotency is not None and not self.idempotency.return_stored_on_mismatch

    @property
    def has_replays(self) -> bool:
        """Whether an answer may be asked for again: by the contract's key, or by the caller's own."""
        return self.idempotency is not None or not self.is_public

    @property
    def required_events(self) -> frozenset[str]:
        """Event types that every success emits."""
        return frozenset(name for name, event in self.events.items() if event.required)

    def key_parts(
        self,
        tenant_id: str,
        user_id: str,
        params: BoundParams,
        derived: Mapping[str, Any],
        facts: Mapping[str, Any] = NO_FACTS,
    ) -> list[Any]:
        """The JSON value whose keyed digest is the contract key (10-runtime, "Idempotency, exactly", 1).

        Every component keeps its type and its place; an absent one is null. LookupError for an
        intent without a key.
        """
        if self.idempotency is None:
            msg = f"{self.intent_type} has no idempotency key"
            raise LookupError(msg)
        context = {"tenant_id": tenant_id, "user_id": user_id}
        prefix = [ALGORITHM, tenant_id, self.intent_type, self.major]
        return prefix + self.idempotency.components_of(context, params, derived, facts)

    def fingerprint_value(self, params: BoundParams, derived: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON value that tells calls with equal keys apart: every bound parameter with an effect.

        A derived value that covers parameters stands for them; `view` and `secret` ones are left out.
        """
        covered = self.idempotency.covered if self.idempotency else frozenset()
        covering = self.idempotency.covering if self.idempotency else ()
        return {
            "params": {name: params[name] for name in self.parameters.effective if name not in covered},
            "derived": {name: derived[name] for name in covering},
        }

    def sent_fingerprint_value(self, params: BoundParams) -> dict[str, Any]:
        """The same for a client's key: what was sent, before defaults, without view and secret parameters."""
        return {name: params[name] for name in self.parameters.effective if name in params.given}

    def error(self, code: str) -> ErrorSpec | None:
        """The declared failure; None for a code that this contract does not declare."""
        return self.errors.get(code)

    def is_final(self, code: str) -> bool:
        """Whether this failure is stored, so that a duplicate gets it again."""
        declared = self.errors.get(code)
        return declared is not None and declared.final

    def artifact_write(self, artifact_type: str, operation: str) -> CompiledWrite | None:
        """The declared write of a type (`operation`: create or update); None: it may not be written so."""
        return self.writes.get((artifact_type, operation))

    def complete(self, error: IntentError) -> bool:
        """Fill message, kind and retryable of an error from the contract, else from the runtime's own.

        Returns whether the code is declared at all: by this contract, or by the runtime.
        """
        if (declared := self.errors.get(error.code)) is not None:
            error.message = error.message or declared.message or _sentence(error.code)
            error.declared_kind = declared.kind
            error.declared_retryable = declared.retryable
            error.legacy_code = declared.legacy_code or error.legacy_code
            return True
        if (known := RUNTIME_ERRORS.get(error.code)) is None:
            return False
        error.message = error.message or (known.__doc__ or "").strip()
        error.declared_kind = known.default_kind
        error.declared_retryable = known.default_retryable
        error.legacy_code = known.default_legacy_code
        return True

    def check_payload(self, artifact_type: str, operation: str, payload: Mapping[str, Any]) -> None:
        """Check a stored payload (`operation`: create or update); raises ContractViolation."""
        write = self.artifact_write(artifact_type, operation)
        if write is None:
            msg = f"{self.intent_type} does not declare to {operation} a {artifact_type}"
            raise ContractViolation(msg, artifact=artifact_type, operation=operation)
        checked(write.payload, payload, f"the payload of {artifact_type}")

    def check_answer(self, name: str, payload: Mapping[str, Any]) -> None:
        """Check the semantic_payload of one artifact of the answer; raises ContractViolation."""
        if (fields := self.returns.get(name)) is None:
            msg = f"{self.intent_type} does not declare to answer `{name}`"
            raise ContractViolation(msg, artifact=name)
        checked(fields, payload, f"the answer's {name}")


def compile_contract(contract: Contract, catalog: Catalog, settings: Mapping[str, int]) -> CompiledContract:
    """Compile a contract that `load_folders` accepted; `settings` override the limits that name one."""
    effects = contract.effects
    sources = catalog.default_sources
    return CompiledContract(
        contract=contract,
        intent_type=contract.intent,
        version=contract.version,
        major=contract.major,
        handler=contract.handler,
        deadline_seconds=contract.deadline,
        access=frozenset(contract.access),
        permissions=frozenset(contract.permissions),
        needs_session="session_ref" in contract.context,
        proof=contract.proof,
        is_public="public" in contract.access,
        of_services=set(contract.access) == {"service"},
        parameters=Parameters(contract.params, settings, contract.errors),
        reads=effects.reads,
        default_sources={
            name: sources[param.default_from] for name, param in contract.params.items() if param.default_from
        },
        idempotency=CompiledIdempotency.of(contract),
        writes=_writes(contract, settings),
        log_writes=frozenset((write.of, write.log) for write in effects.writes if write.of and write.log),
        table_writes=_tables(contract),
        events={event.type: CompiledEvent.of(event, settings) for event in effects.events},
        returns={name: Fields(shapes, settings) for name, shapes in contract.returns.items()},
        returns_only=frozenset(contract.returns_only),
        secret_answers=_secret_answers(contract),
        answers=frozenset(contract.returns),
        errors=contract.errors,
        error_effects={
            code: CompiledErrorEffects.of(error.effects, settings)
            for code, error in contract.errors.items()
            if error.effects
        },
        has_writes=bool(effects.writes),
        must_write=_must_write(contract),
        required_types=frozenset(write.artifact for write in effects.writes if write.artifact and not write.optional),
        required_tables=frozenset(write.table for write in effects.writes if write.table and not write.optional),
        updated_types=frozenset(
            write.artifact for write in effects.writes if write.artifact and write.operation == "update"
        ),
    )


def _must_write(contract: Contract) -> bool:
    """An event with `unless: unchanged` says that a success may change nothing."""
    may_be_unchanged = any(event.unless for event in contract.effects.events)
    return not may_be_unchanged and any(not write.optional for write in contract.effects.writes)


def _writes(contract: Contract, settings: Mapping[str, int]) -> dict[tuple[str, str], CompiledWrite]:
    declared: dict[tuple[str, str], list[WriteSpec]] = {}
    for write in contract.effects.writes:
        if write.artifact:
            declared.setdefault((write.artifact, write.operation), []).append(write)
    return {target: CompiledWrite.of(writes, settings) for target, writes in declared.items()}


def _secret_answers(contract: Contract) -> dict[str, frozenset[str]]:
    found = {
        name: frozenset(field for field, shape in shapes.items() if shape.secret)
        for name, shapes in contract.returns.items()
    }
    return {name: fields for name, fields in found.items() if fields}


def _tables(contract: Contract) -> dict[str, frozenset[str]]:
    tables: dict[str, frozenset[str]] = {}
    for write in contract.effects.writes:
        if write.table:
            tables[write.table] = tables.get(write.table, frozenset()).union(write.columns)
    return tables


def _sentence(code: str) -> str:
    return code.replace("_", " ").capitalize() + "."
