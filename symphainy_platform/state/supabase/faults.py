"""What an answer of the API means, said in the errors that asyncpg raises for the same: one tree for both stores.

PostgREST passes the SQLSTATE of the database on. Its own codes (PGRST…), statuses of what stands before it
and failures of the way there become the nearest SQLSTATE, or an OSError when the outcome is unknown.
"""

from __future__ import annotations

import re

import asyncpg
import httpx
from postgrest import APIError

from symphainy_platform.errors import DatabaseUnavailable, StoreRefusedError
from symphainy_platform.state.postgres.faults import is_lost, is_race, unavailable

API_ERRORS = (APIError, httpx.HTTPError, UnicodeEncodeError, UnicodeDecodeError, RecursionError)
"""Everything that the client raises; the last three for texts that are none, and a body that is no JSON."""

_SQLSTATE = re.compile(r"[0-9A-Z]{5}")
SCHEMA = "3F000"
"""SQLSTATE of what the API does not show: the schema, or a function of it."""
BUSY = "53400"
"""SQLSTATE of what was not even tried: too many calls, no free connection."""
_NO_TEXT = "22021"
REFUSED = "28000"
"""SQLSTATE of a key that the API does not accept."""
NOT_EXPOSED = "PGRST106"
"""What PostgREST answers (an error's `detail`) about a schema that it is not to show."""
_STATES = {
    "PGRST003": BUSY,  # no connection of its pool was free
    NOT_EXPOSED: SCHEMA,
    "PGRST202": SCHEMA,  # no such function, as far as it knows
    "PGRST203": SCHEMA,
    "PGRST301": REFUSED,  # the key
    "PGRST302": REFUSED,
    "PGRST303": REFUSED,
    "401": REFUSED,
    "403": REFUSED,
    "404": SCHEMA,
    "406": SCHEMA,
    "413": "54000",  # larger than a limit
}
_MENDING = {
    "28": "its API does not accept the key: check SUPABASE_SECRET_KEY",
    "3F": "its API does not show the platform's functions: apply the migrations (`symphainy migrate`, or"
    " `supabase db push`) and expose the schema `symphainy` (API settings)",
    "42": "service_role may not use the platform's schema: apply the migrations as they are",
}


class Unintelligible(ConnectionError):
    """The API answered something that is no answer to the question: nothing is known."""


def translated(error: Exception) -> asyncpg.PostgresError | OSError:
    """Say an error of the client as the driver of Postgres would."""
    if isinstance(error, APIError):
        return _of_answer(error.code or "", error.message or "")
    if isinstance(error, httpx.ConnectError):
        return ConnectionRefusedError("The API cannot be reached.")
    if isinstance(error, httpx.TimeoutException):
        return TimeoutError("The API did not answer in time.")
    if isinstance(error, httpx.HTTPError):
        return ConnectionResetError("The API dropped the connection.")
    if isinstance(error, UnicodeEncodeError):
        return with_state(_NO_TEXT, "A text holds half a character.")
    return Unintelligible("The API answered something that is no JSON.")


def with_state(state: str, message: str) -> asyncpg.PostgresError:
    """An error of the database with this SQLSTATE."""
    error = asyncpg.PostgresError(message)
    error.sqlstate = state
    return error


def _of_answer(code: str, message: str) -> asyncpg.PostgresError | OSError:
    state = _STATES.get(code) or (REFUSED if "API key" in message else code)
    if _SQLSTATE.fullmatch(state):
        error = with_state(state, message)
        error.detail = code
        return error
    return ConnectionResetError(f"The API failed: {code}.")  # a gateway's 502, 503, 504: the outcome is unknown


def at_start(place: str, error: BaseException) -> StoreRefusedError | DatabaseUnavailable:
    """Translate an error at the start into a sentence; an API that is away for now is no reason to refuse it."""
    state = getattr(error, "sqlstate", None) or ""
    if isinstance(error, asyncpg.PostgresError) and not (is_lost(error) or is_race(error) or state == BUSY):
        mending = next((text for start, text in _MENDING.items() if state.startswith(start)), str(error))
        return StoreRefusedError(f"The store {place} cannot be used: {mending}.")
    return unavailable(error)
