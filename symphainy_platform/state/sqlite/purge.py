"""Purging artifacts: the whole of each, or nothing of it when somebody has written it since."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from symphainy_platform.errors import ContractViolation
from symphainy_platform.state.artifact import Artifact
from symphainy_platform.state.rows import Unstorable
from symphainy_platform.state.sqlite.connection import transaction
from symphainy_platform.state.sqlite.domain import DomainTables
from symphainy_platform.state.sqlite.queries import SQL


def purge_artifacts(
    connection: sqlite3.Connection,
    artifacts: Sequence[Artifact],
    tables: Mapping[str, Sequence[str]],
    domain: DomainTables,
) -> int:
    """Delete them in one transaction; returns how many were still in the given version."""
    try:
        with transaction(connection):
            cursor = connection.cursor()
            return sum(_purge(cursor, each, tables.get(each.artifact_type, ()), domain) for each in artifacts)
    except Unstorable as error:
        raise ContractViolation("A type names a table that the store does not have.", reason=str(error)) from error


def _purge(cursor: sqlite3.Cursor, artifact: Artifact, tables: Sequence[str], domain: DomainTables) -> bool:
    place = (artifact.tenant_id, artifact.artifact_id)
    if cursor.execute(SQL["purge_artifact"], (*place, artifact.version)).rowcount == 0:
        return False
    cursor.execute(SQL["purge_versions"], place)
    cursor.execute(SQL["purge_log"], place)
    for table in tables:
        domain.forget(cursor, table, *place)
    return True
