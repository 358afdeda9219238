"""Stage `invoke`: run the service; whatever it raises becomes one declared failure."""

from __future__ import annotations

import asyncio

import orjson

from symphainy_platform.context import ExecutionContext
from symphainy_platform.contract.compile import CompiledContract
from symphainy_platform.errors import ContractViolation, HandlerError, IntentError, RuntimeIntentError
from symphainy_platform.faults import frames
from symphainy_platform.runtime.execution import Execution
from symphainy_platform.service import IntentResult


async def invoke(execution: Execution, context: ExecutionContext) -> IntentResult:
    """Let the service decide. Undeclared codes are CONTRACT_VIOLATION, exceptions HANDLER_ERROR."""
    route = execution.route
    execution.invoked = True
    cancelled = _Cancelled()
    try:
        result = await route.service.execute(context, execution.params.values)
    except IntentError as error:
        cancelled.check()
        check_declared(route.contract, error)
        raise
    except (KeyboardInterrupt, GeneratorExit):  # the operator's and the interpreter's, not the service's
        raise
    except BaseException as error:  # the plugin boundary: a service may raise anything, also SystemExit
        cancelled.check()
        context.log.error(  # noqa: TRY400 - a traceback may show parameters
            "handler_error", execution_id=context.execution_id, error_type=type(error).__name__, at=frames(error)
        )
        raise HandlerError from error
    cancelled.check()
    if not isinstance(result, IntentResult):
        raise ContractViolation("The service did not return an IntentResult.")
    return result


class _Cancelled:
    """Tells a cancellation of this task from one that came before: a caller may go on after its own."""

    __slots__ = ("_before", "_task")

    def __init__(self) -> None:
        self._task = asyncio.current_task()
        self._before = self._task.cancelling() if self._task else 0

    def check(self) -> None:
        """A service that swallows its cancellation is cancelled all the same: its caller or its time is gone."""
        if self._task and self._task.cancelling() > self._before:
            raise asyncio.CancelledError


def check_declared(contract: CompiledContract, error: IntentError) -> None:
    """Complete a failure that a service raised from its contract; an undeclared one is a CONTRACT_VIOLATION."""
    is_complete = isinstance(error, RuntimeIntentError) and error.code not in contract.errors
    if not is_complete and not contract.complete(error):
        raise ContractViolation(f"The service raised {error.code}, which its contract does not declare.") from error
    try:
        orjson.dumps(error.details)
    except TypeError as reason:
        raise ContractViolation(f"The details of {error.code} are not JSON.") from reason
