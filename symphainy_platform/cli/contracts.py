"""`contracts lint`, `contracts render` and `contracts show`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symphainy_platform.cli.options import AsJson, place_here
from symphainy_platform.cli.output import print_json
from symphainy_platform.errors import NotFound
from symphainy_platform.resources import data_folder

app = typer.Typer(name="contracts", help="Check, render and show the contracts.", no_args_is_help=True)

Folder = Annotated[
    Path | None, typer.Argument(help="The folder of contracts.", show_default="the platform's own", exists=True)
]


@app.command()
def lint(context: typer.Context, folder: Folder = None, *, as_json: AsJson = False) -> None:
    """Say what is wrong with a folder of contracts: file, line, and how to mend it. Exit code 1 on errors.

    Example: symphainy contracts lint contracts
    """
    from symphainy_platform.contract.findings import Severity  # noqa: PLC0415 - keeps `--help` fast
    from symphainy_platform.contract.lint import lint as lint_folder  # noqa: PLC0415

    findings = lint_folder(folder or data_folder("contracts"))
    if place_here(context, as_json=as_json).as_json:
        print_json([{name: getattr(finding, name) for name in finding.__slots__} for finding in findings])
    else:
        typer.echo("\n".join(map(str, findings)) or "No findings.")
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise typer.Exit(1)


@app.command()
def render(
    folder: Folder = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 when a file is not current.")] = False,
) -> None:
    """Generate the 10-section documents and the schema of the format from the contracts.

    Example: symphainy contracts render --check
    """
    from symphainy_platform.contract.generate import generate  # noqa: PLC0415 - keeps `--help` fast

    where = folder or data_folder("contracts")
    if not any(where.rglob("*.yaml")):
        message = f"{where} holds no contracts"
        raise typer.BadParameter(message)
    changed = generate(where, check=check)
    for path in changed:
        typer.echo(f"{'not current' if check else 'written'}: {path}")
    if check and changed:
        raise typer.Exit(1)


@app.command()
def show(
    context: typer.Context,
    intent: Annotated[str, typer.Argument(help="The intent type, such as update_chat_context.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Print the contract of one intent as its 10-section document.

    Example: symphainy contracts show update_chat_context
    """
    from symphainy_platform.contract.render import render_contract  # noqa: PLC0415 - keeps `--help` fast
    from symphainy_platform.plugins import load_plugins, load_realms  # noqa: PLC0415

    where = place_here(context, as_json=as_json)
    catalog = load_realms(load_plugins(), where.settings()).catalog
    contract = catalog.newest(intent)
    if contract is None:
        raise NotFound(
            "There is no contract of this intent.", intent=intent, known=sorted({name for name, _ in catalog.contracts})
        )
    if where.as_json:
        print_json(contract.model_dump(mode="json", exclude_none=True))
    else:
        typer.echo(render_contract(contract, catalog))
