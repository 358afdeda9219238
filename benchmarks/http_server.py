"""The server process of the HTTP rows: ours or an echo, on the configuration of `symphainy serve`.

`python -m benchmarks.http_server ours|echo HOME` prints its port and ends when its input ends.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from uuid import UUID

import uvicorn
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.opened import loaded_for_good, logs_to_nowhere, opened, run, settings_in
from symphainy_platform import Settings
from symphainy_platform.http import create_app
from symphainy_platform.http.server import _config


class _Message(BaseModel):
    id: str
    role: str
    content: str
    timestamp: str


class _Updates(BaseModel):
    conversation_history: list[_Message]
    shared_intent: str | None = None


class _Parameters(BaseModel):
    chat_session_id: UUID
    context_updates: _Updates
    history_limit: int | None = None


class _Submission(BaseModel):
    intent_type: str
    parameters: _Parameters


async def _echo(request: Request) -> Response:
    submission = _Submission.model_validate_json(await request.body())
    return Response(submission.model_dump_json(), media_type="application/json")


def echo_app() -> Starlette:
    """Return what people write in five minutes: one typed route, no state."""
    return Starlette(routes=[Route("/api/intent/submit", _echo, methods=["POST"])])


async def serve(side: str, home: Path) -> None:
    """Serve one side on a free port until the input ends."""
    async with opened(home) if side == "ours" else nullcontext() as platform:
        app: Any = create_app(platform) if platform else echo_app()
        with loaded_for_good():
            await _serve_app(app, settings_in(home))


async def _serve_app(app: Any, settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        server = _Announcing(_config(app, settings))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await asyncio.to_thread(sys.stdin.read)
        server.should_exit = True
        await serving


class _Announcing(uvicorn.Server):
    """Says its port once it answers."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then print the port."""
        await super().startup(sockets)
        for listener in sockets or ():
            print(listener.getsockname()[1], flush=True)


if __name__ == "__main__":
    with logs_to_nowhere():
        run(serve(sys.argv[1], Path(sys.argv[2])))
