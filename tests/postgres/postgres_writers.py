"""A writer in another process, whose transaction the test holds open."""

import orjson

from symphainy_platform.state.postgres.batch import encode
from symphainy_platform.state.postgres.queries import SQL


class Writer:
    """Writes commits in one transaction of its own."""

    def __init__(self, connection, tables):
        self.connection = connection
        self._tables = tables
        self._transaction = connection.transaction()

    async def write(self, *commits):
        """Begin, write, and leave the transaction open."""
        await self._transaction.start()
        return orjson.loads(await self.connection.fetchval(SQL["commit_intents"], encode(commits, self._tables), None))

    async def commit(self):
        await self._transaction.commit()

    async def give_up(self):
        await self._transaction.rollback()
