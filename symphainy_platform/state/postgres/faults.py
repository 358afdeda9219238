"""What an error of asyncpg means: for the caller, for the item that met it, and for the start."""

from __future__ import annotations

import asyncio

import asyncpg

from symphainy_platform.errors import DatabaseUnavailable, StoreRefusedError

DATABASE_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
"""Everything that asyncpg raises (its time-outs are the built-in one)."""

_LOST = ("08", "57P01", "57P02", "57P03", "57P05", "25P03")
"""SQLSTATE beginnings of a connection that ended: dropped, shut down, crashed, idle for too long."""
_RACES = ("40001", "40P01", "55P03")
"""Lost against somebody else: serialization, deadlock, a lock that was not given in time."""
_OF_THE_ITEM = ("21", "22", "23", "42703", "42804", "42P01", "54")
"""What the values of one item cause: types, constraints, unknown columns and tables, limits."""
_READ_ONLY = "25006"
_REFUSALS = (_READ_ONLY, "28", "3D", "3F", "42", "53100", "58", "XX")
"""What the next commit will meet as well: no rights, no function, no room."""
_REASONS = {
    _READ_ONLY: "read_only",
    "28": "refused",
    "3D": "missing",
    "3F": "schema",
    "42": "schema",
    "53100": "full",
    "53": "busy",
    "57014": "timeout",
    "58": "io",
    "XX": "damaged",
}
_MENDING = {
    "28": "it does not accept this user: check user and password",
    "3D": "there is no such database: create it",
    "42501": "the user may not do this: see the SQLSTATE message of the server's log, or migrate as the owner",
}


def is_lost(error: BaseException) -> bool:
    """Tell whether the connection ended: the outcome of what ran on it is unknown."""
    if isinstance(error, asyncpg.PostgresError):
        return _state(error).startswith(_LOST)
    if isinstance(error, (TimeoutError, asyncpg.DataError)):
        return False
    return isinstance(error, (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError))


def is_race(error: BaseException) -> bool:
    """Tell whether the same call may succeed at once."""
    return isinstance(error, asyncpg.PostgresError) and _state(error) in _RACES


def is_of_item(error: BaseException) -> bool:
    """Tell whether the values of an item are at fault, not the database."""
    return isinstance(error, asyncpg.PostgresError) and _state(error).startswith(_OF_THE_ITEM)


def is_read_only(error: BaseException) -> bool:
    """Tell whether the session may only read, as it was told when it began."""
    return isinstance(error, asyncpg.PostgresError) and _state(error) == _READ_ONLY


def is_refusal(error: BaseException) -> bool:
    """Tell whether the database would refuse whatever else is written as well."""
    return isinstance(error, asyncpg.PostgresError) and _state(error).startswith(_REFUSALS) and not is_of_item(error)


def is_of_text(error: BaseException | None) -> bool:
    """Tell whether a text was asked for that cannot be in any table: with NUL in it, or half a character."""
    return isinstance(error, (asyncpg.CharacterNotInRepertoireError, asyncpg.DataError))


def unavailable(error: BaseException) -> DatabaseUnavailable:
    """Translate an error of a running store; neither address nor SQL reaches the message."""
    return DatabaseUnavailable(reason=_reason(error))


def at_start(place: str, error: BaseException) -> StoreRefusedError | DatabaseUnavailable:
    """Translate an error at the start into a sentence; a server that is away for now is no reason to refuse it."""
    if isinstance(error, asyncpg.PostgresError) and not (is_lost(error) or is_race(error)):
        state = _state(error)
        mending = next((text for start, text in _MENDING.items() if state.startswith(start)), str(error))
        return StoreRefusedError(f"The store {place} cannot be used: {mending}.")
    return unavailable(error)


def _reason(error: BaseException) -> str:
    if isinstance(error, asyncpg.PostgresError):
        state = _state(error)
        if is_lost(error):
            return "lost"
        if is_race(error):
            return "contended"
        return next((reason for start, reason in _REASONS.items() if state.startswith(start)), "database")
    if isinstance(error, (TimeoutError, asyncio.TimeoutError)):
        return "timeout"
    return "refused" if isinstance(error, ConnectionRefusedError) else "lost"


def _state(error: asyncpg.PostgresError) -> str:
    return getattr(error, "sqlstate", None) or ""
