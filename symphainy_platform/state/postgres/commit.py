"""Writing a batch: one call of `symphainy.commit_intents`, item by item where a batch cannot be."""

from __future__ import annotations

import asyncio
import operator
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from symphainy_platform.context import isoformat
from symphainy_platform.errors import ContractViolation, DatabaseUnavailable
from symphainy_platform.state.domain import DomainTables
from symphainy_platform.state.postgres.batch import encode, encode_some
from symphainy_platform.state.postgres.driver import Connection, Runner
from symphainy_platform.state.postgres.faults import DATABASE_ERRORS, is_of_item, is_race, is_refusal, unavailable
from symphainy_platform.state.postgres.queries import SQL
from symphainy_platform.state.postgres.silence import Impatient
from symphainy_platform.state.records import Commit, Committed, Conflict, Duplicate, ExecutionRecord, Failed, Outcome
from symphainy_platform.state.rows import Unstorable, execution_from

_RERUN_SECONDS = 3.0
"""How long items that lose races are run again; a lock is waited for 2 s at the most (commit_intents)."""
_LAST_SECONDS = 4.5
"""When none is tried any more: locks may be held that nobody gives back."""
_FIRST_SECONDS = 0.5
"""How long each of several items is tried at first: those whose locks are free shall not wait for the others'."""
_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE = 0.2
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
_IMPOSSIBLE = '{"executions":[{"n":0}]}'


class Committer:
    """Writes batches over a few connections; remembers the positions of the events that it wrote."""

    def __init__(self, lane: Runner, written: Callable[[], None] = lambda: None) -> None:
        """Write over the connections of `lane`; `tables` are to be set before the first commit.

        `written` is called after each call that wrote events.
        """
        self.way = Impatient(lane)
        self._written = written
        self._refused = False
        self.tables = DomainTables({})
        self.positions: deque[int] = deque(maxlen=_REMEMBERED)

    async def write(self, batch: Sequence[Commit], now: datetime | None) -> list[Outcome]:
        """Write the batch in one call, or several when it is large; each item alone when one is bad or lost a race.

        An item that got no answer, or no lock, has Failed with DatabaseUnavailable; it is raised when all of
        them have. What was written is unknown then, and a retry with the same execution ids tells.
        """
        outcomes: list[Outcome] = []
        while rest := batch[len(outcomes) :]:
            try:
                outcomes += await self._write_some(rest, now)
            except DatabaseUnavailable as error:
                outcomes += _all_failed(error, len(rest))
        _raise_if_all_failed(outcomes)
        return outcomes

    async def refusal(self) -> str | None:
        """Why the database would refuse every commit, if it refused the last; None when it would not.

        It is asked to write an execution that no schema holds: it refuses that for itself, or refuses to write.
        """
        if self._refused:
            try:
                await self._send(_IMPOSSIBLE, None)
            except DATABASE_ERRORS as error:
                if not is_of_item(error):
                    return str(unavailable(error).details["reason"])
        return None

    async def _write_some(self, batch: Sequence[Commit], now: datetime | None) -> list[Outcome]:
        """Write the first items, as many as one call bears."""
        begun, count = time.monotonic(), len(batch)
        if count > 1:
            try:
                count, text = encode_some(batch, self.tables)
                if count > 1:
                    return _outcomes(await self._send(text, now), count)
            except _ITEM_FAULTS:
                pass  # each alone, below: who is bad and who is not
            except DATABASE_ERRORS as error:
                if not (is_of_item(error) or is_race(error)):
                    raise unavailable(error) from error
        return await self._write_each(batch[:count], now, begun)

    async def _write_each(self, batch: Sequence[Commit], now: datetime | None, begun: float) -> list[Outcome]:
        """Write each item alone; those that lose a race again, after the others and a moment."""
        pause = _PAUSE_SECONDS
        turns = _Turns(batch, now, begun + _LAST_SECONDS, _FIRST_SECONDS if len(batch) > 1 else None)
        while turns.left:
            await self._write_round(turns)
            if time.monotonic() > begun + _RERUN_SECONDS:
                break
            if turns.left:
                await asyncio.sleep(random.uniform(0, pause))  # noqa: S311 - spreads the racers
                pause = min(_LONGEST_PAUSE, pause * 2)
        return turns.outcomes()

    async def _write_round(self, turns: _Turns) -> None:
        """Try what is left in order, nothing before what it may build on."""
        again: list[int] = []
        held: set[tuple[str, str]] = set()
        for number in turns.left:
            places = turns.batch[number].touched
            if held.isdisjoint(places) and time.monotonic() < turns.until:
                outcome = await self._write_alone(turns.batch[number], turns.now, turns.patience)
                if outcome is not None:
                    turns.decided[number] = outcome
                    continue
                turns.lost.update(places)
            held.update(places)
            again.append(number)
        turns.left, turns.patience = again, None

    async def _write_alone(self, item: Commit, now: datetime | None, patience: float | None) -> Outcome | None:
        """Write one item; None when it lost a race, or is not written after so many seconds."""
        limit = asyncio.timeout(patience)
        try:
            async with limit:
                return _outcomes(await self._send(encode([item], self.tables), now), 1)[0]
        except _ITEM_FAULTS as error:
            return _failed(error)
        except DatabaseUnavailable as error:
            return _failed_by(error)
        except DATABASE_ERRORS as error:
            if is_race(error) or limit.expired():
                return None
            return _failed(error) if is_of_item(error) else _failed_by(unavailable(error))

    async def _send(self, text: str, now: datetime | None) -> _Answer:
        """Call the database's function, and note what it says for all."""

        async def commit(connection: Connection) -> str:
            answer: str = await connection.fetchval(SQL["commit_intents"], text, now)
            return answer

        try:
            answer = _read(await self.way.run(commit))
        except DATABASE_ERRORS as error:
            self._refused = is_refusal(error) or (self._refused and not is_of_item(error))
            raise
        self._refused = False
        if answer.position is not None:
            self.positions.append(answer.position)
            self._written()
        return answer


