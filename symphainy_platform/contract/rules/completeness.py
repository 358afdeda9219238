"""Rules of a finished contract: warnings where people would look for something in vain."""

from __future__ import annotations

from collections.abc import Iterator

from symphainy_platform.contract.catalog import Catalog, Sourced
from symphainy_platform.contract.findings import Finding
from symphainy_platform.contract.model import Contract

_DOCS = (
    "flow",
    "observable_artifacts",
    "context",
    "idempotency",
    "implementation_steps",
    "happy_path",
    "compliance",
)


def file_is_named_after_intent(_: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """`<intent>.yaml`, or `<intent>.v2.yaml` for a second major version."""
    file = sourced.source.file.replace("\\", "/").rpartition("/")[2]
    if file.split(".")[0] != sourced.value.intent:
        yield sourced.source.warning(("intent",), f"the file is called {file}", f"call it {sourced.value.intent}.yaml")


def handler_is_named_after_intent(_: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """`…intent_services.<intent>_service`, the path that contract 003 names; two majors have a module each."""
    contract = sourced.value
    expected = [f"{contract.intent}_service", f"{contract.intent}_v{contract.major}_service"]
    if contract.handler.rpartition(".")[2] not in expected:
        message = "the handler is not named after its intent"
        yield sourced.source.warning(("handler",), message, f"call the module {' or '.join(expected)}")


def ready_contract_is_complete(_: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """A contract that is ready has examples and the whole prose of the 10-section document."""
    contract = sourced.value
    if contract.status != "ready":
        return
    if not contract.examples:
        yield sourced.source.warning(("examples",), "a ready contract has examples", "or set status: draft")
    for kind in ("happy", "boundary", "failure"):
        if contract.examples and not any(example.kind == kind for example in contract.examples.values()):
            yield sourced.source.warning(("examples",), f"there is no example of kind {kind}")
    for name in _DOCS:
        if not getattr(contract.docs, name):
            yield sourced.source.warning(("docs",), f"docs.{name} is empty", "or set status: draft")
    if not contract.docs.frontend.usage or not contract.docs.frontend.behavior:
        yield sourced.source.warning(("docs",), "docs.frontend is not complete", "give usage and behavior")


def errors_have_messages(_: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """A caller deserves a sentence."""
    for code, declared in sourced.value.errors.items():
        if declared.message is None:
            message = "has no message: callers see its code as a sentence"
            yield sourced.source.warning(("errors", code), message)


def writes_have_a_key(_: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """A read needs no key."""
    contract = sourced.value
    if contract.idempotency.key and not contract.effects.writes:
        yield sourced.source.warning(("idempotency",), "an intent that writes nothing needs no key", "write none: …")
