"""Current artifacts from memory: never older than a second, and never older than a commit of this process."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from symphainy_platform.context import Clock
from symphainy_platform.state.artifact import Artifact
from symphainy_platform.state.records import Commit
from symphainy_platform.state.store import ArtifactById, Store, load_one

MAX_AGE_SECONDS = 1.0
"""What another process has committed is seen after this time at the latest (40-auth-sessions)."""

_CAPACITY = 10_000

_Place = tuple[str, str]


class _Seen(NamedTuple):
    artifact: Artifact | None
    at: datetime


class _Loading(NamedTuple):
    task: asyncio.Task[Artifact | None]
    since: datetime


class RecentArtifacts:
    """Artifacts that are looked at for every request, such as the caller's session."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Read from `store`; ages are by `clock`."""
        self._store = store
        self._clock = clock
        self._seen: OrderedDict[_Place, _Seen] = OrderedDict()
        self._loading: dict[_Place, _Loading] = {}

    async def get(self, tenant_id: str, artifact_id: str) -> Artifact | None:
        """The artifact as it was at most MAX_AGE_SECONDS ago; None when there was none."""
        place, now = (tenant_id, artifact_id), self._clock.now()
        seen = self._seen.get(place)
        if seen is not None and _is_recent(seen.at, now):
            return seen.artifact
        loading = self._loading.get(place)
        if loading is None or not _is_recent(loading.since, now):  # a slow one may have looked long ago
            loading = self._loading[place] = _Loading(asyncio.create_task(self._load(place, now)), now)
        return await asyncio.shield(loading.task)

    def committed(self, commits: Sequence[Commit]) -> None:
        """Forget what these commits may have changed; a load that has begun before is not kept, either."""
        for commit in commits:
            for write in commit.artifacts:
                self.forget(commit.execution.tenant_id, write.artifact.artifact_id)

    def forget(self, tenant_id: str, artifact_id: str | None) -> None:
        """Read this artifact anew when it is asked for next."""
        if artifact_id is not None:
            self._seen.pop((tenant_id, artifact_id), None)
            self._loading.pop((tenant_id, artifact_id), None)

    async def _load(self, place: _Place, now: datetime) -> Artifact | None:
        try:
            artifact = await load_one(self._store, ArtifactById(*place))
        except BaseException:
            self._finish(place)
            raise
        if self._finish(place):
            self._seen[place] = _Seen(artifact, now)
            self._seen.move_to_end(place)
            if len(self._seen) > _CAPACITY:
                self._seen.popitem(last=False)
        return artifact

    def _finish(self, place: _Place) -> bool:
        """Whether this load is still the one that counts."""
        loading = self._loading.get(place)
        if loading is None or loading.task is not asyncio.current_task():
            return False
        del self._loading[place]
        return True


def _is_recent(then: datetime, now: datetime) -> bool:
    return 0 <= (now - then).total_seconds() < MAX_AGE_SECONDS
