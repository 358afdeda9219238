"""Fixtures of contracts, put into a store through its port."""

from __future__ import annotations

from collections.abc import Mapping
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
    execution_id = f"exec_fixture_{fixture.id}"
    record = ExecutionRecord(
        tenant_id=owner.tenant_id,
        execution_id=execution_id,
        user_id=owner.user_id,
        session_ref=None,
        intent_type=_INTENT,
        contract_version="1.0.0",
        status=ExecutionStatus.COMPLETED,
        trace_id=_INTENT,
        started_at=made_at,
        answer=StoredAnswer(artifacts={fixture.artifact: {"ref": [fixture.id, 1]}}),
    )
    artifact = Artifact(
        artifact_id=fixture.id,
        artifact_type=fixture.artifact,
        tenant_id=owner.tenant_id,
        user_id=owner.user_id,
        version=1,
        lifecycle_state=fixture.state,
        semantic_payload=fixture.payload,
        produced_by=ProducedBy(_INTENT, execution_id),
        created_at=made_at,
        updated_at=made_at,
    )
    rows = tuple(_row(row, owner, catalog) for row in fixture.rows)
    return Commit(execution=record, artifacts=(ArtifactWrite(artifact, 0),), rows=rows)


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
