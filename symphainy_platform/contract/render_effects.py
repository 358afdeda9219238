"""Rendering what an intent leaves behind: its writes, events and transitions, also those of its failures."""

from __future__ import annotations

from collections.abc import Iterator

from symphainy_platform.contract.effects import ErrorEffects, EventSpec, Transition, WriteSpec
from symphainy_platform.contract.model import Contract


def written(write: WriteSpec) -> str:
    """One write, in a line."""
    often = ", when needed" if write.optional else ""
    if write.artifact:
        return f"Artifact `{write.artifact}`: {write.operation}{often}"
    if write.log:
        return f"Log `{write.log}` of `{write.of}`: {write.operation}{often}"
    columns = ", ".join(f"`{column}`" for column in write.columns)
    return f"Table `{write.table}`: {write.operation} {columns}{often}"


def runtime_errors(contract: Contract) -> Iterator[str]:
    """What it can fail with: status, whether to try again, and what the failure commits."""
    for code, declared in contract.errors.items():
        status = str(declared.kind.http_status)
        legacy = f"`{declared.legacy_code}` to older clients" if declared.legacy_code else ""
        retry = "the same call may succeed later" if declared.retryable else ""
        effects = f"commits all the same: {_committed(declared.effects)}" if declared.effects else ""
        said = "; ".join(part for part in (status, legacy, retry, effects) if part)
        yield f"{declared.message or code} -> `{code}` ({said})"
    yield "Beside these, the codes of the runtime (authentication, deadline, unavailable, internal)"


def required_events(contract: Contract) -> Iterator[str]:
    """The events of its successes, then those of its failures."""
    yield from map(_event, contract.effects.events)
    for code, error in contract.errors.items():
        for event in error.effects.events if error.effects else ():
            kept = ", kept in the audit chain" if event.audit else ""
            yield f"`{event.type}` - Required (with `{code}`){kept}"


def _event(event: EventSpec) -> str:
    when = f" (when {event.when})" if event.when else " (unless nothing changed)" if event.unless else ""
    where = ", in the answer only" if event.answer_only else ""
    kept = ", kept in the audit chain" if event.audit else ""
    return f"`{event.type}` - Required{when}{where}{kept}"


def allowed_transitions(contract: Contract) -> Iterator[str]:
    """Of each artifact, what may become of it."""
    changes: dict[str, list[str]] = {}
    for write in contract.effects.writes:
        if write.artifact and write.lifecycle:
            changes.setdefault(write.artifact, []).append(_transition(write.lifecycle))
    failing = [
        f"{_transition(error.effects.lifecycle)} with `{code}`"
        for code, error in contract.errors.items()
        if error.effects and error.effects.lifecycle
    ]
    for artifact, allowed in changes.items():
        ways = allowed + failing * (len(changes) == 1)
        yield f"`{artifact}`: {', or '.join(ways)}; every other transition is refused"
    if not contract.effects.writes:
        yield "Lifecycle state unchanged: nothing is written"


def _committed(effects: ErrorEffects) -> str:
    """What a failure changes although it fails."""
    changes = [_transition(effects.lifecycle)] if effects.lifecycle else []
    return ", ".join(changes + [f"event `{event.type}`" for event in effects.events])


def _transition(lifecycle: Transition) -> str:
    before = " or ".join(f'`"{state}"`' for state in lifecycle.from_) or "nothing"
    return f'from {before} to `"{lifecycle.to}"`'
