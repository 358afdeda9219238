"""The server as a target: HTTP requests, and event streams that reconnect where they broke off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import httpx
import orjson

from symphainy_platform.errors import IntentError, Kind, MalformedRequest
from symphainy_platform.setting_values import without_password

if TYPE_CHECKING:
    from symphainy_platform.cli.remote_callers import RemoteCaller, Submit

_SUBMIT = "/api/intent/submit"
_AUTHORIZATION = "Authorization"
_ANSWER_SECONDS = 60.0
_LEAVE_SECONDS = 5.0
_SILENCE_SECONDS = 1.0
"""Without `--follow`, a stream that says nothing for so long has told what is there."""
_RECONNECT_SECONDS = 1.0
_GOOD = 200
IS_IT = "is it this platform?"


@asynccontextmanager
async def connected(url: str, caller: RemoteCaller | None) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client of the server at `url`; what cannot be reached is an `IntentError` with a code.

    `caller` is asked for a token at each request: a stream is followed for longer than one lives.
    """
    with _failures_named(url):
        async with httpx.AsyncClient(base_url=url, timeout=_ANSWER_SECONDS) as client:
            if caller is None:
                yield client
                return
            client.event_hooks = {"request": [_authorizing(client, caller)]}
            try:
                yield client
            finally:
                await _leave(caller, client)


async def _leave(caller: RemoteCaller, client: httpx.AsyncClient) -> None:
    """Say goodbye, also when the command was interrupted; what cannot be ended ends by itself, in its own time."""
    with suppress(IntentError, httpx.HTTPError, TimeoutError):
        async with asyncio.timeout(_LEAVE_SECONDS):
            await caller.leave(_submitting(client))


@contextmanager
def _failures_named(url: str) -> Iterator[None]:
    try:
        yield
    except httpx.LocalProtocolError as error:
        message = "A token, key or cursor holds what no HTTP header can."  # which one, the client would quote
        raise MalformedRequest(message) from error
    except (httpx.RequestError, httpx.InvalidURL) as error:
        told = "" if isinstance(error, httpx.InvalidURL) and "@" in url else str(error)  # it may quote a password
        message = f"No answer from {without_password(url)}: {told or type(error).__name__}"
        raise IntentError("SERVER_UNREACHABLE", message, kind=Kind.UNAVAILABLE, retryable=True) from error


def _authorizing(client: httpx.AsyncClient, caller: RemoteCaller) -> Callable[[httpx.Request], Awaitable[None]]:
    async def authorize(request: httpx.Request) -> None:
        if _AUTHORIZATION not in request.headers:
            _authorize(request.headers, await caller.token(_submitting(client)))

    return authorize


def _authorize(headers: httpx.Headers, token: str) -> None:
    headers.update({_AUTHORIZATION.encode(): _header(f"Bearer {token}")})
    headers.encoding = "latin-1"  # the client reads back whatever was typed


def _submitting(client: httpx.AsyncClient) -> Submit:
    async def submit(intent_type: str, parameters: Mapping[str, Any], token: str) -> tuple[Any, Mapping[str, str]]:
        headers = httpx.Headers({"Content-Type": "application/json"})
        _authorize(headers, token)
        body = _body({"intent_type": intent_type, "parameters": parameters})
        answer = await client.post(_SUBMIT, content=body, headers=headers)
        return _checked(answer), dict(answer.cookies)

    return submit


async def fetch(client: httpx.AsyncClient, path: str) -> Any:
    """GET one JSON document; raises the failure that the server answered."""
    return _checked(await client.get(path))


async def fetch_contracts(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """GET every contract in force, in short."""
    contracts = (await fetch(client, "/api/contracts")).get("contracts")
    if not isinstance(contracts, list):
        raise unknown_server(f"The server lists no contracts: {IS_IT}")
    return contracts


class RemoteTarget:
    """A server."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        """Use an open client, which knows the token."""
        self._client = client

    async def submit(
        self, intent_type: str, parameters: Mapping[str, Any], idempotency_key: str | None
    ) -> Mapping[str, Any]:
        """POST the intent."""
        headers = {b"Content-Type": b"application/json"}
        if idempotency_key is not None:
            headers[b"Idempotency-Key"] = _header(idempotency_key)
        body = _body({"intent_type": intent_type, "parameters": parameters})
        return _checked(await self._client.post(_SUBMIT, content=body, headers=headers))

    async def events(self, after: str | None, *, follow: bool) -> AsyncGenerator[Mapping[str, Any], None]:
        """Read the event stream; with `follow`, again and again from where it ended."""
        cursor = after if follow else after or "0"
        while True:
            try:
                async for event in self._stream(cursor, silence=None if follow else _SILENCE_SECONDS):
                    cursor = event["cursor"]
                    if "type" in event:
                        yield event
            except httpx.TransportError:
                if not follow or cursor is None:
                    raise
            if not follow:
                return
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _stream(self, cursor: str | None, silence: float | None) -> AsyncIterator[dict[str, Any]]:
        """One connection: its first item is the cursor that it starts from, without an event."""
        headers = {b"Last-Event-ID": _header(cursor)} if cursor is not None else {}
        timeout = httpx.Timeout(_ANSWER_SECONDS, read=_ANSWER_SECONDS if silence else None)
        async with self._client.stream("GET", "/api/events", headers=headers, timeout=timeout) as answer:
            if not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
                await answer.aread()
                _checked(answer)
                raise unknown_server(f"The server sends no events: {IS_IT}")
            async for line in _until_silent(answer.aiter_lines(), silence):
                name, _, value = line.partition(": ")
                if name == "id":
                    yield {"cursor": value}
                elif name == "data":
                    yield orjson.loads(value)
                elif line.startswith(":") and silence:
                    return  # a heartbeat: there is nothing more for now


async def _until_silent(lines: AsyncIterator[str], silence: float | None) -> AsyncIterator[str]:
    """Yield lines until none comes for `silence` seconds; the first, which a busy server owes, may take longer."""
    patience = None
    while True:
        try:
            async with asyncio.timeout(patience):
                line = await anext(lines)
        except (TimeoutError, StopAsyncIteration):
            return
        yield line
        patience = silence


def _header(text: str) -> bytes:
    """Send what was typed, so that the server says what is wrong with it."""
    return text.encode(errors="surrogateescape")


def _body(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError as error:  # a word of the command line that is not UTF-8
        raise MalformedRequest(reason=str(error)) from error


def _checked(answer: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of an answer, or raise the failure that its envelope names."""
    try:
        body = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise unknown_server(f"The server answered {answer.status_code} without a JSON object: {IS_IT}")
    if answer.status_code == _GOOD:
        return body
    if not isinstance(body.get("error_code"), str):
        raise unknown_server(f"The server answered {answer.status_code} without an error code: {IS_IT}")
    raise _failure(body)


def unknown_server(message: str) -> IntentError:
    """What to raise when an answer is not of this platform's making."""
    return IntentError("SERVER_UNREACHABLE", message, kind=Kind.UNAVAILABLE)


def _failure(envelope: Mapping[str, Any]) -> IntentError:
    details = envelope.get("details")
    error = IntentError(
        envelope["error_code"],
        envelope.get("error"),
        retryable=bool(envelope.get("retryable")),
        details=details if isinstance(details, dict) else {},
    )
    error.execution_id = envelope.get("execution_id")
    error.intent_type = envelope.get("intent_type")
    error.trace_id = envelope.get("trace_id")
    return error
