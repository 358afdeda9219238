"""What the answers of reads have in common in every store: pages of listings, the newest wording of logs."""

from __future__ import annotations

from collections.abc import Sequence

from symphainy_platform.errors import InvalidParameterValue
from symphainy_platform.state.artifact import LogEntry
from symphainy_platform.state.cursors import listing_cursor
from symphainy_platform.state.rows import Row, artifact_from, log_entries_from
from symphainy_platform.state.store import ArtifactListing, ArtifactPage

ABOVE_EVERY_VERSION = 2**63 - 1
_LARGEST_PAGE = 200


def listing_query(read: ArtifactListing) -> tuple[str, Row]:
    """Name the statement of a listing, and tell the values of its filters; it reads one row more than `limit`.

    Each combination of filters has its own statement, whose index gives the order.
    Raises InvalidParameterValue for a limit that is none.
    """
    if not 1 <= read.limit <= _LARGEST_PAGE:
        raise InvalidParameterValue(parameter="limit", expected=f"1 to {_LARGEST_PAGE}")
    filters = {"user": read.user_id, "type": read.artifact_type, "state": read.lifecycle_state}
    given = {name: value for name, value in filters.items() if value is not None}
    scope = "" if "user" in given else "_tenant"
    return f"list{scope}{''.join(f'_{name}' for name in given)}", (read.tenant_id, *given.values())


def listing_page(key: bytes, read: ArtifactListing, rows: Sequence[Row]) -> ArtifactPage:
    """Make the page of the rows that the statement of a listing brought; `key` is that of its cursors."""
    artifacts = tuple(map(artifact_from, rows[: read.limit]))
    more = len(rows) > read.limit
    return ArtifactPage(artifacts, listing_cursor(key, read, artifacts[-1]) if more else None)


def newest_wording(rows: Sequence[Row]) -> list[LogEntry]:
    """Read the newest wording of each log entry, of rows in the order of seq and revision."""
    if any(row[3] for row in rows):
        rows = list({row[0]: row for row in rows}.values())
    return log_entries_from(rows)
