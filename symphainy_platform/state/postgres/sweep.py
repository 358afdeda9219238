"""One bounded step of a sweep, done by the database's own function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import asyncpg
import orjson

from symphainy_platform.errors import ContractViolation
from symphainy_platform.state.artifact import Artifact
from symphainy_platform.state.postgres.driver import Connection
from symphainy_platform.state.postgres.faults import is_of_item
from symphainy_platform.state.postgres.queries import SQL
from symphainy_platform.state.rows import to_json
from symphainy_platform.state.store import Retention, SweepResult

_BEGINNING = '["-infinity", "", ""]'
"""Before every (committed_at, tenant_id, execution_id)."""


class Sweep:
    """Goes through the executions in the order of their commits, step by step.

    It remembers how far its pass has come, so that executions that must be kept are not looked at again
    in every step.
    """

    def __init__(self) -> None:
        """Begin a pass at the oldest execution."""
        self._passed = _BEGINNING

    async def step(
        self, connection: Connection, now: str, retention: Retention, limit: int, *, injected: bool
    ) -> SweepResult:
        """Take one step in one transaction, at most `limit` rows of each sort.

        Ages are counted from `now`; keys expire by the database's clock, unless `now` is of an injected one.
        """
        moment = datetime.fromisoformat(now)
        executions_until = moment - timedelta(seconds=retention.executions)
        events_until = moment - timedelta(seconds=retention.outbox)
        expired_at = moment if injected else None
        answer = await connection.fetchval(
            SQL["sweep"], expired_at, executions_until, events_until, self._passed, limit
        )
        if answer is None:
            return SweepResult()
        done = orjson.loads(answer)
        at_end = done["looked_at"] < limit
        self._passed = _BEGINNING if at_end else orjson.dumps(done["passed"]).decode()
        return SweepResult(
            keys=done["keys"],
            executions=done["executions"],
            events=done["events"],
            more=limit in (done["keys"], done["events"]) or not at_end,
        )


async def purge_artifacts(
    connection: Connection, artifacts: Sequence[Artifact], tables: Mapping[str, Sequence[str]]
) -> int:
    """Delete artifacts in one transaction; returns how many were still in the given version."""
    places = [
        {
            "tenant_id": artifact.tenant_id,
            "artifact_id": artifact.artifact_id,
            "version": artifact.version,
            "tables": list(tables.get(artifact.artifact_type, ())),
        }
        for artifact in artifacts
    ]
    try:
        gone: int = await connection.fetchval(SQL["purge"], to_json(places))
    except asyncpg.PostgresError as error:
        if not is_of_item(error):
            raise
        raise ContractViolation("A type names a table that the store does not have.", reason=str(error)) from error
    return gone
