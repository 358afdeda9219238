"""Stage `invoke`: run the service; whatever it raises becomes one declared failure."""

from __future__ import annotations

from symphainy_platform.context import ExecutionContext
from symphainy_platform.errors import RUNTIME_ERRORS, ContractViolation, HandlerError, IntentError
from symphainy_platform.runtime.execution import Execution
from symphainy_platform.service import IntentResult


async def invoke(execution: Execution, context: ExecutionContext) -> IntentResult:
    """Let the service decide. Undeclared codes are CONTRACT_VIOLATION, exceptions HANDLER_ERROR."""
    route = execution.route
    execution.invoked = True
    try:
        result = await route.service.execute(context, execution.params.values)
    except IntentError as error:
        if not route.contract.complete(error) and error.code not in RUNTIME_ERRORS:
            raise ContractViolation(f"The service raised {error.code}, which its contract does not declare.") from error
        raise
    except Exception as error:  # the plugin boundary: a service may raise anything, a caller sees one code
        context.log.exception("handler_error", error_type=type(error).__name__)
        raise HandlerError from error
    if not isinstance(result, IntentResult):
        raise ContractViolation("The service did not return an IntentResult.")
    return result
