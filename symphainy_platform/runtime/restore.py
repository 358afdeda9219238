"""What a stored answer lacks: its secret fields, which the service makes again for whoever may have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symphainy_platform.runtime.answer import Restore
from symphainy_platform.runtime.boundary import Boundary
from symphainy_platform.runtime.execution import Execution, ExecutionResult
from symphainy_platform.runtime.parts import Parts
from symphainy_platform.state.artifact import Artifact
from symphainy_platform.state.records import ExecutionRecord


async def replay(parts: Parts, execution: Execution, record: ExecutionRecord) -> ExecutionResult:
    """The stored answer, complete, as the caller of this execution may see it."""
    return await parts.answers.replay(record, execution.params.view_options, restore=_restoring(parts, execution))


def _restoring(parts: Parts, execution: Execution) -> Restore | None:
    """How this call's replay gets its secret fields; None when the contract answers none."""
    route = execution.route
    if not route.contract.secret_answers:
        return None

    async def restore(name: str, artifact: Artifact) -> Mapping[str, Any]:
        if name not in route.contract.secret_answers:
            return {}
        context = parts.context(execution, parts.surface(execution))
        with Boundary(execution, "restore_failed", "The answer cannot be shown again; what was committed stands."):
            return await route.service.restore(context, execution.params.values, name, artifact)

    return restore
