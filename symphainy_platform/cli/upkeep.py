"""`migrate`, `sweep` and `doctor`: what an operator does."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Any

import typer

from symphainy_platform.cli.options import AsJson, StoreUrl, place_here
from symphainy_platform.cli.output import print_json, print_table
from symphainy_platform.errors import IntentError, StartError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Sequence

    from symphainy_platform.settings import Settings
    from symphainy_platform.state.steps import SchemaStep
    from symphainy_platform.state.store import Store, SweepResult

_COUNTED = ("keys", "executions", "events", "artifacts")


def migrate(  # noqa: PLR0913 - one parameter per option
    context: typer.Context,
    *,
    to: Annotated[str | None, typer.Option("--to", metavar="STEP", help="The last step: name, start, number.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be applied, and apply nothing.")] = False,
    status: Annotated[bool, typer.Option("--status", help="List every step, and apply nothing.")] = False,
    store: StoreUrl = None,
    as_json: AsJson = False,
) -> None:
    """Bring the schema of the store up to date, or up to one step; it never goes back.

    `serve` brings it up to date at its start.

    Example: symphainy migrate --status
    """
    where = place_here(context, store=store, as_json=as_json)
    if status:
        if dry_run or to is not None:
            message = "--status applies nothing: leave out --to and --dry-run"
            raise typer.BadParameter(message)
        _print_status(asyncio.run(_steps(where.settings())), as_json=where.as_json)
        return
    steps = asyncio.run(_migrate(where.settings(), to=to, dry_run=dry_run))
    if where.as_json:
        print_json({"steps": steps, "applied": not dry_run})
    elif steps:
        typer.echo("\n".join(f"{'to apply' if dry_run else 'applied'}: {step}" for step in steps))
    else:
        typer.echo("The schema is current." if to is None else "Nothing to apply: the schema is at that step.")


def _print_status(steps: Sequence[SchemaStep], *, as_json: bool) -> None:
    if as_json:
        told = [{"name": step.name, "applied": step.applied, "applied_at": step.applied_at} for step in steps]
        print_json({"steps": told})
        return
    rows = [(step.name, "applied" if step.applied else "to apply", step.applied_at or "") for step in steps]
    print_table("Schema", ("step", "", "at"), rows)


async def _migrate(settings: Settings, *, to: str | None = None, dry_run: bool) -> list[str]:
    async with _unopened(settings) as store:
        return list(await store.migrate(to=to, dry_run=dry_run))


async def _steps(settings: Settings) -> Sequence[SchemaStep]:
    async with _unopened(settings) as store:
        return await store.steps()


@asynccontextmanager
async def _unopened(settings: Settings) -> AsyncIterator[Store]:
    from symphainy_platform.context import SystemClock  # noqa: PLC0415 - keeps `--help` fast
    from symphainy_platform.plugins import load_plugins, open_store  # noqa: PLC0415

    store = open_store(load_plugins(), settings, SystemClock())
    try:
        yield store
    finally:
        await store.close()


def sweep(context: typer.Context, *, store: StoreUrl = None, as_json: AsJson = False) -> None:
    """Purge what retention gives up, in bounded steps. `serve` does the same now and then.

    Example: symphainy sweep
    """
    where = place_here(context, store=store, as_json=as_json)
    result = asyncio.run(_sweep(where.settings(log_level="warning")))
    if sys.stderr.isatty():
        typer.echo(err=True)
    if where.as_json:
        print_json({name: getattr(result, name) for name in _COUNTED})
    else:
        typer.echo(_counts(result))


async def _sweep(settings: Settings) -> SweepResult:
    from symphainy_platform.observability import configure_logs  # noqa: PLC0415 - keeps `--help` fast
    from symphainy_platform.platform import Platform  # noqa: PLC0415

    configure_logs(settings)
    async with Platform.open(settings) as platform:
        return await platform.sweep(_show_progress)


def _show_progress(result: SweepResult) -> None:
    """One line that grows, for eyes only."""
    if sys.stderr.isatty():
        typer.echo(f"\r{_counts(result)} …", err=True, nl=False)


def _counts(result: SweepResult) -> str:
    return "purged: " + ", ".join(f"{getattr(result, name)} {name}" for name in _COUNTED)


def doctor(context: typer.Context, *, store: StoreUrl = None, as_json: AsJson = False) -> None:
    """Print the settings in force with their sources, and check that the platform can start on them.

    Secrets are masked. Exit code 1 when a check fails.

    Example: symphainy doctor
    """
    where = place_here(context, store=store, as_json=as_json)
    settings = where.settings()
    checks = asyncio.run(_checks(settings))
    _print_report(settings, checks, as_json=where.as_json)
    if not all(check["ok"] for check in checks):
        raise typer.Exit(1)


def _print_report(settings: Settings, checks: list[dict[str, Any]], *, as_json: bool) -> None:
    in_force = settings.describe()
    if as_json:
        print_json({"settings": [line._asdict() for line in in_force], "checks": checks})
        return
    print_table("Settings", ("setting", "value", "from"), in_force)
    rows = [(check["check"], "ok" if check["ok"] else "FAILED", check["detail"]) for check in checks]
    print_table("Checks", ("check", "", ""), rows)


async def _checks(settings: Settings) -> list[dict[str, Any]]:
    """Try what the start of the platform does, without changing the store."""
    from symphainy_platform.state.postgres.hook import examine_database  # noqa: PLC0415 - keeps `--help` fast
    from symphainy_platform.state.supabase.hook import examine_project  # noqa: PLC0415

    found = [*await examine_database(settings), *await examine_project(settings)]
    return [
        {"check": "version", "ok": True, "detail": version("symphainy-platform")},
        _check("contracts", _contracts, settings),
        _check("signing key", _signing_key, settings),
        await _awaited("store", _schema(settings)),
        await _awaited("sealed keys", _sealed_keys(settings)),
        *[finding._asdict() for finding in found],
    ]


async def _awaited(name: str, work: Awaitable[str]) -> dict[str, Any]:
    try:
        return {"check": name, "ok": True, "detail": await work}
    except (StartError, IntentError) as error:
        return {"check": name, "ok": False, "detail": str(error)}


def _check(name: str, work: Any, settings: Settings) -> dict[str, Any]:
    try:
        return {"check": name, "ok": True, "detail": work(settings)}
    except StartError as error:
        return {"check": name, "ok": False, "detail": str(error)}


def _contracts(settings: Settings) -> str:
    from symphainy_platform.plugins import load_plugins, load_realms  # noqa: PLC0415 - keeps `--help` fast

    loaded = load_realms(load_plugins(), settings)
    return f"{len(loaded.catalog.contracts)} intents"


def _signing_key(settings: Settings) -> str:
    from symphainy_platform.identity.keys import key_file, signing_key  # noqa: PLC0415 - keeps `--help` fast

    if not key_file(settings.home).exists():
        return "none yet: the first start or token makes it"
    return f"kid {signing_key(settings.home).kid}"


async def _schema(settings: Settings) -> str:
    pending = await _migrate(settings, dry_run=True)
    return f"to be applied at the next start: {', '.join(pending)}" if pending else "schema current"


async def _sealed_keys(settings: Settings) -> str:
    """Open every key of the store with the master key; make neither."""
    from symphainy_platform.context import SystemClock  # noqa: PLC0415 - keeps `--help` fast
    from symphainy_platform.identity.keyring import KeyRing  # noqa: PLC0415
    from symphainy_platform.plugins import load_plugins, open_store  # noqa: PLC0415

    if await _migrate(settings, dry_run=True):
        return "none yet: the first session makes them"
    store = open_store(load_plugins(), settings, SystemClock())
    try:
        await store.open()
        ring = KeyRing(store, settings, SystemClock())
        await ring.check()
        keys = await ring.list()
    finally:
        await store.close()
    return f"{len(keys)}, opened with the master key" if keys else "none yet: the first session makes them"
