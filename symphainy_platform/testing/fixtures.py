"""Fixtures of contracts, put into a store through its port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from symphainy_platform.context import Identity
from symphainy_platform.contract.catalog import Catalog
from symphainy_platform.contract.scenario import Fixture, RowFixture
from symphainy_platform.state.artifact import Artifact, ProducedBy
from symphainy_platform.state.records import (
    ArtifactWrite,
    Commit,
    ExecutionRecord,
    ExecutionStatus,
    RowWrite,
    StoredAnswer,
)

_INTENT = "fixture"


def commit_of(fixture: Fixture, owner: Identity, made_at: str, catalog: Catalog) -> Commit:
    """The commit that makes a fixture exist: version 1, in its declared state, of this owner."""
    artifact = Artifact(
        artifact_id=fixture.id,
        artifact_type=fixture.artifact,
        tenant_id=owner.tenant_id,
        user_id=owner.user_id,
        version=1,
        lifecycle_state=fixture.state,
        semantic_payload=fixture.payload,
        produced_by=_producer(fixture.id, 1),
        created_at=made_at,
        updated_at=made_at,
    )
    rows = tuple(_row(row, owner, catalog) for row in fixture.rows)
    return Commit(execution=_record(artifact), artifacts=(ArtifactWrite(artifact, 0),), rows=rows)


def successor_of(artifact: Artifact, made_at: str, changes: Mapping[str, Any]) -> Commit:
    """The commit of an artifact's next version; of version 1, when the change is to another id."""
    is_new = changes.get("artifact_id", artifact.artifact_id) != artifact.artifact_id
    version = 1 if is_new else artifact.version + 1
    producer = _producer(changes.get("artifact_id", artifact.artifact_id), version)
    changed = replace(artifact, **changes, version=version, produced_by=producer, updated_at=made_at)
    base = ArtifactWrite(changed, 0) if is_new else ArtifactWrite(changed, artifact.version)
    return Commit(execution=_record(changed), artifacts=(base,))


def _producer(artifact_id: str, version: int) -> ProducedBy:
    return ProducedBy(_INTENT, f"exec_fixture_{artifact_id}_{version}")


def _record(artifact: Artifact) -> ExecutionRecord:
    return ExecutionRecord(
        tenant_id=artifact.tenant_id,
        execution_id=artifact.produced_by.execution_id,
        user_id=artifact.user_id,
        session_ref=None,
        intent_type=_INTENT,
        contract_version="1.0.0",
        status=ExecutionStatus.COMPLETED,
        trace_id=_INTENT,
        started_at=artifact.updated_at,
        answer=StoredAnswer(artifacts={artifact.artifact_type: {"ref": [artifact.artifact_id, artifact.version]}}),
    )


def _row(row: RowFixture, owner: Identity, catalog: Catalog) -> RowWrite:
    """A domain row; its `user_id`, where the table has one, is the owner's."""
    owned: Mapping[str, Any] = {"user_id": owner.user_id} if "user_id" in _columns(row.table, catalog) else {}
    return RowWrite(row.table, row.key, {**row.values, **owned})


def _columns(table: str, catalog: Catalog) -> set[str]:
    """The columns of a table that any contract declares to write."""
    return {
        column
        for sourced in catalog.contracts.values()
        for write in sourced.value.effects.writes
        if write.table == table
        for column in write.columns
    }
