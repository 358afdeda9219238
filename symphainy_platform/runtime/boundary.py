"""The plugin boundary: whatever the code of a realm raises becomes one declared failure."""

from __future__ import annotations

import asyncio
from types import TracebackType

import orjson
import structlog

from symphainy_platform.contract.compile import CompiledContract
from symphainy_platform.errors import ContractViolation, HandlerError, IntentError, RuntimeIntentError
from symphainy_platform.faults import frames
from symphainy_platform.runtime.execution import Execution

log = structlog.get_logger(__name__)


class Boundary:
    """Around one call of a realm's code: `with Boundary(execution, "handler_error"): …`.

    An IntentError is completed from the contract (an undeclared one is CONTRACT_VIOLATION); anything
    else is logged under `event`, without what it says, and raised as HANDLER_ERROR with `message`.
    """

    __slots__ = ("_before", "_event", "_execution", "_message", "_task")

    def __init__(self, execution: Execution, event: str, message: str | None = None) -> None:
        """Guard a call that is made for `execution`."""
        self._execution = execution
        self._event = event
        self._message = message

    def __enter__(self) -> None:
        """Note what was cancelled before: a caller may go on after its own cancellation."""
        self._task = asyncio.current_task()
        self._before = self._task.cancelling() if self._task else 0

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        """Let a declared failure through, and turn everything else into one."""
        if isinstance(error, KeyboardInterrupt | GeneratorExit):  # the operator's and the interpreter's
            return
        self._check_cancelled()
        if isinstance(error, IntentError):
            check_declared(self._execution.route.contract, error)
        elif error is not None:
            self._crashed(error)

    def _check_cancelled(self) -> None:
        """Code that swallows its cancellation is cancelled all the same: its caller or its time is gone."""
        if self._task and self._task.cancelling() > self._before:
            raise asyncio.CancelledError

    def _crashed(self, error: BaseException) -> None:
        """A plugin may raise anything, also SystemExit, and the cancellation of a task of its own."""
        log.error(
            self._event, execution_id=self._execution.execution_id, error_type=type(error).__name__, at=frames(error)
        )
        raise HandlerError(self._message) from error


def check_declared(contract: CompiledContract, error: IntentError) -> None:
    """Complete a failure that a realm raised from its contract; an undeclared one is a CONTRACT_VIOLATION."""
    is_complete = isinstance(error, RuntimeIntentError) and error.code not in contract.errors
    if not is_complete and not contract.complete(error):
        raise ContractViolation(f"The service raised {error.code}, which its contract does not declare.") from error
    try:
        orjson.dumps(error.details)
    except TypeError as reason:
        raise ContractViolation(f"The details of {error.code} are not JSON.") from reason