@dataclass(slots=True)
class _Turns:
    """Items of a batch that are written one by one, and what became of them."""

    batch: Sequence[Commit]
    now: datetime | None
    until: float
    """When none is tried any more (monotonic seconds)."""
    patience: float | None
    """Seconds that each may take in this round."""
    decided: dict[int, Outcome] = field(default_factory=dict)
    lost: set[tuple[str, str]] = field(default_factory=set)
    """The artifacts of those that were tried in vain."""
    left: list[int] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with all of them."""
        self.left = list(range(len(self.batch)))

    def outcomes(self) -> list[Outcome]:
        """One for each item in order; those left are contended, or their turn never came."""
        contended, late = DatabaseUnavailable(reason="contended"), DatabaseUnavailable(reason="timeout")
        return [
            self.decided.get(number) or _failed_by(late if self.lost.isdisjoint(item.touched) else contended)
            for number, item in enumerate(self.batch)
        ]


class _Answer(NamedTuple):
    """What the function answers; `outcomes` is None when every item was written at `committed_at`."""

    committed_at: str
    position: int | None
    outcomes: list[Outcome] | None


def _read(text: str) -> _Answer:
    """Read an answer. Raises DatabaseUnavailable for one of another shape: what it is about, nobody knows."""
    try:
        answer = orjson.loads(text)
        position, outcomes = answer["position"], answer["outcomes"]
        return _Answer(
            committed_at=_iso(answer["committed_at"]),
            position=None if position is None else operator.index(position),
            outcomes=None if outcomes is None else [_outcome(each) for each in outcomes],
        )
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise DatabaseUnavailable(reason="unintelligible") from error


def _outcomes(answer: _Answer, count: int) -> list[Outcome]:
    outcomes = [Committed(answer.committed_at)] * count if answer.outcomes is None else answer.outcomes
    if len(outcomes) != count:
        raise DatabaseUnavailable(reason="unintelligible")
    return list(outcomes)


def _failed_by(error: DatabaseUnavailable) -> Failed:
    """One error for each item: it collects a traceback of its own."""
    copied = DatabaseUnavailable(error.message, **error.details)
    copied.__cause__ = error.__cause__
    return Failed(copied)


def _all_failed(error: DatabaseUnavailable, count: int) -> list[Outcome]:
    return [_failed_by(error) for _ in range(count)]


def _raise_if_all_failed(outcomes: Sequence[Outcome]) -> None:
    errors = [each.error for each in outcomes if isinstance(each, Failed)]
    if errors and len(errors) == len(outcomes) and all(isinstance(each, DatabaseUnavailable) for each in errors):
        raise errors[0]


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
