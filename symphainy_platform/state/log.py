"""One append-only log of one artifact, as the service that stages writes to it sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from symphainy_platform.state.artifact import Artifact, LogEntry, LogHead
from symphainy_platform.state.records import LogWrite
from symphainy_platform.state.store import LogKeys, LogRange, load_one

if TYPE_CHECKING:
    from symphainy_platform.state.surface import StateSurface


class ArtifactLog:
    """Reads see what this execution and the writers queued before it have staged.

    Entries have a key that is unique in its generation and a gapless seq from 1. Edits add a
    revision and a restart opens a new generation: the old wording stays readable.
    """

    def __init__(self, surface: StateSurface, artifact: Artifact, name: str) -> None:
        """Bind to the log `name` of `artifact`; get one from `StateSurface.log`."""
        self._surface = surface
        self._artifact_id = artifact.artifact_id
        self._base = artifact
        self._name = name

    @property
    def _artifact(self) -> Artifact:
        return self._surface.current(self._base)

    @property
    def head(self) -> LogHead:
        """Generation, number of entries and bytes, with what is staged."""
        return self._artifact.log_head(self._name)

    async def read(self, first: int, last: int) -> list[LogEntry]:
        """Entries `first`..`last` (seq, inclusive) in their newest wording, ascending."""
        head = self.head
        last = min(last, head.count)
        if first > last:
            return []
        newer = self._newer(lambda write: first <= write.seq <= last)
        stored = await load_one(self._surface.store, self._range(head, first, last))
        merged = {entry.seq: entry for entry in stored} | newer
        return [merged[seq] for seq in sorted(merged)]

    async def find(self, keys: Sequence[str]) -> dict[str, LogEntry]:
        """Entries by key, in their newest wording; unknown keys are absent."""
        if not keys:
            return {}
        wanted = frozenset(keys)
        newer = self._newer(lambda write: write.key in wanted)
        stored = await load_one(self._surface.store, self._keys(keys))
        return {entry.key: entry for entry in [*stored, *newer.values()]}

    def append(self, entries: Sequence[tuple[str, Any]]) -> list[LogEntry]:
        """Stage new entries (key, JSON body) at the end; the key must be new in this generation."""
        head = self.head
        added = [LogEntry(head.count + i, key, body) for i, (key, body) in enumerate(entries, start=1)]
        self._stage(added)
        return added

    def revise(self, entry: LogEntry, body: Any) -> LogEntry:
        """Stage a new wording of an entry; seq and key stay."""
        edited = entry._replace(body=body, revision=entry.revision + 1)
        self._stage([edited], replaced=len(orjson.dumps(entry.body)))
        return edited

    def restart(self) -> None:
        """Stage a new, empty generation; the old one stays readable in older versions."""
        head = self.head
        self._surface.set_log_head(self._artifact, self._name, LogHead(generation=head.generation + 1))

    def _newer(self, asked_for: Callable[[LogWrite], bool]) -> dict[int, LogEntry]:
        """By seq, what the store may not know yet of what is asked for: in flight first, then staged here."""
        writes = self._surface.unsettled_entries(self._artifact_id, self._name, self.head.generation)
        return {w.seq: LogEntry(w.seq, w.key, orjson.loads(w.body), w.revision) for w in writes if asked_for(w)}

    def _stage(self, entries: Sequence[LogEntry], replaced: int = 0) -> None:
        if not entries:
            return
        head = self.head
        version = self._surface.next_version(self._artifact)
        writes = [self._write(head.generation, version, entry) for entry in entries]
        grown = LogHead(
            generation=head.generation,
            count=max(head.count, entries[-1].seq),
            size=head.size + sum(len(write.body.encode()) for write in writes) - replaced,
            revised=head.revised or any(entry.revision for entry in entries),
        )
        self._surface.set_log_head(self._artifact, self._name, grown)
        self._surface.stage_entries(writes)

    def _write(self, generation: int, version: int, entry: LogEntry) -> LogWrite:
        body = orjson.dumps(entry.body).decode()
        return LogWrite(self._artifact_id, self._name, generation, entry.seq, entry.revision, entry.key, body, version)

    def _range(self, head: LogHead, first: int, last: int) -> LogRange:
        return LogRange(
            tenant_id=self._artifact.tenant_id,
            artifact_id=self._artifact_id,
            log=self._name,
            generation=head.generation,
            first=first,
            last=last,
        )

    def _keys(self, keys: Sequence[str]) -> LogKeys:
        return LogKeys(
            tenant_id=self._artifact.tenant_id,
            artifact_id=self._artifact_id,
            log=self._name,
            generation=self.head.generation,
            keys=tuple(keys),
        )
