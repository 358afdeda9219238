"""What a contract demands, read from its text alone.

The checks judge the runtime, so they must not ask it (nor the compiled contract) what is right.
"""

from __future__ import annotations

from dataclasses import dataclass

from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.shape import walk


@dataclass(frozen=True, slots=True)
class Rules:
    """The demands of one contract that more than one check needs."""

    contract: Contract

    @property
    def has_key(self) -> bool:
        """Whether duplicates are recognized."""
        return bool(self.contract.idempotency.key)

    @property
    def is_public(self) -> bool:
        """Whether a proof, and not the caller's identity, says on whose behalf it runs."""
        return "public" in self.contract.access

    @property
    def of_services(self) -> bool:
        """Whether only services submit it: they work on the whole tenant, on behalf of anybody in it."""
        return set(self.contract.access) == {"service"}

    @property
    def lifetime(self) -> int:
        """Seconds that the key holds after the commit: the window, else the ttl."""
        return self.contract.idempotency.window or self.contract.idempotency.ttl or 0

    @property
    def until_next_write(self) -> bool:
        """Whether a later write ends the key."""
        return self.contract.idempotency.until is not None

    @property
    def rejects_mismatch(self) -> bool:
        """Whether an equal key with other parameters is refused."""
        return self.contract.idempotency.on_mismatch == "reject"

    @property
    def key_components(self) -> tuple[str, ...]:
        """Scope and key, in order."""
        return (*self.contract.idempotency.scope, *self.contract.idempotency.key)

    @property
    def in_key(self) -> frozenset[str]:
        """Parameters that the key depends on, also by way of a derived value."""
        derived = [name for entry in self.contract.idempotency.derive.values() for name in entry.covers]
        return frozenset(self.contract.params).intersection((*self.key_components, *derived))

    @property
    def effective(self) -> tuple[str, ...]:
        """Parameters with an effect that a fingerprint can show: neither `view` nor secret."""
        secret = {path[0] for path, shape in walk(self.contract.params) if shape.secret}
        return tuple(name for name, param in self.contract.params.items() if not param.view and name not in secret)

    @property
    def has_writes(self) -> bool:
        """Whether a success writes anything."""
        return bool(self.contract.effects.writes)

    @property
    def must_write(self) -> bool:
        """Whether every success writes: optional writes and events with `unless: unchanged` say that it need not."""
        may_be_unchanged = any(event.unless for event in self.contract.effects.events)
        return not may_be_unchanged and any(not write.optional for write in self.contract.effects.writes)

    @property
    def updates(self) -> frozenset[str]:
        """Artifact types that the intent updates."""
        writes = self.contract.effects.writes
        return frozenset(write.artifact for write in writes if write.artifact and write.operation == "update")

    @property
    def artifacts(self) -> frozenset[str]:
        """Artifact types that a success which writes has written."""
        writes = self.contract.effects.writes
        return frozenset(write.artifact for write in writes if write.artifact and not write.optional)

    @property
    def secret_answers(self) -> dict[str, frozenset[str]]:
        """The secret fields of each artifact of the answer: they are in no record."""
        return {
            name: frozenset(field for field, shape in shapes.items() if shape.secret)
            for name, shapes in self.contract.returns.items()
        }

    def has_effects(self, code: str) -> bool:
        """Whether a failure commits something beside its record."""
        declared = self.contract.errors.get(code)
        return declared is not None and declared.effects is not None

    def is_final(self, code: str) -> bool:
        """Whether a failure is kept, so that a duplicate gets it again."""
        declared = self.contract.errors.get(code)
        return declared is not None and declared.final
