"""Writing a batch: one call of `symphainy.commit_intents`, item by item where a batch cannot be."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import orjson

from symphainy_platform.context import isoformat
from symphainy_platform.errors import ContractViolation, DatabaseUnavailable
from symphainy_platform.state.domain import DomainTables
from symphainy_platform.state.postgres.batch import encode
from symphainy_platform.state.postgres.driver import Connection, Runner
from symphainy_platform.state.postgres.faults import DATABASE_ERRORS, is_of_item, is_race, unavailable
from symphainy_platform.state.postgres.queries import SQL
from symphainy_platform.state.records import Commit, Committed, Conflict, Duplicate, ExecutionRecord, Failed, Outcome
from symphainy_platform.state.rows import Unstorable, execution_from

_RERUN_SECONDS = 3.0
"""How long an item that loses races is run again; a lock is waited for 2 s at the most (commit_intents)."""
_PAUSE_SECONDS = 0.01
_REMEMBERED = 10_000
_EXECUTION_COLUMNS = (
    "tenant_id",
    "execution_id",
    "user_id",
    "session_ref",
    "intent_type",
    "contract_version",
    "status",
    "trace_id",
    "started_at",
    "committed_at",
    "answer",
    "error",
    "key_digest",
    "key_fingerprint",
    "key_expires_at",
    "key_head_artifact",
    "key_head_version",
    "client_key_digest",
    "client_key_fingerprint",
    "client_key_expires_at",
    "client_key_head_artifact",
    "client_key_head_version",
)
_TIMES = frozenset({"started_at", "committed_at", "key_expires_at", "client_key_expires_at"})
_ITEM_FAULTS = (Unstorable, TypeError, ValueError, OverflowError)
"""What a value that Postgres or JSON has no place for raises while a batch is written."""


class Committer:
    """Writes batches over a few connections; remembers the positions of the events that it wrote."""

    def __init__(self, lane: Runner, written: Callable[[], None] = lambda: None) -> None:
        """Write over the connections of `lane`; `tables` are to be set before the first commit.

        `written` is called after each call that wrote events.
        """
        self._lane = lane
        self._written = written
        self.tables = DomainTables({})
        self.positions: deque[int] = deque(maxlen=_REMEMBERED)

    async def write(self, batch: Sequence[Commit], now: datetime | None) -> list[Outcome]:
        """Write the batch in one call; each item alone when one of them is bad or a race was lost.

        Raises DatabaseUnavailable; what was written of the batch by then is unknown, and a retry with
        the same execution ids tells.
        """
        if len(batch) > 1:
            try:
                return await self._call(batch, now)
            except _ITEM_FAULTS:
                pass  # each alone, below: who is bad and who is not
            except DATABASE_ERRORS as error:
                if not (is_of_item(error) or is_race(error)):
                    raise unavailable(error) from error
        return [await self._write_alone(item, now) for item in batch]

    async def _write_alone(self, item: Commit, now: datetime | None) -> Outcome:
        """Write one item; again, after a moment, when it lost a race."""
        deadline = time.monotonic() + _RERUN_SECONDS
        pause = _PAUSE_SECONDS
        while time.monotonic() < deadline:
            try:
                return (await self._call([item], now))[0]
            except _ITEM_FAULTS as error:
                return _failed(error)
            except DATABASE_ERRORS as error:
                if is_of_item(error):
                    return _failed(error)
                if not is_race(error):
                    raise unavailable(error) from error
            await asyncio.sleep(random.uniform(0, pause))  # noqa: S311 - spreads the racers
            pause *= 2
        raise DatabaseUnavailable(reason="contended")

    async def _call(self, batch: Sequence[Commit], now: datetime | None) -> list[Outcome]:
        text = encode(batch, self.tables)

        async def commit(connection: Connection) -> str:
            answer: str = await connection.fetchval(SQL["commit_intents"], text, now)
            return answer

        answer = orjson.loads(await self._lane.run(commit))
        if answer["position"] is not None:
            self.positions.append(answer["position"])
            self._written()
        if answer["outcomes"] is not None:
            return [_outcome(each) for each in answer["outcomes"]]
        return [Committed(_iso(answer["committed_at"]))] * len(batch)


def _failed(error: BaseException) -> Failed:
    reason = str(error) if isinstance(error, Unstorable) else type(error).__name__
    return Failed(ContractViolation("The store cannot hold what the intent service wrote.", reason=reason))


def _outcome(found: dict[str, Any]) -> Outcome:
    if "conflict" in found:
        return Conflict(found["conflict"]["artifact_id"], found["conflict"]["version"])
    if "record" in found:
        return Duplicate(_record(found["record"]), found["by"])
    return Committed(_iso(found["committed_at"]))


def _record(columns: dict[str, Any]) -> ExecutionRecord:
    """Read an execution from JSON, where times have another form and bytes are hexadecimal."""
    return execution_from(tuple(_column(name, columns[name]) for name in _EXECUTION_COLUMNS))


def _column(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _TIMES:
        return _iso(value)
    if name.endswith(("_digest", "_fingerprint")):
        return bytes.fromhex(value.removeprefix("\\x"))
    return value


def _iso(text: str) -> str:
    return isoformat(datetime.fromisoformat(text))
