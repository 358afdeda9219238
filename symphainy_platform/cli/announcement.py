"""What `serve` says once it answers; in development also a token, and a line to paste."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING

import typer

from symphainy_platform.cli.sign_in import open_session
from symphainy_platform.context import Identity

if TYPE_CHECKING:
    from symphainy_platform.platform import Platform

_DEVELOPER = Identity(tenant_id="dev", user_id="developer")
_DAY = 24 * 3600


async def announce(platform: Platform, url: str) -> None:
    """Print where the platform is served."""
    typer.echo(f"Serving on {url}")
    for line in await _for_development(platform, url) if platform.settings.dev else _for_operators():
        typer.echo(line)
    sys.stdout.flush()


def announce_workers(url: str) -> None:
    """Print where several workers serve the platform."""
    for line in (f"Serving on {url}", *_for_operators()):
        typer.echo(line)
    sys.stdout.flush()


def _for_operators() -> list[str]:
    return ["Open a session with: symphainy token --tenant T --user U"]


async def _for_development(platform: Platform, url: str) -> list[str]:
    session = await open_session(platform, _DEVELOPER, _DAY)
    token = session.token or ""
    who = f"tenant {_DEVELOPER.tenant_id}, user {_DEVELOPER.user_id}"
    return [f"Token of a session ({who}, until {session.expires_at}): {token}", "Try:", _curl(url, token)]


def _curl(url: str, token: str) -> str:
    body = json.dumps({"intent_type": "initialize_chat_session", "parameters": {}})
    headers = ["-H", f"Authorization: Bearer {token}", "-H", "Content-Type: application/json"]
    return shlex.join(["curl", "-sS", f"{url}/api/intent/submit", *headers, "-d", body])
