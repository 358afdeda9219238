"""What a person or a program reads: results on standard output, everything else on standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import orjson
import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

    from symphainy_platform.errors import IntentError, StartError

_WIDE = 200  # a table that goes into a file or a pipe is not cut at the edge of a screen


def console() -> Console:
    """Standard output for people."""
    from rich.console import Console  # noqa: PLC0415 - keeps `--help` and JSON output fast

    return Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)


def print_json(value: Any) -> None:
    """Print indented JSON."""
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=_plain))


def print_json_line(value: Any) -> None:
    """Print JSON on one line, at once."""
    typer.echo(orjson.dumps(value, default=_plain))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; values are shown as they are, never read as markup."""
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    typer.echo(title)
    table = Table(*columns)
    for row in rows:
        table.add_row(*(Text(value) for value in row))
    console().print(table)


def print_result(result: Mapping[str, Any], *, as_json: bool) -> None:
    """Print the answer of an intent: JSON for programs, a headline and the artifacts for people."""
    if as_json or not sys.stdout.isatty():
        print_json(result)
        return
    replay = " (replay: nothing was written)" if result["idempotent_replay"] else ""
    typer.secho(f"{result['intent_type']} {result['status']}{replay}", fg="green", bold=True)
    typer.echo(f"execution  {result['execution_id']}")
    for event in result["events"]:
        typer.echo(f"event      {event['type']}")
    console().print_json(orjson.dumps(result["artifacts"], default=_plain).decode())


def print_failure(error: IntentError) -> None:
    """Print why an intent failed: its code first, then what a person can act on."""
    typer.secho(f"{error.code}: {error.message or error.code}", fg="red", err=True)
    for name, value in error.details.items():
        typer.echo(f"  {name}: {value}", err=True)
    if error.execution_id:
        typer.echo(f"  execution: {error.execution_id}", err=True)


def print_refusal(error: StartError | OSError) -> None:
    """Print why nothing was tried, or what the machine did not allow."""
    typer.secho(f"error: {error}", fg="red", err=True)


def _plain(value: Any) -> Any:
    if hasattr(value, "keys"):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError
