"""Pages of the outbox: which of the rows that were read are on one, and the events that they hold.

A row ends with the eight columns of its event, whatever the store has before them to order by.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from symphainy_platform.state.records import PublishedEvent
from symphainy_platform.state.rows import Row
from symphainy_platform.state.store import EventFilter

_LOOKED_AT = 1000
"""Rows that one page looks at, at the least: bounds a page whose filter matches few of them."""
_COLUMNS = 8


def window(limit: int) -> int:
    """How many rows to read for a page of at most `limit` events."""
    return max(limit, _LOOKED_AT)


def page_of(rows: Sequence[Row], where: EventFilter, limit: int) -> tuple[Sequence[Row], Row | None]:
    """Choose the rows of a page; and the one that it ends behind, None when it has come to the end of all."""
    found = [row for row in rows if _admits(where, row)]
    if len(found) <= limit and len(rows) < window(limit):
        return found, None
    return found[:limit], found[limit - 1] if len(found) >= limit else rows[-1]


def _admits(where: EventFilter, row: Row) -> bool:
    tenant_id, user_id, _, _, kind, artifact_id, _, _ = row[-_COLUMNS:]
    return where.admits(tenant_id, user_id, artifact_id, kind)


def event_from(row: Row, cursor: str) -> PublishedEvent:
    """Read an event from its columns; the cursor that resumes behind it is the store's to write."""
    tenant_id, user_id, execution_id, intent_type, kind, artifact_id, payload, created_at = row[-_COLUMNS:]
    return PublishedEvent(
        cursor=cursor,
        tenant_id=tenant_id,
        user_id=user_id,
        execution_id=execution_id,
        intent_type=intent_type,
        type=kind,
        artifact_id=artifact_id,
        payload=orjson.loads(payload),
        created_at=created_at,
    )
