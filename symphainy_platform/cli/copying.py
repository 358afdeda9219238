"""`copy`: a whole store into an empty one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from symphainy_platform.cli.options import AsJson, place_here
from symphainy_platform.cli.output import print_json, print_refusal, print_table

if TYPE_CHECKING:
    from symphainy_platform.state.store import Store
    from symphainy_platform.state.transfer import TableReport, Transfer

From = Annotated[str, typer.Option("--from", metavar="URL", help="The store that is copied.")]
To = Annotated[str, typer.Option("--to", metavar="URL", help="An empty store; it is made, or migrated, first.")]


def copy(context: typer.Context, *, source: From, target: To, as_json: AsJson = False) -> None:
    """Copy a whole store into an empty one, of whatever sort, and verify that it holds the same.

    Stop every server on both before. A copy that ended too early goes on when the same command is run again;
    until it is finished, nothing opens the target. Exit code 1 when the copy differs: the source was written
    meanwhile. Name a Supabase project by the direct URL of its database.

    Example: symphainy copy --from sqlite:///.symphainy/platform.db --to sqlite:///copy.db
    """
    from symphainy_platform.state.transfer import CopyDiffersError  # noqa: PLC0415 - keeps `--help` fast

    where = place_here(context, as_json=as_json)
    try:
        with _progress_bar() as told:
            reports = asyncio.run(_copy(source, target, told))
    except CopyDiffersError as error:
        print_refusal(error)
        raise typer.Exit(1) from None
    if where.as_json:
        print_json({"tables": [asdict(report) for report in reports], "rows": sum(each.rows for each in reports)})
    else:
        print_table("Copied and verified", ("table", "rows", "digest"), map(_row, reports))


async def _copy(source: str, target: str, told: Callable[[str, int, int], None]) -> list[TableReport]:
    from symphainy_platform.state.transfer import Copying  # noqa: PLC0415 - keeps `--help` fast

    old, new = _opened(source), _opened(target)
    theirs, ours = _rows_of(old), _rows_of(new)
    try:
        if await ours.unfinished() is None:
            await new.migrate()
        return await Copying(theirs, ours, told).run()
    finally:
        for each in (theirs, ours, old, new):
            await each.close()


def _opened(url: str) -> Store:
    """The store of a URL. Settings that are about the URL of the configured store do not hold for it."""
    from symphainy_platform.context import SystemClock  # noqa: PLC0415 - keeps `--help` fast
    from symphainy_platform.plugins import load_plugins, open_store  # noqa: PLC0415
    from symphainy_platform.settings import Settings  # noqa: PLC0415

    return open_store(load_plugins(), Settings(store=url, pooler=False, migration_url=None), SystemClock())


def _rows_of(store: Store) -> Transfer:
    from symphainy_platform.errors import SettingsError  # noqa: PLC0415 - keeps `--help` fast
    from symphainy_platform.state.transfer import Transferable  # noqa: PLC0415

    if not isinstance(store, Transferable):
        msg = (
            f"A store of the sort {store.name} cannot be copied: write sqlite:///… or postgresql://…,"
            " for a Supabase project the direct URL of its database."
        )
        raise SettingsError(msg)
    return store.transfer()


@contextmanager
def _progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on standard error, for eyes only."""
    if not sys.stderr.isatty():
        yield lambda _phase, _rows, _total: None
        return
    from rich.console import Console  # noqa: PLC0415 - keeps `--help` fast
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("copied", total=None)
        yield lambda phase, rows, total: progress.update(bar, description=phase, completed=rows, total=total)


def _row(report: TableReport) -> tuple[str, str, str]:
    return report.table, f"{report.rows:,}", report.digest[:16]
