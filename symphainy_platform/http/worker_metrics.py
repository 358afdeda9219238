"""`/metrics` of several workers behind one address: whoever is asked answers for all of them.

Each worker leaves its figures in a folder that all of them read, once a second; a scrape must not see
one worker's counters now and another's next time.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING

from prometheus_client.exposition import generate_latest

if TYPE_CHECKING:
    from pathlib import Path

    from prometheus_client import CollectorRegistry

_SECONDS = 1.0
_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_FAMILY = re.compile(r"^(?=# HELP )", re.MULTILINE)


class WorkerMetrics:
    """The figures of one worker, and of the others beside it; `worker` is the label that parts them."""

    def __init__(self, registry: CollectorRegistry, folder: Path, number: int) -> None:
        """Leave what `registry` holds in `folder`, as worker `number`."""
        self._registry = registry
        self._folder = folder
        self._number = number

    async def keep(self) -> None:
        """Leave the figures once a second, for good."""
        while True:
            with contextlib.suppress(OSError):  # the folder is the parent's, which may have gone; next time, then
                self._leave()
            await asyncio.sleep(_SECONDS)

    def exposed(self) -> bytes:
        """Every worker's figures in the Prometheus text format; those of others are a second old."""
        texts = {self._number: self._own()}
        for path in self._folder.glob("*.prom"):
            with contextlib.suppress(FileNotFoundError):  # the parent is about to end
                texts.setdefault(int(path.stem), path.read_text("utf-8"))
        return merged(texts).encode()

    def _own(self) -> str:
        return generate_latest(self._registry).decode()

    def _leave(self) -> None:
        whole = self._folder / f"{self._number}.new"
        whole.write_text(self._own(), "utf-8")
        whole.replace(self._folder / f"{self._number}.prom")


def merged(texts: dict[int, str]) -> str:
    """Join expositions, family by family; each sample gets the label `worker`."""
    families: dict[str, list[str]] = {}
    for number, text in sorted(texts.items()):
        for family in filter(None, _FAMILY.split(text)):
            help_line, type_line, samples = family.split("\n", 2)
            families.setdefault(f"{help_line}\n{type_line}\n", []).append(_labelled(samples, number))
    return "".join(head + "".join(samples) for head, samples in families.items())


def _labelled(samples: str, number: int) -> str:
    def label(sample: re.Match[str]) -> str:
        name, labels, value = sample.groups()
        others = f",{labels}" if labels else ""
        return f'{name}{{worker="{number}"{others}}} {value}'

    return _SAMPLE.sub(label, samples)
