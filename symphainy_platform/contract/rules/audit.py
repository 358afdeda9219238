"""Rules on the audit chain."""

from __future__ import annotations

from collections.abc import Iterator

from symphainy_platform.contract.catalog import Catalog, Sourced
from symphainy_platform.contract.findings import Finding
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.rules.scope import error_events
from symphainy_platform.contract.yaml_source import Path


def audited_everywhere(catalog: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """The chain takes events by their type: who emits one that another contract has audited says so, too."""
    contract, audited = sourced.value, catalog.audited_events
    events = [(_path(index), event) for index, event in enumerate(contract.effects.events)]
    for path, event in [*events, *error_events(contract)]:
        if event.type in audited and not event.audit and not event.answer_only:
            message = f"another declaration of {event.type} has it audited: this one is, too"
            yield sourced.source.warning(path, message, "add audit: true")


def _path(index: int) -> Path:
    return ("effects", "events", index)
