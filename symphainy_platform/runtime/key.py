"""Stage `key`: the contract's formula and the client's header, as HMACs over canonical values.

Algorithm `idem/v1`: HMAC-SHA-256, under a key that the store keeps, over canonical JSON of a
typed list (never of concatenated strings). Vectors: `tests/contract/canonical_vectors.json`.
"""

from __future__ import annotations

from typing import Any

from symphainy_platform.canonical import KeyedDigest
from symphainy_platform.errors import IntentError
from symphainy_platform.runtime.boundary import check_declared
from symphainy_platform.runtime.execution import Execution
from symphainy_platform.state.records import Guard


class Keys:
    """Computes both sorts of idempotency keys under one secret."""

    def __init__(self, secret: bytes, client_ttl_seconds: float) -> None:
        """`secret` is the store's own (32 bytes); client keys live `client_ttl_seconds`."""
        self._digest = KeyedDigest(secret)
        self._client_ttl = client_ttl_seconds

    def client_guard(self, execution: Execution) -> Guard | None:
        """The guard of the caller's Idempotency-Key: scope tenant and user; parameters as sent."""
        key, contract = execution.request.idempotency_key, execution.route.contract
        if key is None or contract.is_public:  # one who is not identified has no keys of one's own
            return None
        identity = execution.identity
        sent = contract.sent_fingerprint_value(execution.params)
        return Guard(
            digest=self._digest(["client/v1", identity.tenant_id, identity.user_id, key]),
            fingerprint=self._digest(["sent/v1", contract.intent_type, contract.major, sent]),
            lifetime=self._client_ttl,
        )

    def contract_guard(self, execution: Execution) -> Guard | None:
        """The guard of the contract's formula over the bound parameters; None without idempotency."""
        identity, contract, params = execution.identity, execution.route.contract, execution.params
        rule = contract.idempotency
        if rule is None:
            return None
        derived = {name: _derived(execution, by) for name, by in rule.derive.items()}
        parts = contract.key_parts(identity.tenant_id, identity.user_id, params, derived, execution.facts)
        meant = contract.fingerprint_value(params, derived)
        return Guard(
            digest=self._digest(parts),
            fingerprint=self._digest(["bound/v1", meant]),
            lifetime=rule.lifetime_seconds,
        )


def _derived(execution: Execution, by: str) -> Any:
    """A component that the service's method `by` computes from the parameters."""
    try:
        return getattr(execution.route.service, by)(execution.params.values)
    except IntentError as error:
        check_declared(execution.route.contract, error)
        raise
