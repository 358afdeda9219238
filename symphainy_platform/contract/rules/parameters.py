"""Rules on parameters: defaults, sources, limits, names."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic_core import SchemaError

from symphainy_platform.contract.catalog import Catalog, Sourced
from symphainy_platform.contract.findings import Finding, did_you_mean
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.rules.scope import known_codes, shapes_of
from symphainy_platform.contract.shape import walk
from symphainy_platform.contract.spec import PROOF
from symphainy_platform.contract.validators import Fields, Mismatch
from symphainy_platform.errors import RUNTIME_ERRORS

_OF_THE_IDENTITY = frozenset({"tenant_id", "user_id"})


def patterns_compile(_: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """The engine that checks values knows neither look-around nor back-references."""
    for path, shapes in shapes_of(sourced.value):
        for name, shape in shapes.items():
            try:
                Fields({name: shape}, {})
            except SchemaError:
                message = "a pattern cannot be compiled"
                fix = "avoid look-around and back-references"
                yield sourced.source.finding((*path, name), message, fix)


def defaults_are_valid(_: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """A default satisfies its own parameter."""
    for name, param in sourced.value.params.items():
        if not param.has_default or param.default is None:
            continue
        try:
            Fields({name: param}, {}).check({name: param.default})
        except Mismatch as mismatch:
            yield sourced.source.finding(("params", name, "default"), f"must be {mismatch.problem.expected}")
        except SchemaError:
            continue  # reported by patterns_compile


def default_sources_exist(catalog: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """`default_from` names a source that a type file declares."""
    for name, param in sourced.value.params.items():
        if param.default_from and param.default_from not in catalog.default_sources:
            hint = did_you_mean(param.default_from, catalog.default_sources)
            message = f"no type file declares the source `{param.default_from}`"
            yield sourced.source.finding(("params", name, "default_from"), message, hint)


def limit_codes_are_declared(_: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """`too_large` and `too_deep` name errors of this contract."""
    for section, shapes in shapes_of(sourced.value):
        for path, shape in walk(shapes):
            for limit in ("too_large", "too_deep"):
                code = getattr(shape, limit)
                if code and code not in sourced.value.errors:
                    hint = did_you_mean(code, sourced.value.errors)
                    yield sourced.source.finding((*section, *path, limit), f"errors has no {code}", hint)


def aliases_are_unique(_: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """An earlier name leads to one parameter."""
    taken = dict.fromkeys(sourced.value.params)
    for name, param in sourced.value.params.items():
        for alias in param.aliases:
            if alias in taken:
                yield sourced.source.finding(("params", name, "aliases"), f"`{alias}` is the name of two parameters")
            taken[alias] = None


def errors_of_the_runtime_agree(_: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """A code that the runtime itself answers keeps its kind and says whether a retry may help."""
    runtime = known_codes()
    for code, declared in sourced.value.errors.items():
        if code in runtime and declared.retryable != RUNTIME_ERRORS[code].default_retryable:
            wanted = str(RUNTIME_ERRORS[code].default_retryable).lower()
            message = f"the runtime answers {code} with retryable {wanted}"
            yield sourced.source.warning(("errors", code), message, f"write retryable: {wanted}")
        if code in runtime and declared.kind != runtime[code]:
            message = f"the runtime answers {code} with kind {runtime[code]}"
            yield sourced.source.finding(("errors", code, "kind"), message, f"write kind: {runtime[code]}")


def key_components_exist(_: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """Every component of the key is a parameter, a context name or a derived value."""
    contract = sourced.value
    declared = contract.idempotency
    valid = {*contract.params, *declared.derive, *_OF_THE_IDENTITY}
    for index, name in enumerate(declared.key):
        path = ("idempotency", "key", index)
        if name.startswith(PROOF):
            if contract.proof is None:
                yield sourced.source.finding(path, "the contract has no proof", "declare proof, or name a parameter")
        elif name not in valid:
            yield sourced.source.finding(path, f"`{name}` is nothing that a key can hold", did_you_mean(name, valid))
        elif name in contract.params and name in _OF_THE_IDENTITY:
            message = f"`{name}` is both a parameter and the caller's own"
            yield sourced.source.finding(path, message, "give the parameter another name")
        elif name in contract.params and contract.params[name].view:
            yield sourced.source.finding(path, f"`{name}` only shapes the answer", "leave it out, or remove view: true")


def key_is_of_one_user(_: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """No replay reaches another user: the key holds the user, or the id of an artifact whose owner `bind` checks."""
    contract = sourced.value
    owned = {read.id for read in contract.effects.reads if read.unnamed is None}
    components = {*contract.idempotency.scope, *contract.idempotency.key}
    if contract.idempotency.key and "public" not in contract.access and not components & {"user_id", *owned}:
        message = "two users of a tenant could share this key, and one would get the other's answer"
        yield sourced.source.finding(("idempotency", "key"), message, "add user_id to the scope")


def next_write_can_come(_: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """`until: next_write` speaks of an artifact that the contract reads and updates."""
    effects = sourced.value.effects
    updated = {write.artifact for write in effects.writes if write.operation == "update"}
    if sourced.value.idempotency.until and not updated.intersection(read.artifact for read in effects.reads):
        message = "the contract reads no artifact that it updates, so no next write would end the key"
        yield sourced.source.finding(("idempotency", "until"), message, "use window or ttl alone")


def derivations_agree(_: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """Derived values are used, do not hide a parameter, and cover parameters that exist."""
    contract = sourced.value
    for name, derivation in contract.idempotency.derive.items():
        path = ("idempotency", "derive", name)
        if name in contract.params:
            yield sourced.source.finding(path, f"`{name}` is a parameter already")
        if name not in contract.idempotency.key:
            yield sourced.source.finding(path, "is derived but not part of the key", "add it to key, or remove it")
        for covered in derivation.covers:
            if covered not in contract.params:
                hint = did_you_mean(covered, contract.params)
                yield sourced.source.finding((*path, "covers"), f"there is no parameter `{covered}`", hint)
