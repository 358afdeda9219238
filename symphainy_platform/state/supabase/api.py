"""The API of one Supabase project: functions of the schema `symphainy`, called with the secret key."""

from __future__ import annotations

from typing import Any

import httpx
from supabase import AsyncClient, AsyncClientOptions

from symphainy_platform.state.supabase.faults import API_ERRORS, BUSY, translated, with_state

_SCHEMA = "symphainy"
_CONNECT_SECONDS = 1.0
_TOTAL_SECONDS = 5.0


class Api:
    """A client that signs nobody in (that would swap its key for the user's) and retries nothing by itself."""

    def __init__(self, url: str, key: str) -> None:
        """Make the client of a project; nothing is connected before the first call."""
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(_TOTAL_SECONDS, connect=_CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=10, max_keepalive_connections=10),
            event_hooks={"response": [_refuse_throttled]},
        )
        options = AsyncClientOptions(
            schema=_SCHEMA,
            auto_refresh_token=False,
            persist_session=False,
            postgrest_client_retry=False,
            httpx_client=self._http,
        )
        self._postgrest = AsyncClient(url, key, options).postgrest

    async def call(self, function: str, arguments: dict[str, Any]) -> Any:
        """Call a function; returns what its JSON says.

        Raises what asyncpg would: a PostgresError with its SQLSTATE, or an OSError when the outcome is unknown.
        """
        try:
            return (await self._postgrest.rpc(function, arguments).execute()).data
        except API_ERRORS as error:
            raise translated(error) from error

    async def close(self) -> None:
        """End the connections. Idempotent."""
        await self._http.aclose()


async def _refuse_throttled(response: httpx.Response) -> None:
    """Too many requests: nothing was done, whatever the body says (the client tells no status of a JSON one)."""
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise with_state(BUSY, "The API is called too often.")
