"""Stage `invoke`: run the service; whatever it raises becomes one declared failure."""

from __future__ import annotations

from symphainy_platform.context import ExecutionContext
from symphainy_platform.errors import ContractViolation
from symphainy_platform.runtime.boundary import Boundary
from symphainy_platform.runtime.execution import Execution
from symphainy_platform.service import IntentResult


async def invoke(execution: Execution, context: ExecutionContext) -> IntentResult:
    """Let the service decide. Undeclared codes are CONTRACT_VIOLATION, exceptions HANDLER_ERROR."""
    execution.invoked = True
    with Boundary(execution, "handler_error"):
        result = await execution.route.service.execute(context, execution.params.values)
    if not isinstance(result, IntentResult):
        raise ContractViolation("The service did not return an IntentResult.")
    return result
