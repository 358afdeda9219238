"""Options that several commands share, and what the words of one command line come to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from symphainy_platform.context import Identity

if TYPE_CHECKING:
    from symphainy_platform.settings import Settings

Url = Annotated[str | None, typer.Option("--url", metavar="URL", help="Ask this server instead of the store.")]
StoreUrl = Annotated[str | None, typer.Option("--store", metavar="URL", help="The store, such as sqlite:///PATH.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, whatever the output goes to.")]
Token = Annotated[str | None, typer.Option("--token", metavar="TOKEN", help="A token of the caller.")]
Tenant = Annotated[str | None, typer.Option("--tenant", metavar="T", help="The caller's tenant.")]
User = Annotated[str | None, typer.Option("--user", metavar="U", help="The caller.")]
Roles = Annotated[list[str] | None, typer.Option("--role", metavar="R", help="A role of the caller (repeatable).")]

_DURATION = re.compile(r"([1-9][0-9]{0,8})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command works: a server, or in this process on a store; and how it prints."""

    url: str | None = None
    store: str | None = None
    as_json: bool = False

    def settings(self, **given: Any) -> Settings:
        """The settings in force, with what the command line chose; raises `SettingsError`."""
        from symphainy_platform.settings import Settings  # noqa: PLC0415 - keeps `--help` fast

        chosen = {"store": self.store, **given}
        return Settings(**{name: value for name, value in chosen.items() if value is not None})


def place(context: typer.Context, *, url: str | None = None, store: str | None = None, as_json: bool = False) -> Place:
    """Join a command's own options with those before the command's name; raises a usage error for two places."""
    before = cast("Place", context.obj)
    where = Place(
        before.url if url is None else url, before.store if store is None else store, as_json or before.as_json
    )
    if where.url is not None and where.store is not None:
        message = "choose one place: either --url URL, or --store URL"
        raise typer.BadParameter(message)
    return where


def place_here(context: typer.Context, *, store: str | None = None, as_json: bool = False) -> Place:
    """Join the options of a command that works in this process only; raises a usage error for --url."""
    where = place(context, store=store, as_json=as_json)
    if where.url is not None:
        message = f"--url: {context.info_name} works in this process only, not on a server"
        raise typer.BadParameter(message)
    return where


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as the command line says it: a token, or a tenant and a user whom this data folder vouches for.

    Neither: nobody, which public intents accept.
    """

    token: str | None
    identity: Identity | None


NOBODY = Caller(None, None)


def caller(
    token: str | None, tenant: str | None, user: str | None, roles: list[str] | None, *, anonymous: bool = False
) -> Caller:
    """Read the options; raises a usage error unless exactly one of the ways is taken."""
    if anonymous and not (token or tenant or user or roles):
        return NOBODY
    if token and not (tenant or user or roles or anonymous):
        return Caller(token, None)
    if tenant and user and not (token or anonymous):
        return Caller(None, Identity(tenant_id=tenant, user_id=user, roles=frozenset(roles or ())))
    message = "say who asks: either --token TOKEN, or --tenant T --user U [--role R] (submit: or --anonymous)"
    raise typer.BadParameter(message)


def seconds(duration: str) -> int:
    """Read `90s`, `15m`, `24h` or `7d`; raises a usage error."""
    match = _DURATION.fullmatch(duration)
    if match is None:
        message = f"{duration!r} is no duration such as 90s, 15m, 24h or 7d"
        raise typer.BadParameter(message)
    return int(match[1]) * _SECONDS[match[2]]
