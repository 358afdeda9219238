"""`audit verify` and `audit export`: that nobody tampered with what happened, and a copy to prove it by."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import orjson
import typer

from symphainy_platform.cli.options import AsJson, StoreUrl, place_here
from symphainy_platform.cli.output import print_json

if TYPE_CHECKING:
    from symphainy_platform.runtime.audit import Audit
    from symphainy_platform.runtime.audit_check import AuditReport, ChainReport, Head
    from symphainy_platform.settings import Settings
    from symphainy_platform.state.records import AuditEntry

app = typer.Typer(name="audit", help="Verify and export the audit chains.", no_args_is_help=True)

_OWNER_ONLY = 0o600
_PROGRESS = 1000

OneTenant = Annotated[str | None, typer.Option("--tenant", metavar="T", help="Only the chain of this tenant.")]
HeadFile = Annotated[
    Path | None,
    typer.Option("--head", metavar="FILE", help="An export: its last line is compared.", exists=True, dir_okay=False),
]
OutFile = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write there, whole or not at all.")]


@app.command()
def verify(
    context: typer.Context,
    *,
    tenant: OneTenant = None,
    head: HeadFile = None,
    store: StoreUrl = None,
    as_json: AsJson = False,
) -> None:
    """Compute every audit chain anew, and say of each whether it is whole. Exit code 1 when one is not.

    A chain is also compared with the events that are still retained and, with --head, with an earlier
    export: that finds a chain whose end was cut off, or that was rewritten with digests that fit.

    Example: symphainy audit verify --head audit.jsonl
    """
    where = place_here(context, store=store, as_json=as_json)
    heads = _heads_of(head) if head else {}
    report = asyncio.run(_verify(where.settings(log_level="warning"), tenant, heads))
    if where.as_json:
        print_json({"whole": report.whole, **asdict(report)})
    else:
        typer.echo(_told(report))
    if not report.whole:
        raise typer.Exit(1)


@app.command()
def export(context: typer.Context, *, tenant: OneTenant = None, out: OutFile = None, store: StoreUrl = None) -> None:
    """Write the entries of the audit chains as JSON lines, the heads of the chains as the last one.

    Kept where nobody can change it, that line proves later what was in the chains (`audit verify --head`).
    A chain that does not hold together is exported as it is, without heads: exit code 1.

    Example: symphainy audit export --out audit.jsonl
    """
    where = place_here(context, store=store)
    with _output(out) as lines:
        faults = asyncio.run(_export(where.settings(log_level="warning"), tenant, lines))
    for fault in faults:
        typer.secho(_printable(fault), fg="red", err=True)
    if faults:
        raise typer.Exit(1)


async def _verify(settings: Settings, tenant: str | None, heads: dict[str, Head]) -> AuditReport:
    from symphainy_platform.observability import configure_logs  # noqa: PLC0415 - keeps `--help` fast
    from symphainy_platform.platform import Platform  # noqa: PLC0415

    configure_logs(settings)
    async with Platform.open(settings) as platform:
        report = await platform.audit.verify(tenant, heads=heads, progress=_show_progress)
    _end_progress()
    return report


async def _export(settings: Settings, tenant: str | None, lines: BinaryIO) -> list[str]:
    """Write the export; returns what is wrong with chains."""
    from symphainy_platform.observability import configure_logs  # noqa: PLC0415 - keeps `--help` fast
    from symphainy_platform.platform import Platform  # noqa: PLC0415

    configure_logs(settings)
    async with Platform.open(settings) as platform:
        await platform.audit.append()
        exported = _Export(platform.audit, lines)
        for name in [tenant] if tenant is not None else [each async for each in platform.audit.tenants()]:
            await exported.add(name)
        exported.end()
    _end_progress()
    return exported.faults


class _Export:
    """The lines of an export, checked as they are written: heads of a broken chain would prove nothing."""

    def __init__(self, audit: Audit, lines: BinaryIO) -> None:
        self._audit = audit
        self._lines = lines
        self._heads: dict[str, dict[str, object]] = {}
        self._written = 0
        self.faults: list[str] = []

    async def add(self, tenant: str) -> None:
        """Write the chain of a tenant."""
        from symphainy_platform.runtime.audit_chain import fault_of  # noqa: PLC0415 - keeps `--help` fast

        previous, fault = None, None
        async for entry in self._audit.entries(tenant):
            if fault is None and (fault := fault_of(previous, entry)):
                self.faults.append(f"{tenant}: {fault}. The export has no heads.")
            self._write({**_columns(entry), **_content(entry, whole=fault is None)})
            previous = entry
        if previous is not None:
            self._heads[tenant] = {"seq": previous.seq, "digest": previous.digest.hex()}

    def end(self) -> None:
        """Write the heads, if every chain holds together."""
        if not self.faults:
            self._write({"heads": self._heads})

    def _write(self, value: dict[str, object]) -> None:
        self._lines.write(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE))
        self._written += 1
        if self._written % _PROGRESS == 0:
            _show_progress(self._written)


def _columns(entry: AuditEntry) -> dict[str, object]:
    return {"tenant_id": entry.tenant_id, "seq": entry.seq, "digest": entry.digest.hex()}


def _content(entry: AuditEntry, *, whole: bool) -> dict[str, object]:
    """The event, byte for byte; as text, once somebody may have written other things there."""
    return {"event": orjson.Fragment(entry.body)} if whole else {"body": entry.body}


@contextmanager
def _output(path: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or a file that only its owner reads, and that is whole or not there."""
    if path is None:
        yield sys.stdout.buffer
        return
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "wb") as file:
            yield file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _heads_of(path: Path) -> dict[str, Head]:
    """Read the last line of an export; raises a usage error."""
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415 - keeps `--help` fast

    from symphainy_platform.runtime.audit_check import Head  # noqa: PLC0415

    last = b""
    with path.open("rb") as lines:
        for line in lines:
            last = line if line.strip() else last
    try:
        return TypeAdapter(dict[str, dict[str, Head]]).validate_json(last, strict=True)["heads"]
    except (ValidationError, KeyError):
        message = f"{path} does not end with heads: name a whole file that `audit export` wrote"
        raise typer.BadParameter(message) from None


def _told(report: AuditReport) -> str:
    lines = [_printable(_sentence(chain)) for chain in report.chains] or ["There are no audit chains yet."]
    if report.waiting:
        lines.append(f"Not taken yet: {report.waiting} events; `serve`, `sweep` and `audit export` do that.")
    return "\n".join(lines)


def _sentence(chain: ChainReport) -> str:
    if chain.problems:
        return f"{chain.tenant_id}: NOT WHOLE: {'; '.join(chain.problems)}"
    return f"{chain.tenant_id}: whole, {chain.entries} entries"


def _printable(text: str) -> str:
    """What somebody wrote into the store must not play tricks on the terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _show_progress(entries: int) -> None:
    """One line that grows, for eyes only."""
    if sys.stderr.isatty():
        typer.echo(f"\r{entries} entries …", err=True, nl=False)


def _end_progress() -> None:
    if sys.stderr.isatty():
        typer.echo("\r\033[K", err=True, nl=False)
