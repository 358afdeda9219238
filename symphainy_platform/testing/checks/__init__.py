"""Every check of the compliance suite, on one screen. A check is attached to no realm and no store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from symphainy_platform.testing.checks import (
    client_keys,
    concurrency,
    faults,
    identity,
    memory,
    parameters,
    reads,
    replay,
    results,
    windows,
)
from symphainy_platform.testing.trial import Trial

Check = Callable[[Trial], Awaitable[None]]

CHECKS: dict[str, Check] = {
    "params.missing": parameters.missing,
    "params.null": parameters.null,
    "params.type": parameters.wrong_type,
    "params.enum": parameters.outside_enum,
    "params.range": parameters.outside_range,
    "params.length": parameters.outside_length,
    "params.pattern": parameters.outside_pattern,
    "params.format": parameters.misformed,
    "params.items": parameters.outside_items,
    "params.bytes": parameters.too_large,
    "params.depth": parameters.too_deep,
    "params.nested": parameters.wrong_inside,
    "params.unknown": parameters.unknown,
    "params.limits": parameters.at_limits,
    "identity.missing": identity.missing,
    "identity.sessionless": identity.sessionless,
    "identity.forbidden": identity.forbidden,
    "reads.absent": reads.absent,
    "reads.wrong_state": reads.wrong_state,
    "reads.wrong_type": reads.wrong_type,
    "reads.other_tenant": reads.other_tenant,
    "reads.other_user": reads.other_user,
    "reads.default": reads.default_of_others,
    "result.answer": results.answer,
    "result.events": results.events,
    "result.writes": results.writes,
    "result.execution": results.execution,
    "result.secrets": results.secrets,
    "replay.same": replay.same,
    "replay.restart": replay.restart,
    "replay.view": replay.view,
    "replay.default": replay.default,
    "replay.alias": replay.alias,
    "replay.mismatch": replay.mismatch,
    "replay.scope": replay.scope,
    "replay.concatenation": replay.concatenation,
    "replay.failure": replay.failure,
    "window.inside": windows.inside,
    "window.outside": windows.outside,
    "window.fixed": windows.not_extended,
    "window.next_write": windows.until_next_write,
    "client_key.replay": client_keys.replay,
    "client_key.reused": client_keys.reused,
    "client_key.malformed": client_keys.malformed,
    "client_key.scope": client_keys.scope,
    "client_key.expiry": client_keys.expiry,
    "concurrent.duplicates": concurrency.duplicates,
    "concurrent.processes": concurrency.processes,
    "concurrent.cancelled": concurrency.cancelled,
    "concurrent.writers": concurrency.writers,
    "concurrent.lost_updates": memory.lost_updates,
    "restart.stateless": memory.stateless,
    "fault.every_step": faults.every_step,
    "fault.after_commit": faults.after_commit,
}
"""Check id → check, in the order of the report. Examples and scenarios follow as `example.<name>`."""
