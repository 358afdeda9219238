"""`submit`, `intents`, `events` and `journey`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from symphainy_platform.canonical import NotStrictJson, parse_json
from symphainy_platform.cli.options import (
    AsJson,
    Roles,
    StoreUrl,
    Tenant,
    Token,
    Url,
    User,
    caller,
    place,
    place_here,
)
from symphainy_platform.cli.output import print_json, print_json_line, print_result, print_table

if TYPE_CHECKING:
    from symphainy_platform.cli.options import Caller, Place

_PLAIN_WORD_STARTS = '{["-0123456789'


def submit(  # noqa: PLR0913 - one parameter per option
    context: typer.Context,
    intent: Annotated[str, typer.Argument(help="The intent type, such as update_chat_context.")],
    *,
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="KEY=JSON", help="A parameter (repeatable); a bare word is a string."),
    ] = None,
    json_file: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="A JSON object of parameters; -p adds to it.")
    ] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(metavar="K", help="The same key and parameters give the stored answer.")
    ] = None,
    tenant: Tenant = None,
    user: User = None,
    role: Roles = None,
    token: Token = None,
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Nobody asks: a public intent is proven by its parameters.")
    ] = False,
    url: Url = None,
    store: StoreUrl = None,
) -> None:
    """Submit one intent and print its answer.

    Example: symphainy submit initialize_chat_session --tenant acme --user ann -p active_agent=guide
    """
    where = place(context, url=url, store=store)
    who = caller(token, tenant, user, role, anonymous=anonymous)
    parameters = {**_from_file(json_file), **dict(_pair(text) for text in parameter or ())}
    result = asyncio.run(_submit(where, who, intent, parameters, idempotency_key))
    print_result(result, as_json=where.as_json)


async def _submit(
    where: Place, who: Caller, intent: str, parameters: dict[str, Any], idempotency_key: str | None
) -> Any:
    from symphainy_platform.cli.target import open_target  # noqa: PLC0415 - keeps `--help` fast

    async with open_target(where, who) as target:
        return await target.submit(intent, parameters, idempotency_key)


def _from_file(name: str | None) -> dict[str, Any]:
    if name is None:
        return {}
    try:
        text = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        parameters = parse_json(text)
    except OSError as error:
        message = f"--json {name}: {error.strerror}"
        raise typer.BadParameter(message) from error
    except NotStrictJson as error:
        message = f"--json {name}: {error.reason}"
        raise typer.BadParameter(message) from error
    if not isinstance(parameters, dict):
        message = f"--json {name}: expected a JSON object of parameters"
        raise typer.BadParameter(message)
    return parameters


def _pair(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        message = f"-p {text}: expected KEY=JSON"
        raise typer.BadParameter(message)
    try:
        return key, parse_json(value.encode(errors="surrogateescape"))
    except NotStrictJson as error:
        if value[:1] and value[0] not in _PLAIN_WORD_STARTS:
            return key, value
        message = f"-p {key}: {error.reason}"
        raise typer.BadParameter(message) from error


def listing(context: typer.Context, *, url: Url = None, as_json: AsJson = False) -> None:
    """List the intents that can be submitted.

    Example: symphainy intents
    """
    where = place(context, url=url, as_json=as_json)
    contracts = asyncio.run(_remote_contracts(where.url)) if where.url is not None else _local_contracts(where)
    if where.as_json:
        print_json(contracts)
        return
    rows = [
        (row["intent"], row["version"], row["realm"], ", ".join(row["access"]), row["status"], row["purpose"])
        for row in contracts
    ]
    print_table("Intents", ("intent", "version", "realm", "access", "status", "purpose"), rows)


async def _remote_contracts(url: str) -> list[dict[str, Any]]:
    from symphainy_platform.cli.remote import connected, fetch_contracts  # noqa: PLC0415 - keeps `--help` fast

    async with connected(url, None) as client:
        return await fetch_contracts(client)


def _local_contracts(where: Place) -> list[dict[str, Any]]:
    from symphainy_platform.plugins import load_plugins, load_realms  # noqa: PLC0415 - keeps `--help` fast

    catalog = load_realms(load_plugins(), where.settings()).catalog
    shown = {"intent", "version", "realm", "access", "status", "purpose"}
    return [sourced.value.model_dump(mode="json", include=shown) for _, sourced in sorted(catalog.contracts.items())]


def events(  # noqa: PLR0913 - one parameter per option
    context: typer.Context,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", help="Wait for new events, from now on or after --after.")
    ] = False,
    after: Annotated[
        str | None, typer.Option(metavar="CURSOR", help="Only events after this one; 0: all that are retained.")
    ] = None,
    tenant: Tenant = None,
    user: User = None,
    role: Roles = None,
    token: Token = None,
    url: Url = None,
    store: StoreUrl = None,
    as_json: AsJson = False,
) -> None:
    """Print the caller's events, one line each; all that are retained, unless told otherwise.

    Example: symphainy events --follow --tenant acme --user ann
    """
    where, who = place(context, url=url, store=store, as_json=as_json), caller(token, tenant, user, role)
    asyncio.run(_events(where, who, after, follow=follow))


async def _events(where: Place, who: Caller, after: str | None, *, follow: bool) -> None:
    from symphainy_platform.cli.target import open_target  # noqa: PLC0415 - keeps `--help` fast

    readable = sys.stdout.isatty() and not where.as_json
    async with open_target(where, who) as target:
        async for event in target.events(after, follow=follow):
            if readable:
                typer.echo(f"{event['created_at']}  {event['type']}  {event['artifact_id']}  after {event['cursor']}")
            else:
                print_json_line(event)


def journey(  # noqa: PLR0913 - one parameter per option
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The journey, such as journey_coexistence_chat_session.")],
    *,
    tenant: Tenant = None,
    user: User = None,
    token: Token = None,
    store: StoreUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show which steps of a journey a user has completed.

    Example: symphainy journey journey_coexistence_chat_session --tenant acme --user ann
    """
    where, who = place_here(context, store=store, as_json=as_json), caller(token, tenant, user, None)
    progress = asyncio.run(_journey(where, who, name))
    if where.as_json:
        print_json(progress)
        return
    rows = [(step["intent"], "done" if step["completed"] else "open") for step in progress["steps"]]
    print_table(f"{name}: {'complete' if progress['complete'] else 'not complete'}", ("step", "state"), rows)


async def _journey(where: Place, who: Caller, name: str) -> dict[str, Any]:
    from symphainy_platform.cli.target import open_local  # noqa: PLC0415 - keeps `--help` fast

    async with open_local(where.settings(log_level="warning"), who) as target:
        return await target.journey(name)
