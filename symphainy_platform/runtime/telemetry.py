"""What an operator sees: one log line, a few metrics and (with the extra) spans per intent.

Never parameters, tokens, raw session ids or prompt text.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from importlib.util import find_spec
from time import perf_counter, time_ns
from typing import Any, Protocol

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from symphainy_platform.context import Clock
from symphainy_platform.errors import IntentError
from symphainy_platform.runtime.execution import Execution, ExecutionResult
from symphainy_platform.runtime.histogram import StageSeconds
from symphainy_platform.state.records import PublishedEvent

log = structlog.get_logger("symphainy.intent")

UNKNOWN = "unknown"
"""The label of intents that no contract knows: callers must not be able to create labels."""


class Spans(Protocol):
    """Writes one execution's stages as spans."""

    def __call__(self, execution: Execution, started: float, outcome: str) -> None:
        """`started` is on the monotonic clock of the marks, in seconds."""


class Telemetry:
    """Counts, times and logs executions."""

    def __init__(self, waiting: Callable[[], int]) -> None:
        """`waiting` tells how many commits wait for the store."""
        self.registry = CollectorRegistry()
        self._intents = Counter(
            "symphainy_intents", "Intents by type and outcome.", ["intent", "outcome"], registry=self.registry
        )
        self._stages = StageSeconds()
        self.registry.register(self._stages)
        self._replays = Counter("symphainy_replays", "Idempotent replays.", ["intent"], registry=self.registry)
        self._conflicts = Counter(
            "symphainy_conflicts", "Attempts lost to a faster writer.", ["intent"], registry=self.registry
        )
        Gauge("symphainy_commits_waiting", "Commits that wait for the store.", registry=self.registry).set_function(
            waiting
        )
        self._outbox_lag = Gauge(
            "symphainy_outbox_lag_seconds", "Seconds from commit to delivery, newest event.", registry=self.registry
        )
        self._log_line = log.bind().info
        self._children: dict[tuple[Any, ...], Any] = {}
        self._spans = _spans()

    async def observe(self, execution: Execution, running: Coroutine[Any, Any, ExecutionResult]) -> ExecutionResult:
        """Await an execution; complete a failure's envelope; count, time and log it, however it ends."""
        started, result, outcome = perf_counter(), None, "cancelled"
        try:
            result = await running
            outcome = "completed"
        except IntentError as error:
            outcome = error.code
            error.execution_id = error.execution_id or execution.execution_id
            error.intent_type = error.intent_type or str(execution.request.intent_type)[:80]
            error.trace_id = error.trace_id or execution.trace_id
            raise
        finally:
            self._record(execution, result, started, outcome)
        return result

    def conflict(self, execution: Execution) -> None:
        """Count an attempt that must be taken again."""
        self._child(self._conflicts, execution.route.contract.intent_type).inc()

    def delivered(self, clock: Clock) -> Callable[[PublishedEvent], None]:
        """What the event feed calls for each event: keeps the outbox lag, in seconds."""

        def note(event: PublishedEvent) -> None:
            committed = datetime.fromisoformat(event.created_at)
            self._outbox_lag.set(max(0.0, (clock.now() - committed).total_seconds()))

        return note

    def _record(self, execution: Execution, result: ExecutionResult | None, started: float, outcome: str) -> None:
        route = getattr(execution, "route", None)
        intent = route.contract.intent_type if route else UNKNOWN
        replay = result is not None and result.idempotent_replay
        self._child(self._intents, intent, outcome).inc()
        if replay:
            self._child(self._replays, intent).inc()
        self._stages.observe(started, execution.marks)
        if self._spans is not None:
            self._spans(execution, started, outcome)
        self._log(execution, intent, outcome, replay=replay, seconds=perf_counter() - started)

    def _log(self, execution: Execution, intent: str, outcome: str, *, replay: bool, seconds: float) -> None:
        identity = getattr(execution, "identity", None)
        self._log_line(
            "intent",
            execution_id=execution.execution_id,
            intent=intent,
            tenant=identity.tenant_id if identity else None,
            session_ref=identity.session_ref if identity else None,
            outcome=outcome,
            duration_ms=round(seconds * 1000, 3),
            replay=replay,
            trace_id=execution.trace_id,
        )

    def _child(self, metric: Counter, *labels: str) -> Any:
        """The metric of these labels; asked once, the look-up costs as much as the count."""
        place = (metric, *labels)
        child = self._children.get(place)
        if child is None:
            child = self._children[place] = metric.labels(*labels)
        return child


def _spans() -> Spans | None:
    """Spans per stage when OpenTelemetry is installed (extra `telemetry`)."""
    if find_spec("opentelemetry") is None:
        return None
    from opentelemetry import trace  # noqa: PLC0415 - optional

    tracer, provided = trace.get_tracer("symphainy_platform"), _Provided(trace)

    def write(execution: Execution, started: float, outcome: str) -> None:
        if not provided():
            return
        offset = time_ns() - int(perf_counter() * 1e9)
        parent = tracer.start_span("intent", start_time=offset + int(started * 1e9))
        if parent.is_recording():
            parent.set_attribute("symphainy.intent", str(execution.request.intent_type)[:80])
            parent.set_attribute("symphainy.outcome", outcome)
            before = started
            for stage, ended in execution.marks:
                span = tracer.start_span(
                    stage, trace.set_span_in_context(parent), start_time=offset + int(before * 1e9)
                )
                span.end(end_time=offset + int(ended * 1e9))
                before = ended
        parent.end()

    return write


class _Provided:
    """Whether the application has set up a tracer provider; looked up again at most once a second."""

    def __init__(self, trace: Any) -> None:
        self._trace, self._answer, self._asked = trace, False, float("-inf")

    def __call__(self) -> bool:
        if (now := perf_counter()) - self._asked > 1.0:
            provider = self._trace.get_tracer_provider()
            self._answer, self._asked = not isinstance(provider, self._trace.ProxyTracerProvider), now
        return self._answer
