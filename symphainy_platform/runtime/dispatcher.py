"""The way of an intent, on one screen.

resolve → identify → validate (→ prove) → bind → key → claim/replay → invoke → check → commit → publish
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from symphainy_platform.errors import ExecutionTimeout, HandlerError, IntentError, ShuttingDown
from symphainy_platform.faults import frames
from symphainy_platform.runtime.bind import bind_defaults
from symphainy_platform.runtime.execution import Execution, ExecutionResult, IntentRequest
from symphainy_platform.runtime.identify import identify
from symphainy_platform.runtime.parts import Parts
from symphainy_platform.runtime.prove import prove
from symphainy_platform.runtime.replay import client_replay
from symphainy_platform.runtime.restore import replay
from symphainy_platform.runtime.settle import check_params, record_failure, run
from symphainy_platform.runtime.validate import envelope, idempotency_key, metadata, off_loop, validate
from symphainy_platform.state.records import Conflict, ExecutionRecord, Outcome
from symphainy_platform.state.store import ExecutionByClientKey, load_one

log = structlog.get_logger(__name__)


class Dispatcher:
    """Takes each intent through its stages, in this order and no other."""

    def __init__(self, parts: Parts) -> None:
        """Work with the parts that the platform put together."""
        self._parts = parts
        self._accepting = True
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def dispatch(self, request: IntentRequest) -> ExecutionResult:
        """Submit one intent; returns its answer or raises IntentError.

        A caller that is cancelled ends the execution until its hand-over to the store; from then
        on it is finished without the caller, and nobody who waits is stranded.
        """
        execution = self._parts.begin(request)
        try:
            return await self._parts.telemetry.observe(execution, self._gated(execution))
        except asyncio.CancelledError:
            if execution.handed is not None:
                self._finish(execution, execution.handed)
            raise

    def stop_accepting(self) -> None:
        """Refuse new intents with SHUTTING_DOWN; those that run go on."""
        self._accepting = False

    async def drain(self) -> None:
        """Wait until every running execution has ended."""
        while self._running or self._tasks:
            await self._idle.wait()
            if self._tasks:  # also those that callers have left in this very moment
                await asyncio.wait(set(self._tasks))

    async def _gated(self, execution: Execution) -> ExecutionResult:
        if not self._accepting:
            raise ShuttingDown
        return await self._counted(execution)

    async def _counted(self, execution: Execution) -> ExecutionResult:
        """Run one execution; count it as running while it does."""
        self._running += 1
        self._idle.clear()
        try:
            await self._admit(execution)
            return await self._until_deadline(execution)
        except IntentError:
            raise
        except Exception as error:  # a fault of this platform: the caller still gets one stable code
            log.error(  # noqa: TRY400 - a traceback may show parameters
                "dispatch_failed",
                execution_id=execution.execution_id,
                error_type=type(error).__name__,
                at=frames(error),
            )
            raise HandlerError("The platform failed; ask for the execution's status.") from error
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    async def _admit(self, execution: Execution) -> None:
        """resolve, identify, validate: nothing is read, nothing is written."""
        request, parts = execution.request, self._parts
        envelope(request)
        execution.route = parts.routes.resolve(request.intent_type, request.contract_version)
        execution.mark("resolve")
        identity = await identify(execution.route.contract, request, parts.identify, parts.roles)
        if identity is not None:
            execution.identity = identity
        execution.mark("identify")
        idempotency_key(request.idempotency_key)
        execution.metadata = metadata(request.metadata)
        execution.params = await validate(execution.route.contract, request)
        execution.mark("validate")

    async def _until_deadline(self, execution: Execution) -> ExecutionResult:
        try:
            async with asyncio.timeout(self._parts.deadline_of(execution)) as execution.deadline:
                return await self._guarded(execution)
        except TimeoutError as error:
            timeout = ExecutionTimeout()
            await record_failure(self._parts, execution, timeout)
            raise timeout from error

    async def _guarded(self, execution: Execution) -> ExecutionResult:
        """(prove,) bind, key, claim/replay; then the attempts: invoke, check, commit."""
        parts, large = self._parts, execution.request.large
        await prove(execution, parts.proofs, parts.roles)
        execution.client_guard = await off_loop(large, parts.keys.client_guard, execution)
        async with parts.claims.hold(execution.client_guard, execution):
            if stored := await self._client_record(execution):
                return await replay(parts, execution, stored)
            await bind_defaults(execution, parts.store)
            execution.mark("bind")
            execution.guard = await off_loop(large, parts.keys.contract_guard, execution)
            execution.mark("key")
            async with parts.claims.hold(execution.guard, execution):
                execution.mark("claim")
                return await run(parts, execution)

    async def _client_record(self, execution: Execution) -> ExecutionRecord | None:
        guard = execution.client_guard
        if guard is None:
            return None
        record = await load_one(self._parts.store, ExecutionByClientKey(execution.identity.tenant_id, guard.digest))
        return record and client_replay(execution, record, self._parts.time_of(record))

    def _finish(self, execution: Execution, handed: asyncio.Future[Outcome]) -> None:
        task = asyncio.create_task(self._finished(execution, handed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _finished(self, execution: Execution, handed: asyncio.Future[Outcome]) -> None:
        """The caller is gone. What it handed over stands; where another writer was faster, it is run again."""
        await asyncio.wait([handed])
        if handed.exception() is None and isinstance(handed.result(), Conflict):
            execution.deadline = None  # it ended with the caller
            execution.begin_again(None)
            with suppress(IntentError):  # logged and recorded like every failure; nobody waits for it
                await self._parts.telemetry.observe(execution, self._again(execution))

    async def _again(self, execution: Execution) -> ExecutionResult:
        await check_params(self._parts, execution)
        return await self._counted(execution)
