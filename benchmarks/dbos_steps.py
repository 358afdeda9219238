"""The opponent of the DBOS rows: a workflow of one step, which inserts the rows of our commit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from queue import SimpleQueue
from time import perf_counter
from types import TracebackType
from typing import Any, Self

from benchmarks.hand_rows import hand_rows
from benchmarks.result import BrokenInvariantError
from benchmarks.timing import Load

LIBRARY = "dbos"
_MOST_CALLERS = 32
_INSERT = """
    with artifact as (
      insert into symphainy.artifacts
      values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)),
    session as (
      insert into symphainy.chat_sessions (user_id, lifecycle_state, version, active_agent, context, created_at,
                                           updated_at, tenant_id, chat_session_id)
      values (%s, %s, %s, %s, %s, %s, %s, %s, %s))
    insert into symphainy.outbox (position, tenant_id, user_id, execution_id, intent_type, type, artifact_id,
                                  payload, created_at)
    values (pg_current_xact_id()::text::bigint, %s, %s, %s, %s, %s, %s, %s, %s)
"""


class DbosSteps:
    """DBOS Transact on a database that a store has migrated: `with DbosSteps(url) as steps: steps.drive(…)`.

    It gets the cheapest form that it has: threads, a step whose insert is one prepared statement in autocommit
    on an open connection, and no execution row beside the one that DBOS keeps itself.
    """

    def __init__(self, url: str) -> None:
        """Start nothing yet."""
        self._url = url
        self._users = count()
        self._idle: SimpleQueue[Any] = SimpleQueue()

    def __enter__(self) -> Self:
        """Launch it; it makes its tables in the same database."""
        import psycopg  # noqa: PLC0415 - comes with DBOS
        from dbos import DBOS  # noqa: PLC0415 - only this row needs it

        for _ in range(_MOST_CALLERS):
            self._idle.put(psycopg.connect(self._url, autocommit=True, prepare_threshold=1))
        config = {
            "name": "symphainy-bench",
            "system_database_url": self._url,
            "sys_db_pool_size": _MOST_CALLERS,
            "log_level": "ERROR",
        }
        DBOS(config=config)

        @DBOS.step()
        def write(user: str) -> str:
            return self._write(user)

        @DBOS.workflow()
        def workflow(user: str) -> str:
            return str(write(user))

        self._workflow = workflow
        DBOS.launch()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End its threads and every connection."""
        from dbos import DBOS  # noqa: PLC0415 - as above

        DBOS.destroy(destroy_registry=True)
        while not self._idle.empty():
            self._idle.get().close()

    def drive(self, callers: int, seconds: float) -> Load:
        """Let so many threads run the workflow for so long, each its next one when it has its answer."""
        before, began = self._kept(), perf_counter()
        with ThreadPoolExecutor(callers) as threads:
            each = list(threads.map(lambda _: self._called(began + seconds), range(callers)))
        load = [latency for latencies in each for latency in latencies]
        rate = len(load) / (perf_counter() - began)
        if self._kept() - before != len(load):
            msg = f"DBOS ran {len(load)} workflows, which wrote {self._kept() - before} sessions"
            raise BrokenInvariantError(msg)
        return Load(rate, load)

    def _called(self, until: float) -> list[float]:
        latencies: list[float] = []
        while (start := perf_counter()) < until:
            self._workflow(f"user_{next(self._users):07}")
            latencies.append(perf_counter() - start)
        return latencies

    def _write(self, user: str) -> str:
        _, artifact, row, _, event = hand_rows(user)
        self._execute(_INSERT, (*artifact, *row, *event))
        return str(artifact[1])

    def _kept(self) -> int:
        found = self._execute("select count(*) from symphainy.chat_sessions").fetchone()
        return int(found[0])

    def _execute(self, statement: str, values: tuple[Any, ...] = ()) -> Any:
        """Run a statement on a connection that nobody uses; there is one for each caller."""
        connection = self._idle.get()
        try:
            return connection.execute(statement, values)
        finally:
            self._idle.put(connection)
