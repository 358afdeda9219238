"""The steps of a schema: which one a person means, which ones are to apply, and how they are told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from symphainy_platform.errors import StoreRefusedError


@dataclass(frozen=True, slots=True)
class SchemaStep:
    """One step of a store's schema, and whether the store has it."""

    name: str
    applied: bool
    applied_at: str | None = None
    """ISO-8601 UTC. None: it is not applied, or the store does not tell when it was."""


def find_step(known: Collection[str], wanted: str) -> str:
    """Return the name of the step that is meant: by its name, its number, or a beginning that no other step has.

    Raises StoreRefusedError, which names the known steps, when that is none of them or several.
    """
    if wanted in known:
        return wanted
    found = [name for name in known if _number(name) == wanted.lstrip("0")]
    found = found or [name for name in known if name.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    fault = "could be several steps" if found else "is no step"
    msg = f"{wanted!r} {fault} of the schema. The steps are: {', '.join(known)}."
    raise StoreRefusedError(msg)


def _number(name: str) -> str:
    return name.partition("_")[0].lstrip("0")


def steps_to_apply(known: Collection[str], applied: Collection[str], to: str | None) -> list[str]:
    """Return the steps that are missing, up to and including `to` (None: all of them).

    Raises StoreRefusedError for an unknown step, and for one that the store has left behind.
    """
    missing = [name for name in known if name not in applied]
    if to is None:
        return missing
    last = find_step(known, to)
    if last in applied and (newest := max(applied)) > last:
        msg = f"The schema is at {newest} already, and never goes back to {last}: the way back is a backup."
        raise StoreRefusedError(msg)
    return [name for name in missing if name <= last]


def told_steps(known: Iterable[str], applied: Mapping[str, str | None]) -> list[SchemaStep]:
    """Return every step with what the store keeps of it: `applied` holds the time of each, if it is known."""
    return [SchemaStep(name, name in applied, applied.get(name)) for name in known]
