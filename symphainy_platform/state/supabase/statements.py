"""The statements of the Postgres store, sent by their names through the API.

The functions of state/postgres take a connection and ask it for rows; `Statements` is to them what a
connection is. A read goes to the database's `load`, a write to its `run`, a batch to `commit_intents`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from symphainy_platform.state.postgres.queries import SQL
from symphainy_platform.state.supabase.api import Api
from symphainy_platform.state.supabase.faults import Unintelligible

_NAMES = {statement: name for name, statement in SQL.items()}
_WRITES = frozenset(
    {"analyse", "append_audit", "begin_epoch", "forget_keys", "keep_key", "keep_meta", "purge", "sweep"}
)
_BYTES = "b"

Row = tuple[Any, ...]
Asked = tuple[str, tuple[Any, ...]]
"""A statement and its arguments."""


class Statements:
    """What the functions of the Postgres store use of a connection, one rpc each."""

    def __init__(self, api: Api) -> None:
        """Send over `api`."""
        self._api = api

    async def execute(self, query: str, *args: Any) -> str:
        """Run a statement that answers nothing."""
        await self.fetch(query, *args)
        return ""

    async def fetch(self, query: str, *args: Any) -> list[Row]:
        """Return all rows."""
        if _NAMES[query] in _WRITES:
            return _rows(await self._api.call("run", {"p_statement": _statement(query, args)}))
        return (await self.load([(query, args)]))[0]

    async def fetchrow(self, query: str, *args: Any) -> Row | None:
        """Return the first row, or None."""
        return next(iter(await self.fetch(query, *args)), None)

    async def fetchval(self, query: str, *args: Any) -> Any:
        """Return the first column of the first row, or None."""
        if query == SQL["commit_intents"]:
            return await self._commit(*args)
        row = await self.fetchrow(query, *args)
        return row[0] if row else None

    async def load(self, asked: Sequence[Asked]) -> list[list[Row]]:
        """Return the rows of each statement, all from one snapshot, in one rpc."""
        answers = await self._api.call("load", {"p_statements": [_statement(*each) for each in asked]})
        if not isinstance(answers, list) or len(answers) != len(asked):
            raise Unintelligible("The API did not answer every read.")
        return [_rows(answer) for answer in answers]

    async def _commit(self, batch: str, now: datetime | None) -> str:
        """Write a batch; the rpc takes the function's own arguments, and answers as it does."""
        answer = await self._api.call("commit_intents", {"p_batch": orjson.loads(batch), "p_now": _plain(now)})
        if not isinstance(answer, dict) or not answer.keys() >= {"committed_at", "position", "outcomes"}:
            raise Unintelligible("The API did not tell the outcomes of a batch.")
        return orjson.dumps(answer).decode()


def _statement(query: str, args: tuple[Any, ...]) -> list[Any]:
    return [_NAMES[query], [_plain(arg) for arg in args]]


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    return value.isoformat() if isinstance(value, datetime) else value


def _rows(answer: Any) -> list[Row]:
    """Read [cells, rows], where `cells` has a letter for each column."""
    match answer:
        case [str(cells), list(rows)] if all(isinstance(row, list) and len(row) == len(cells) for row in rows):
            pass
        case _:
            raise Unintelligible("The API answered what no statement answers.")
    if _BYTES not in cells:
        return [tuple(row) for row in rows]
    return [
        tuple(_bytes(value) if cell == _BYTES else value for cell, value in zip(cells, row, strict=True))
        for row in rows
    ]


def _bytes(text: Any) -> bytes | None:
    try:
        return None if text is None else bytes.fromhex(text.removeprefix("\\x"))
    except (AttributeError, ValueError) as error:
        raise Unintelligible("The API answered bytes that are none.") from error
