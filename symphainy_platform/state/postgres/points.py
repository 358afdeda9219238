"""Several point reads as one statement: one snapshot, one round trip.

Nearly every intent reads an artifact and the record of its key at once; a transaction around two
statements would be four round trips.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from symphainy_platform.state.postgres.driver import Connection
from symphainy_platform.state.postgres.queries import SQL
from symphainy_platform.state.rows import Row, artifact_from, execution_from
from symphainy_platform.state.store import ArtifactById, ExecutionByClientKey, ExecutionById, ExecutionByKey, Read

_MOST = 4
"""Reads in one statement; each combination that occurs is prepared once per connection."""
_OF_ARTIFACT = 16
_OF_EXECUTION = 23
"""Columns of their rows."""
_PARAMETER = re.compile(r"\$(\d+)")


class Point(NamedTuple):
    """One read of at most one row: its statement, with which arguments, and how its row is read."""

    name: str
    arguments: tuple[Any, ...]
    columns: int
    made_from: Callable[[Row], Any]


def points_of(reads: Sequence[Read[Any]]) -> list[Point] | None:
    """Return the reads as points; None when there are too many, or one is more than a point."""
    if len(reads) > _MOST:
        return None
    points = [point for read in reads if (point := _point(read)) is not None]
    return points if len(points) == len(reads) else None


async def answer_points(connection: Connection, points: Sequence[Point]) -> list[Any]:
    """Answer all of them, in order; None for what is missing."""
    statement = _joined(tuple(point.name for point in points))
    row = await connection.fetchrow(statement, *(each for point in points for each in point.arguments))
    answers, at = [], 0
    for point in points:
        columns = tuple(row[at : at + point.columns])
        answers.append(None if columns[0] is None else point.made_from(columns))
        at += point.columns
    return answers


def _point(read: Read[Any]) -> Point | None:
    if isinstance(read, ArtifactById):
        if read.version is None:
            return Point("artifact", (read.tenant_id, read.artifact_id), _OF_ARTIFACT, artifact_from)
        place = (read.tenant_id, read.artifact_id, read.version)
        return Point("artifact_version", place, _OF_ARTIFACT, artifact_from)
    if isinstance(read, ExecutionById):
        return Point("execution", (read.tenant_id, read.execution_id), _OF_EXECUTION, execution_from)
    if isinstance(read, ExecutionByKey):
        return Point("execution_by_key", (read.tenant_id, read.digest), _OF_EXECUTION, execution_from)
    if isinstance(read, ExecutionByClientKey):
        return Point("execution_by_client_key", (read.tenant_id, read.digest), _OF_EXECUTION, execution_from)
    return None


@cache
def _joined(names: tuple[str, ...]) -> str:
    """Compose one statement that answers all these, whose parameters follow one another."""
    parts, before = [], 0
    for number, name in enumerate(names):
        statement = _PARAMETER.sub(lambda found, before=before: f"${int(found[1]) + before}", SQL[name])  # type: ignore[misc]
        parts.append(f"left join lateral ({statement}) as read_{number} on true")
        before += max(int(found) for found in _PARAMETER.findall(SQL[name]))
    columns = ", ".join(f"read_{number}.*" for number in range(len(names)))
    return f"select {columns} from (values (1)) as always {' '.join(parts)}"  # noqa: S608 - of queries.sql
