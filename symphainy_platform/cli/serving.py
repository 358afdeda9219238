"""`serve`, `token` and `demo`."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from symphainy_platform.cli.options import AsJson, Roles, StoreUrl, place_here, seconds
from symphainy_platform.cli.output import print_json
from symphainy_platform.context import Identity, SystemClock, isoformat

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from symphainy_platform.cli.sign_in import OpenedSession
    from symphainy_platform.settings import Settings


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
    workers: Annotated[
        int | None, typer.Option(help="Processes that serve; more than one on a Postgres.", show_default="1")
    ] = None,
) -> None:
    """Serve HTTP until SIGTERM: intents under way finish, new ones get 503.

    Of several workers each one that ends is replaced; the address stays.

    Example: symphainy serve --dev
    """
    from symphainy_platform.cli.announcement import announce, announce_workers  # noqa: PLC0415 - keeps `--help` fast
    from symphainy_platform.http.server import serve as serve_http  # noqa: PLC0415
    from symphainy_platform.http.workers import fork_workers, serve_as_worker  # noqa: PLC0415
    from symphainy_platform.observability import configure_logs  # noqa: PLC0415

    settings = place_here(context, store=store).settings(
        host=host, port=port, dev=dev or None, trusted_proxy=trusted_proxy, workers=workers
    )
    configure_logs(settings)
    worker = fork_workers(settings, announce_workers) if settings.workers > 1 else None
    with asyncio.Runner(loop_factory=_fast_loop()) as runner:
        runner.run(serve_as_worker(settings, worker) if worker else serve_http(settings, announce))


def token(  # noqa: PLR0913 - one parameter per option
    context: typer.Context,
    *,
    tenant: Annotated[str, typer.Option(help="The tenant that the token speaks for.")],
    user: Annotated[str, typer.Option(help="The user that the token speaks for.")],
    role: Roles = None,
    ttl: Annotated[str, typer.Option(help="How long it holds: 90s, 15m, 24h, 7d.")] = "24h",
    store: StoreUrl = None,
    as_json: AsJson = False,
) -> None:
    """Open a session for a user, or mint a token of a service; the token is the last word of the output.

    A session is in the store, and is ended there; with an account its roles are the account's, whatever
    --role says. A service's token is signed with the key of the data folder, and holds until its end.

    Example: symphainy token --tenant acme --user ann --ttl 8h
    """
    where = place_here(context, store=store, as_json=as_json)
    lifetime, identity = seconds(ttl), _identity(tenant, user, role)
    settings = where.settings(log_level="warning")
    made = (
        _service_token(settings, identity, lifetime) if identity.is_service else _session(settings, identity, lifetime)
    )
    if where.as_json:
        print_json({"tenant": tenant, "user": user, "roles": sorted(identity.roles)} | made)
        return
    typer.echo(f"user {user} of tenant {tenant}, until {made['expires_at']}:", err=True)
    typer.echo(made["token"])


def _service_token(settings: Settings, identity: Identity, lifetime: int) -> dict[str, str]:
    from symphainy_platform.identity.source import tokens_of  # noqa: PLC0415 - keeps `--help` fast

    clock = SystemClock()
    try:
        minted = tokens_of(settings).mint(identity, ttl_seconds=lifetime, clock=clock)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return {"token": minted, "expires_at": isoformat(clock.now() + timedelta(seconds=lifetime))}


def _session(settings: Settings, identity: Identity, lifetime: int) -> dict[str, Any]:
    session, roles = asyncio.run(_opened(settings, identity, lifetime))
    named = {"token": session.token or "", "expires_at": session.expires_at, "session_ref": session.session_ref}
    return {"roles": sorted(roles), **named}


async def _opened(settings: Settings, identity: Identity, lifetime: int) -> tuple[OpenedSession, Collection[str]]:
    """Open a session; returns it with the roles that it has."""
    from symphainy_platform.cli.sign_in import open_session, roles_of  # noqa: PLC0415 - keeps `--help` fast
    from symphainy_platform.observability import configure_logs  # noqa: PLC0415
    from symphainy_platform.platform import Platform  # noqa: PLC0415

    configure_logs(settings)
    async with Platform.open(settings) as platform:
        await platform.keys.current()  # a missing master key is said in its own words, before anything is tried
        session = await open_session(platform, identity, lifetime)
        return session, await roles_of(platform, identity)


def demo(
    context: typer.Context,
    *,
    as_json: AsJson = False,
) -> None:
    """Tell the whole journeys of a session and of a chat session on a temporary store, in a few seconds."""
    from symphainy_platform.cli.demo import tell  # noqa: PLC0415 - keeps `--help` fast

    where = place_here(context, as_json=as_json)
    if not asyncio.run(tell(as_json=where.as_json)):
        raise typer.Exit(1)


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
