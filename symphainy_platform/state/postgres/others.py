"""Noticing what other processes commit."""

from __future__ import annotations

from symphainy_platform.state.postgres.commit import Committer
from symphainy_platform.state.postgres.driver import Connection
from symphainy_platform.state.postgres.queries import SQL


class OtherWriters:
    """Looks for events whose positions are not those of our own commits."""

    def __init__(self, committer: Committer) -> None:
        """Nothing has been seen yet: the first answer is True when there is any event."""
        self._committer = committer
        self._seen = 0
        self._withheld = False

    def saw(self, horizon: int) -> None:
        """Note that a reader came no further than `horizon`, which may lie before our own newest event."""
        own = self._committer.positions
        self._withheld = bool(own) and own[-1] >= horizon

    async def have_committed(self, connection: Connection) -> bool:
        """Tell whether there are events by others since the last call, or ours were withheld from a reader."""
        own = self._committer.positions
        newest, by_others = await connection.fetchrow(SQL["changes"], self._seen, list(map(str, own)))
        while own and own[0] <= newest:
            own.popleft()
        self._seen, withheld = newest, self._withheld
        return bool(by_others or withheld)
