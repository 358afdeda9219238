"""Rules on effects: codes, states, logs, tables and events must be declared and must fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from symphainy_platform.contract.catalog import Catalog, Sourced
from symphainy_platform.contract.effects import EventSpec, Transition, WriteSpec
from symphainy_platform.contract.findings import Finding, did_you_mean
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.rules.scope import answers, error_events, known_codes
from symphainy_platform.contract.shape import Shape, walk
from symphainy_platform.contract.spec import PROOF
from symphainy_platform.contract.yaml_source import Path


def reads_are_of_parameters(_: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """The id of a read is a parameter that can hold one."""
    params = sourced.value.params
    for index, read in enumerate(sourced.value.effects.reads):
        path = ("effects", "reads", index, "id")
        if read.id.startswith(PROOF):
            yield from _without_proof(sourced, path)
        elif read.id not in params:
            yield sourced.source.finding(path, f"there is no parameter `{read.id}`", did_you_mean(read.id, params))
        elif params[read.id].type not in {"uuid", "string"}:
            yield sourced.source.finding(path, f"`{read.id}` is no uuid or string")
        elif read.unnamed and params[read.id].required:
            yield sourced.source.finding(path, f"`{read.id}` is required, so it is never unnamed")


def _without_proof(sourced: Sourced[Contract], path: Path) -> Iterator[Finding]:
    if sourced.value.proof is None:
        yield sourced.source.finding(path, "the contract has no proof", "declare proof, or name a parameter")


def codes_of_reads_are_declared(_: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """`absent` and `wrong_state` name codes that the contract may answer."""
    for index, read in enumerate(sourced.value.effects.reads):
        for field in ("absent", "wrong_state"):
            code = getattr(read, field)
            if code and not answers(sourced.value, code):
                hint = did_you_mean(code, {*sourced.value.errors, *known_codes()})
                yield sourced.source.finding(("effects", "reads", index, field), f"errors has no {code}", hint)


def states_are_of_the_type(catalog: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """States of reads and writes are in the lifecycle of the artifact type, and the step is legal."""
    effects = sourced.value.effects
    for index, read in enumerate(effects.reads):
        for state in read.must_be:
            path: Path = ("effects", "reads", index, "must_be")
            yield from _unknown_state(catalog, sourced, read.artifact, state, path)
    for index, write in enumerate(effects.writes):
        if write.artifact and write.lifecycle:
            path = ("effects", "writes", index, "lifecycle")
            yield from _transition(catalog, sourced, write.artifact, write.lifecycle, path)


def _unknown_state(
    catalog: Catalog, sourced: Sourced[Contract], artifact: str, state: str, path: Path
) -> Iterator[Finding]:
    states = catalog.lifecycle(artifact).states
    if state not in states:
        yield sourced.source.finding(path, f"{artifact} has no state {state}", did_you_mean(state, states))


def _transition(
    catalog: Catalog, sourced: Sourced[Contract], artifact: str, declared: Transition, path: Path
) -> Iterator[Finding]:
    graph = catalog.lifecycle(artifact)
    unknown = [
        finding
        for state in (*declared.from_, declared.to)
        for finding in _unknown_state(catalog, sourced, artifact, state, path)
    ]
    yield from unknown
    for current in declared.from_ or (None,):
        if not unknown and not graph.allows(current, declared.to):
            message = f"{artifact} may not go from {current or 'nothing'} to {declared.to}"
            yield sourced.source.finding(path, message, "see the lifecycle of its type file")


def writes_are_of_the_type(catalog: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """Logs and tables are declared by the type file of an artifact that the contract writes."""
    writes = sourced.value.effects.writes
    types = {write.artifact for write in writes if write.artifact}
    files = [catalog.types[name].value for name in types if name in catalog.types]
    tables = {table for file in files for table in file.tables}
    for index, write in enumerate(writes):
        path = ("effects", "writes", index)
        owner = catalog.types.get(write.of or "")
        if write.log and write.of not in types:
            yield sourced.source.finding((*path, "of"), f"the contract does not write {write.of}")
        elif write.log and owner and write.log not in owner.value.logs:
            hint = did_you_mean(write.log, owner.value.logs)
            yield sourced.source.finding((*path, "log"), f"{write.of} has no log `{write.log}`", hint)
        if write.table and files and write.table not in tables:
            hint = did_you_mean(write.table, tables)
            yield sourced.source.finding((*path, "table"), f"no written type has a table `{write.table}`", hint)


def writes_are_declared_once(_: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """One declaration per target and operation; of an artifact, one for each state that it leads to."""
    seen: dict[tuple[str | None, ...], WriteSpec] = {}
    leads: set[tuple[str | None, ...]] = set()
    for index, write in enumerate(sourced.value.effects.writes):
        path = ("effects", "writes", index)
        name = write.artifact or write.log or write.table
        target = (write.artifact, write.of, write.log, write.table, write.operation)
        lead = (*target, write.lifecycle.to if write.lifecycle else None)
        if lead in leads:
            yield sourced.source.finding(path, f"{write.operation} of {name} is declared twice")
        elif seen.setdefault(target, write).payload != write.payload:
            yield sourced.source.finding((*path, "payload"), f"{write.operation} of {name} has two payloads")
        leads.add(lead)


def types_are_declared(catalog: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """An artifact type without a type file is legal (default lifecycle), but often a slip of the pen."""
    effects = sourced.value.effects
    places: list[tuple[Path, str]] = [
        *((("effects", "reads", index, "artifact"), read.artifact) for index, read in enumerate(effects.reads)),
        *(
            (("effects", "writes", i, "artifact"), write.artifact)
            for i, write in enumerate(effects.writes)
            if write.artifact
        ),
    ]
    for path, name in places:
        if name not in catalog.types:
            message = f"no type file declares `{name}`: it has the default lifecycle"
            yield sourced.source.warning(path, message, did_you_mean(name, catalog.types))


def events_fit(_: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """Events are declared once, and what they are about is in their payload."""
    effects = sourced.value.effects
    seen: set[str] = set()
    for index, event in enumerate(effects.events):
        path = ("effects", "events", index)
        if event.type in seen:
            yield sourced.source.finding((*path, "type"), f"the event {event.type} is declared twice")
        seen.add(event.type)
        yield from _without_subject(sourced, path, event)
        if "type" in event.payload:
            yield sourced.source.finding((*path, "payload"), "`type` is a field of every event already")
    for place, event in error_events(sourced.value):
        yield from _without_subject(sourced, place, event)


def _without_subject(sourced: Sourced[Contract], path: Path, event: EventSpec) -> Iterator[Finding]:
    """`about` names a field of the payload that always holds an id."""
    if event.about is None:
        return
    shape = event.payload.get(event.about)
    if shape is None:
        hint = did_you_mean(event.about, event.payload)
        yield sourced.source.finding((*path, "about"), f"the payload has no field `{event.about}`", hint)
    elif shape.type not in {"uuid", "string"} or shape.nullable or not shape.required:
        message = f"`{event.about}` is not always a uuid or string"
        yield sourced.source.finding((*path, "about"), message, "make it required, and not nullable")


def secrets_are_kept(_: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """A secret is neither in an event nor in a stored payload."""
    effects = sourced.value.effects
    places: list[tuple[Path, Mapping[str, Shape], str]] = [
        *((("effects", "events", i), event.payload, "be in an event") for i, event in enumerate(effects.events)),
        *((("effects", "writes", i), w.payload or {}, "be stored in clear") for i, w in enumerate(effects.writes)),
        *((place, event.payload, "be in an event") for place, event in error_events(sourced.value)),
    ]
    for path, shapes, words in places:
        for name, shape in walk(shapes):
            if shape.secret:
                yield sourced.source.finding((*path, "payload", *name), f"a secret must not {words}")


def secret_answers_are_flat(_: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """A secret field of an answer stands at its top, where it can be left out of the record; its artifact has none."""
    contract = sourced.value
    for name, shapes in contract.returns.items():
        for path, shape in walk(shapes):
            if shape.secret and len(path) > 1:
                message = "a secret field of an answer stands at its top"
                yield sourced.source.finding(("returns", name, *path), message)


def error_effects_are_possible(catalog: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """What a failure changes is an artifact that the contract reads, by a step of its lifecycle."""
    read = {read.artifact for read in sourced.value.effects.reads}
    for code, error in sourced.value.errors.items():
        declared = error.effects.lifecycle if error.effects else None
        if declared is not None and not any(_may_move(catalog, artifact, declared) for artifact in read):
            states = {state for artifact in read for state in catalog.lifecycle(artifact).states}
            message = f"no artifact that the contract reads may go to {declared.to} so"
            hint = did_you_mean(declared.to, states)
            yield sourced.source.finding(("errors", code, "effects", "lifecycle"), message, hint)


def _may_move(catalog: Catalog, artifact: str, declared: Transition) -> bool:
    graph = catalog.lifecycle(artifact)
    return all(graph.allows(current, declared.to) for current in declared.from_) and declared.to in graph.states


def answers_are_declared(_: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """`returns_only` names fields of `returns`, and no stored payload holds them."""
    contract = sourced.value
    answered = {name for shapes in contract.returns.values() for name in shapes}
    stored = {name for write in contract.effects.writes for name in write.payload or ()}
    for index, name in enumerate(contract.returns_only):
        path = ("returns_only", index)
        if name not in answered:
            yield sourced.source.finding(path, f"no answer has a field `{name}`", did_you_mean(name, answered))
        if name in stored:
            yield sourced.source.finding(path, f"`{name}` is stored", "remove it from the payload of the write")
    if not contract.returns:
        yield sourced.source.warning((), "the contract answers no artifact", "declare returns")


def identity_is_proven(catalog: Catalog, sourced: Sourced[Contract]) -> Iterator[Finding]:
    """A public intent needs a proof; permissions must be given by some role."""
    contract = sourced.value
    if contract.access == ("public",) and contract.proof is None:
        yield sourced.source.warning(("access",), "a public intent without a proof has neither tenant nor user")
    given = {permission for permissions in catalog.roles.permissions.values() for permission in permissions}
    for index, permission in enumerate(contract.permissions):
        if permission not in given:
            message = f"no role gives the permission {permission}"
            yield sourced.source.warning(("permissions", index), message, did_you_mean(permission, given))
