"""`serve`, `token` and `demo`."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from symphainy_platform.cli.options import AsJson, Roles, StoreUrl, place_here, seconds
from symphainy_platform.cli.output import print_json
from symphainy_platform.context import Identity, SystemClock, isoformat

if TYPE_CHECKING:
    from collections.abc import Callable


def serve(  # noqa: PLR0913 - one parameter per option
    context: typer.Context,
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; 0 takes a free one.", show_default="8000")
    ] = None,
    dev: Annotated[bool, typer.Option("--dev", help="Print a token and readable logs; loopback only.")] = False,
    store: StoreUrl = None,
    trusted_proxy: Annotated[
        str | None, typer.Option(help="Address of the proxy whose X-Forwarded-* headers are believed.")
    ] = None,
) -> None:
    """Serve HTTP until SIGTERM: intents under way finish, new ones get 503.

    Example: symphainy serve --dev
    """
    from symphainy_platform.http.server import serve as serve_http  # noqa: PLC0415 - keeps `--help` fast
    from symphainy_platform.observability import configure_logs  # noqa: PLC0415

    settings = place_here(context, store=store).settings(
        host=host, port=port, dev=dev or None, trusted_proxy=trusted_proxy
    )
    configure_logs(settings)
    with asyncio.Runner(loop_factory=_fast_loop()) as runner:
        runner.run(serve_http(settings, _announce))


def token(  # noqa: PLR0913 - one parameter per option
    context: typer.Context,
    *,
    tenant: Annotated[str, typer.Option(help="The tenant that the token speaks for.")],
    user: Annotated[str, typer.Option(help="The user that the token speaks for.")],
    role: Roles = None,
    ttl: Annotated[str, typer.Option(help="How long it holds: 90s, 15m, 24h, 7d.")] = "24h",
    as_json: AsJson = False,
) -> None:
    """Mint a token with the key of the data folder; it is the last word of the output.

    Example: symphainy token --tenant acme --user ann --role service --ttl 8h
    """
    from symphainy_platform.identity.source import tokens_of  # noqa: PLC0415 - keeps `--help` fast

    where = place_here(context, as_json=as_json)
    lifetime, clock = seconds(ttl), SystemClock()
    identity = _identity(tenant, user, role)
    try:
        minted = tokens_of(where.settings()).mint(identity, ttl_seconds=lifetime, clock=clock)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    until = isoformat(clock.now() + timedelta(seconds=lifetime))
    if where.as_json:
        print_json({"token": minted, "tenant": tenant, "user": user, "roles": sorted(role or ()), "expires_at": until})
        return
    typer.echo(f"user {user} of tenant {tenant}, until {until}:", err=True)
    typer.echo(minted)


def demo(
    context: typer.Context,
    *,
    as_json: AsJson = False,
) -> None:
    """Tell the whole journey of a chat session on a temporary store, in a few seconds."""
    from symphainy_platform.cli.demo import tell  # noqa: PLC0415 - keeps `--help` fast

    where = place_here(context, as_json=as_json)
    if not asyncio.run(tell(as_json=where.as_json)):
        raise typer.Exit(1)


def _announce(line: str) -> None:
    typer.echo(line)
    sys.stdout.flush()


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the factory of the faster loop where it exists; None takes the standard one."""
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - only `serve` needs it

    return uvloop.new_event_loop


def _identity(tenant: str, user: str, role: list[str] | None) -> Identity:
    try:
        return Identity(tenant_id=tenant, user_id=user, roles=frozenset(role or ()))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
