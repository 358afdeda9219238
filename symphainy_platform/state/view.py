"""An artifact version as a reader sees it, with its logs as that version left them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from symphainy_platform.state.artifact import Artifact, LogEntry
from symphainy_platform.state.records import LogWrite
from symphainy_platform.state.store import LogRange, Store, load_one


@dataclass(frozen=True, slots=True)
class ArtifactView:
    """One version to present. `options` are the `view: true` parameters of the asking intent.

    `written` are log entries that this very version wrote: a first answer needs no read for them.
    """

    artifact: Artifact
    store: Store
    options: Mapping[str, Any] = field(default_factory=dict)
    written: Sequence[LogWrite] = ()

    async def read_log(self, name: str, first: int, last: int) -> list[LogEntry]:
        """Entries `first`..`last` of the log in the wording of this version, ascending."""
        head = self.artifact.log_head(name)
        if first > min(last, head.count):
            return []
        if (entries := self._just_written(name, head.generation, first, min(last, head.count))) is not None:
            return entries
        return await load_one(
            self.store,
            LogRange(
                tenant_id=self.artifact.tenant_id,
                artifact_id=self.artifact.artifact_id,
                log=name,
                generation=head.generation,
                first=first,
                last=min(last, head.count),
                version=self.artifact.version,
            ),
        )

    def _just_written(self, name: str, generation: int, first: int, last: int) -> list[LogEntry] | None:
        """The whole range, if this version wrote all of it; else None."""
        place = (self.artifact.artifact_id, name, generation)
        newest = {
            write.seq: LogEntry(write.seq, write.key, orjson.loads(write.body), write.revision)
            for write in self.written
            if first <= write.seq <= last and (write.artifact_id, write.log, write.generation) == place
        }
        return [newest[seq] for seq in range(first, last + 1)] if len(newest) == last - first + 1 else None


Presenter = Callable[[ArtifactView], Awaitable[Mapping[str, Any]]]
"""Shapes an artifact's `semantic_payload` for an answer; named by `present:` of its type file."""


async def present_payload(view: ArtifactView) -> Mapping[str, Any]:
    """Show the stored payload as it is: the presenter of types that name none."""
    return view.artifact.semantic_payload
