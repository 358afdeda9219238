"""`keys list`, `keys rotate` and `keys generate`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from symphainy_platform.cli.options import AsJson, StoreUrl, place_here
from symphainy_platform.cli.output import print_json, print_table

if TYPE_CHECKING:
    from symphainy_platform.identity.keyring import KeyInfo, KeyRing
    from symphainy_platform.settings import Settings

app = typer.Typer(name="keys", help="The platform's own keys, sealed in the store.", no_args_is_help=True)


@app.command("list")
def list_keys(context: typer.Context, *, store: StoreUrl = None, as_json: AsJson = False) -> None:
    """List the keys of the store with what each is for. Secrets are never shown, nor needed for this.

    Example: symphainy keys list
    """
    where = place_here(context, store=store, as_json=as_json)
    keys = asyncio.run(_listed(where.settings()))
    if where.as_json:
        print_json([asdict(key) for key in keys])
    elif keys:
        print_table("Keys", ("kid", "purpose", "made", "state"), map(_row, keys))
    else:
        typer.echo("No keys yet: the first use makes them.")


@app.command()
def rotate(context: typer.Context, *, store: StoreUrl = None, as_json: AsJson = False) -> None:
    """Sign tokens with a new key from now on; those of the old one hold until they end. Its id is the last word.

    Running servers take it up within a second.

    Example: symphainy keys rotate
    """
    where = place_here(context, store=store, as_json=as_json)
    kid = asyncio.run(_rotated(where.settings()))
    if where.as_json:
        print_json({"kid": kid})
    else:
        typer.echo(f"signs from now on: {kid}")


@app.command()
def generate(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Print a fresh master key, for SYMPHAINY_MASTER_KEY; it is kept nowhere. It is the last word of the output.

    Example: symphainy keys generate
    """
    from symphainy_platform.identity.master_key import SETTING, new_master_key  # noqa: PLC0415 - keeps `--help` fast

    where = place_here(context, as_json=as_json)
    key = new_master_key()
    if where.as_json:
        print_json({"master_key": key})
        return
    typer.echo(f"{SETTING}, for every process on one store; without it the keys of the store are lost:", err=True)
    typer.echo(key)


async def _listed(settings: Settings) -> Sequence[KeyInfo]:
    async with _key_ring(settings) as ring:
        return await ring.list()


async def _rotated(settings: Settings) -> str:
    async with _key_ring(settings) as ring:
        return await ring.rotate()


@asynccontextmanager
async def _key_ring(settings: Settings) -> AsyncIterator[KeyRing]:
    """The ring of the settings' store, whose schema is brought up to date first."""
    from symphainy_platform.context import SystemClock  # noqa: PLC0415 - keeps `--help` fast
    from symphainy_platform.identity.keyring import KeyRing  # noqa: PLC0415
    from symphainy_platform.plugins import load_plugins, open_store  # noqa: PLC0415

    clock = SystemClock()
    store = open_store(load_plugins(), settings, clock)
    try:
        await store.migrate()
        await store.open()
        yield KeyRing(store, settings, clock)
    finally:
        await store.close()


def _row(key: KeyInfo) -> tuple[str, str, str, str]:
    return key.kid, key.purpose, key.created_at, _state(key)


def _state(key: KeyInfo) -> str:
    if key.rotated_at is None:
        return "current"
    return f"verifies until {key.verifies_until}" if key.verifies_until else f"rotated {key.rotated_at}"
