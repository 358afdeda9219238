"""The idempotency key and the fingerprints of a contract, as JSON values to be digested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symphainy_platform.contract.bound import BoundParams
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.spec import PROOF


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledIdempotency:
    """How duplicates of one intent are recognized. Times are seconds."""

    components: tuple[str, ...]
    """Scope (beyond the tenant, which prefixes every key) and key, in the contract's order."""
    derive: Mapping[str, str]
    """Derived value → the method of the service that computes it from the bound parameters."""
    covered: frozenset[str]
    """Parameters that a derived value stands for in the fingerprint."""
    covering: tuple[str, ...]
    """Derived values that stand for parameters."""
    return_stored_on_mismatch: bool
    window_seconds: int | None
    until_next_write: bool
    replay_while: str | None
    """The method of the service that says whether a stored answer may still be given."""
    ttl_seconds: int | None

    @property
    def lifetime_seconds(self) -> int:
        """How long the key holds after the commit: the window, else the ttl."""
        return self.window_seconds or self.ttl_seconds or 0

    @classmethod
    def of(cls, contract: Contract) -> CompiledIdempotency | None:
        """Compile; None for an intent without a key."""
        declared = contract.idempotency
        if declared.none is not None:
            return None
        covers = {name: derivation.covers for name, derivation in declared.derive.items()}
        return cls(
            components=(*[name for name in declared.scope if name != "tenant_id"], *declared.key),
            derive={name: derivation.by for name, derivation in declared.derive.items()},
            covered=frozenset(name for names in covers.values() for name in names),
            covering=tuple(sorted(name for name, names in covers.items() if names)),
            return_stored_on_mismatch=declared.on_mismatch == "return_stored",
            window_seconds=declared.window,
            until_next_write=declared.until == "next_write",
            replay_while=declared.replay_while,
            ttl_seconds=declared.ttl,
        )

    def components_of(
        self, context: Mapping[str, str], params: BoundParams, derived: Mapping[str, Any], facts: Mapping[str, Any]
    ) -> list[Any]:
        """The values of the components: each from the derived values, the context, the proof or the parameters."""
        known = {**context, **derived, **{f"{PROOF}{name}": value for name, value in facts.items()}}
        return [known[name] if name in known else params[name] for name in self.components]
