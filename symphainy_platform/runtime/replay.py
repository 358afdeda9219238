"""Stage `replay`: does a stored record answer this call, and may it still?"""

from __future__ import annotations

from symphainy_platform.context import ExecutionContext
from symphainy_platform.errors import IdempotencyKeyReused
from symphainy_platform.runtime.boundary import Boundary
from symphainy_platform.runtime.execution import Execution
from symphainy_platform.state.artifact import Artifact
from symphainy_platform.state.records import ExecutionRecord, Guard


def client_replay(execution: Execution, record: ExecutionRecord, now: str) -> ExecutionRecord | None:
    """The record that holds the client's key, if it has not expired; other parameters are refused."""
    guard = execution.client_guard
    if guard is None or record.client_key is None:
        return None
    if record.client_key_expires_at is not None and record.client_key_expires_at <= now:
        supersede(execution, record)
        return None
    if record.client_key.fingerprint != guard.fingerprint:
        raise IdempotencyKeyReused
    return record


def contract_replay(execution: Execution, record: ExecutionRecord, now: str) -> ExecutionRecord | None:
    """The record that holds the contract's key, if its window is open and its version still the head."""
    guard = execution.guard
    if guard is None or record.key is None:
        return None
    if not _holds(record, record.key, execution.bound, now):
        supersede(execution, record)
        return None
    if execution.route.contract.rejects_mismatch and record.key.fingerprint != guard.fingerprint:
        raise IdempotencyKeyReused
    return record


async def may_replay(execution: Execution, context: ExecutionContext) -> bool:
    """Whether the service, where its contract asks it (`replay_while`), still stands by the stored answer."""
    rule, service = execution.route.contract.idempotency, execution.route.service
    if rule is None or rule.replay_while is None:
        return True
    with Boundary(execution, "replay_while_failed"):
        return bool(await getattr(service, rule.replay_while)(context, execution.params.values))


def _holds(record: ExecutionRecord, key: Guard, heads: dict[str, Artifact], now: str) -> bool:
    if record.key_expires_at is not None and record.key_expires_at <= now:
        return False
    if key.head is None:
        return True
    head = heads.get(key.head.artifact_id)
    return head is not None and head.version == key.head.version


def supersede(execution: Execution, record: ExecutionRecord) -> None:
    """Let this execution take the key over.

    Superseding gives up both keys of a record. Where it holds two, the store is left to free
    the one that no longer holds: the other still answers its own callers.
    """
    if record.key is not None and record.client_key is not None:
        return
    if record.execution_id not in execution.supersedes:
        execution.supersedes = (*execution.supersedes, record.execution_id)
