"""Commits that are handed over but not yet known to be durable, as the next writer must see them.

A queue of writers to one artifact would otherwise wait for every disk flush. Each writer reads
the head that the one before staged; should that commit fail, the versions no longer match and
the store refuses the later one, which is then run again on fresh reads.
"""

from __future__ import annotations

from asyncio import Future
from dataclasses import dataclass

import orjson

from symphainy_platform.state.artifact import Artifact
from symphainy_platform.state.records import Commit, LogWrite, Outcome


@dataclass(frozen=True, slots=True)
class _InFlight:
    commit: Commit
    artifact: Artifact
    outcome: Future[Outcome]


class PendingWrites:
    """The heads and log entries of commits in flight in this process, by artifact."""

    def __init__(self) -> None:
        """Start with nothing in flight."""
        self._by_artifact: dict[tuple[str, str], list[_InFlight]] = {}

    def add(self, commit: Commit, outcome: Future[Outcome]) -> None:
        """Show the commit's artifacts to later writers until it is removed."""
        for write in commit.artifacts:
            place = (commit.execution.tenant_id, write.artifact.artifact_id)
            self._by_artifact.setdefault(place, []).append(_InFlight(commit, write.artifact, outcome))

    def remove(self, commit: Commit) -> None:
        """Forget a commit whose outcome is known; one that was never added is no error."""
        for write in commit.artifacts:
            place = (commit.execution.tenant_id, write.artifact.artifact_id)
            left = [entry for entry in self._by_artifact.pop(place, ()) if entry.commit is not commit]
            if left:
                self._by_artifact[place] = left

    def head(self, tenant_id: str, artifact_id: str) -> tuple[Artifact, Future[Outcome]] | None:
        """The newest version in flight and the outcome that it hangs on; None when all is durable.

        Its values are the reader's own, as if it came from the store.
        """
        entries = self._by_artifact.get((tenant_id, artifact_id))
        return (_own_copy(entries[-1].artifact), entries[-1].outcome) if entries else None

    def entries(self, tenant_id: str, artifact_id: str, log: str, generation: int) -> list[LogWrite]:
        """Log writes in flight for one generation, in the order of their commits."""
        return [
            write
            for entry in self._by_artifact.get((tenant_id, artifact_id), ())
            for write in entry.commit.entries
            if write.artifact_id == artifact_id and write.log == log and write.generation == generation
        ]


def _own_copy(artifact: Artifact) -> Artifact:
    """A service that changes what it has read must not change what is being written."""
    try:
        values = orjson.dumps([artifact.semantic_payload, artifact.semantic_descriptor, artifact.materializations])
    except TypeError:  # the store refuses what is not JSON, and whatever was built on it runs again
        return artifact
    payload, descriptor, materializations = orjson.loads(values)
    return artifact.changed(
        semantic_payload=payload,
        semantic_descriptor=descriptor,
        materializations=tuple(materializations),
    )
