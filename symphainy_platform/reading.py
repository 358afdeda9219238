"""What callers may look at: executions, artifacts, versions and journeys, owner by owner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symphainy_platform.canonical import MAX_INTEGER
from symphainy_platform.context import Identity
from symphainy_platform.contract.catalog import Catalog
from symphainy_platform.errors import InvalidParameterValue, NotFound
from symphainy_platform.runtime.answer import Answers, stored_failure
from symphainy_platform.state.artifact import Artifact
from symphainy_platform.state.group_commit import GroupCommit
from symphainy_platform.state.records import ExecutionRecord, ExecutionStatus
from symphainy_platform.state.store import (
    ArtifactById,
    ArtifactListing,
    ArtifactVersions,
    CompletedIntents,
    ExecutionById,
    Store,
    load_one,
)

_LARGEST_PAGE = 200


class Reading:
    """Read-only questions. What is foreign looks exactly like what does not exist."""

    def __init__(self, store: Store, answers: Answers, catalog: Catalog, writer: GroupCommit) -> None:
        """Read from `store`; `writer` may still hold rows that an answer did not wait for."""
        self._store = store
        self._answers = answers
        self._catalog = catalog
        self._writer = writer

    async def execution(self, execution_id: str, *, identity: Identity) -> dict[str, Any]:
        """The envelope of an execution, from its record, with its `status`."""
        record = await self._record(execution_id, identity)
        if record is None or not _may_see(record.user_id, identity):
            raise NotFound
        if record.status is ExecutionStatus.FAILED:
            return {**stored_failure(record).to_dict(), "status": record.status.value}
        view = record.answer.view if record.answer else {}
        result = await self._answers.replay(record, view, replayed=False)
        return {**result.to_dict(), "execution_id": record.execution_id}

    async def artifact(self, artifact_id: str, *, identity: Identity) -> dict[str, Any]:
        """One artifact in its current version."""
        return await self._shown(await self._artifact(artifact_id, None, identity))

    async def artifacts(
        self,
        *,
        identity: Identity,
        artifact_type: str | None = None,
        lifecycle_state: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> dict[str, Any]:
        """One page of the caller's artifacts (role `service`: the tenant's), newest first, as stored."""
        page = await load_one(
            self._store,
            ArtifactListing(
                tenant_id=identity.tenant_id,
                user_id=None if identity.is_service else identity.user_id,
                artifact_type=artifact_type,
                lifecycle_state=lifecycle_state,
                limit=limit,
                cursor=cursor,
            ),
        )
        return {"artifacts": [_entry(artifact) for artifact in page.artifacts], "cursor": page.cursor}

    async def versions(
        self, artifact_id: str, *, identity: Identity, before: int | None = None, limit: int = 50
    ) -> dict[str, Any]:
        """The versions of an artifact, newest first, without their payloads."""
        for name, number, highest in (("before", before, MAX_INTEGER), ("limit", limit, _LARGEST_PAGE)):
            if number is not None and not 1 <= number <= highest:
                raise InvalidParameterValue(parameter=name, expected=f"1 to {highest}")
        await self._artifact(artifact_id, None, identity)
        found = await load_one(
            self._store,
            ArtifactVersions(tenant_id=identity.tenant_id, artifact_id=artifact_id, before=before, limit=limit),
        )
        versions = [_entry(artifact) for artifact in found]
        more = bool(found) and len(found) == limit and found[-1].version > 1
        return {"versions": versions, "before": found[-1].version if more else None}

    async def version(self, artifact_id: str, version: int, *, identity: Identity) -> dict[str, Any]:
        """One version of an artifact, with its logs as that version left them."""
        if not 1 <= version <= MAX_INTEGER:
            raise NotFound
        return await self._shown(await self._artifact(artifact_id, version, identity))

    async def journey(self, journey_id: str, *, identity: Identity) -> dict[str, Any]:
        """Which steps of a journey this user has completed, and whether it is complete."""
        sourced = self._catalog.journeys.get(journey_id)
        if sourced is None:
            raise NotFound(parameter="journey")
        journey = sourced.value
        await self._writer.settle()
        done = await load_one(self._store, CompletedIntents(identity.tenant_id, identity.user_id, journey.intents))
        progress = journey.progress(done)
        steps = [{"intent": intent, "completed": completed} for intent, completed in progress.steps.items()]
        return {"journey": journey_id, "complete": progress.complete, "steps": steps}

    async def _record(self, execution_id: str, identity: Identity) -> ExecutionRecord | None:
        read = ExecutionById(identity.tenant_id, execution_id)
        unsettled = self._writer.busy  # asked before the look: what is decided in between is not overlooked
        record = await load_one(self._store, read)
        if record is None and unsettled:
            await self._writer.settle()
            record = await load_one(self._store, read)
        return record

    async def _artifact(self, artifact_id: str, version: int | None, identity: Identity) -> Artifact:
        artifact = await load_one(self._store, ArtifactById(identity.tenant_id, artifact_id, version))
        if artifact is None or not _may_see(artifact.user_id, identity):
            raise NotFound
        return artifact

    async def _shown(self, artifact: Artifact) -> dict[str, Any]:
        return {**_entry(artifact), "semantic_payload": await self._answers.show(artifact, {})}


def _may_see(user_id: str, identity: Identity) -> bool:
    return identity.is_service or user_id == identity.user_id


def _entry(artifact: Artifact) -> dict[str, Any]:
    """The artifact record without its payload (10-runtime, "Values")."""
    produced: Mapping[str, str] = {
        "intent": artifact.produced_by.intent,
        "execution_id": artifact.produced_by.execution_id,
    }
    return {
        "artifact_id": artifact.artifact_id,
        "artifact_type": artifact.artifact_type,
        "tenant_id": artifact.tenant_id,
        "user_id": artifact.user_id,
        "version": artifact.version,
        "lifecycle_state": artifact.lifecycle_state,
        "semantic_descriptor": artifact.semantic_descriptor,
        "produced_by": produced,
        "parent_artifacts": list(artifact.parent_artifacts),
        "materializations": list(artifact.materializations),
        "created_at": artifact.created_at,
        "updated_at": artifact.updated_at,
    }
