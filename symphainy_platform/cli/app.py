"""Every command of `symphainy`, in the order of `symphainy --help`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from symphainy_platform.cli import audit, contracts, copying, intents, keys, serving, upkeep
from symphainy_platform.cli.options import AsJson, Place, StoreUrl, Url

if TYPE_CHECKING:
    from collections.abc import Callable

_HELP = """Submit intents, and run the platform that executes them.

Works in this process on the store of the settings, or with --url against a server.
Exit codes: 0 done, 1 the intent failed (its code is on standard error), 2 nothing was tried.
"""

app = typer.Typer(name="symphainy", help=_HELP, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def before_every_command(
    context: typer.Context, *, url: Url = None, store: StoreUrl = None, as_json: AsJson = False
) -> None:
    """Keep the options that stand before the command's name."""
    context.obj = Place(url, store, as_json)


_COMMANDS: tuple[tuple[str, Callable[..., None]], ...] = (
    ("serve", serving.serve),
    ("token", serving.token),
    ("submit", intents.submit),
    ("intents", intents.listing),
    ("events", intents.events),
    ("journey", intents.journey),
    ("demo", serving.demo),
    ("migrate", upkeep.migrate),
    ("copy", copying.copy),
    ("sweep", upkeep.sweep),
    ("doctor", upkeep.doctor),
)

for _name, _command in _COMMANDS:
    app.command(_name)(_command)
app.add_typer(contracts.app, name="contracts")
app.add_typer(audit.app, name="audit")
app.add_typer(keys.app, name="keys")
