"""Answering any number of reads in one rpc, by the functions of the Postgres store.

Each of them asks for the rows of one statement and makes its answer of them. They are run up to their
question first; all questions go out together, and each goes on with its rows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from types import coroutine
from typing import Any, cast

from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.state.postgres.driver import Connection
from symphainy_platform.state.postgres.reads import ANSWERS
from symphainy_platform.state.store import Read
from symphainy_platform.state.supabase.statements import Asked, Row


async def answer_reads(
    reads: Sequence[Read[Any]], listings: bytes, load: Callable[[Sequence[Asked]], Awaitable[list[list[Row]]]]
) -> list[Any]:
    """Answer reads in order; `load` brings the rows of all their statements from one snapshot."""
    questions = cast("Connection", _Questions())  # all that they use of a connection
    answers = [ANSWERS[type(read)](questions, read, listings) for read in reads]
    try:
        asked = [cast("Asked", answer.send(None)) for answer in answers]
        rows = await load(asked)
        return [_finished(answer, each) for answer, each in zip(answers, rows, strict=True)]
    finally:
        for answer in answers:
            answer.close()


def _finished(answer: Coroutine[Any, Any, Any], rows: list[Row]) -> Any:
    try:
        answer.send(rows)
    except StopIteration as done:
        return done.value
    except (TypeError, ValueError, LookupError, AttributeError) as error:  # rows of another statement, or of nobody's
        raise DatabaseUnavailable(reason="unintelligible") from error
    msg = "a read asks for more than one statement"
    raise AssertionError(msg)


class _Questions:
    """Hands each statement to whoever runs the coroutine, and waits for its rows."""

    async def fetch(self, query: str, *args: Any) -> list[Row]:
        return await _rows_of((query, args))

    async def fetchrow(self, query: str, *args: Any) -> Row | None:
        return next(iter(await _rows_of((query, args))), None)


@coroutine
def _rows_of(asked: Asked) -> Generator[Asked, list[Row], list[Row]]:
    return (yield asked)
