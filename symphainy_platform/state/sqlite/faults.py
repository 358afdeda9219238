"""What an error of sqlite3 means: for the caller, for the item that met it, and for the start."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from symphainy_platform.errors import DatabaseUnavailable, StoreRefusedError
from symphainy_platform.state.rows import Unstorable

ITEM_FAULTS = (
    Unstorable,
    sqlite3.IntegrityError,  # a constraint of the schema
    sqlite3.InterfaceError,  # a value that SQLite has no type for
    sqlite3.ProgrammingError,  # the same, in other versions of Python
    sqlite3.DataError,  # a value that is too big
    OverflowError,  # an integer beyond 64 bits, a time beyond the calendar
    TypeError,  # a value that JSON cannot hold (orjson.JSONEncodeError)
    ValueError,  # a lone surrogate in a string
)
"""Errors that the values of one item cause; its neighbours in the batch are fine."""

_BUSY = {"SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL"}
_REASONS = {
    "SQLITE_BUSY": "locked",
    "SQLITE_LOCKED": "locked",
    "SQLITE_PROTOCOL": "locked",
    "SQLITE_FULL": "full",
    "SQLITE_READONLY": "read_only",
    "SQLITE_IOERR": "io",
    "SQLITE_CORRUPT": "damaged",
    "SQLITE_NOTADB": "damaged",
    "SQLITE_CANTOPEN": "missing",
}
_MENDING = {
    "full": "the disk is full: free some space",
    "read_only": "it is read-only: make the file and its folder writable for this user",
    "io": "the disk reports errors: check it, or restore the file from a backup",
    "damaged": "it is not a SQLite database, or it is damaged: restore it from a backup or move it away",
    "missing": "it cannot be opened: check that the file and its folder exist and are writable for this user",
}


def primary_code(error: sqlite3.Error) -> str:
    """Return the primary result code's name, e.g. SQLITE_IOERR for SQLITE_IOERR_WRITE."""
    name = getattr(error, "sqlite_errorname", None) or "SQLITE_ERROR"
    return "_".join(name.split("_")[:2])


def is_busy(error: sqlite3.Error) -> bool:
    """Tell whether another connection was in the way: nothing is wrong with the file or with ours."""
    return primary_code(error) in _BUSY


def unavailable(error: sqlite3.Error) -> DatabaseUnavailable:
    """Translate an error of a running store; neither path nor SQL reaches the message."""
    return DatabaseUnavailable(reason=_REASONS.get(primary_code(error), "database"))


def at_start(path: Path, error: sqlite3.Error | OSError) -> StoreRefusedError | DatabaseUnavailable:
    """Translate an error at the start into a sentence that says how to mend it.

    A lock that is held for too long is no reason to refuse the file: it is unavailable for now.
    """
    if not isinstance(error, sqlite3.Error):
        return StoreRefusedError(f"The store {path} cannot be made: {error.strerror or error}.")
    if is_busy(error):
        return unavailable(error)
    mending = _MENDING.get(_REASONS.get(primary_code(error), ""), str(error))
    return StoreRefusedError(f"The store {path} cannot be used: {mending}.")
