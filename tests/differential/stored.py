"""What a database holds of one tenant, read beside the store, in a form that all databases share."""

import json
import sqlite3
from contextlib import closing

import asyncpg

from symphainy_platform.testing.postgres import _COLUMNS
from symphainy_platform.testing.state import KEPT_BY_THE_STORE

_JSON = {
    *("answer", "error", "wrote"),
    *("semantic_payload", "semantic_descriptor", "parent_artifacts", "materializations", "logs"),
    *("payload", "body", "context", "roles"),
}
_OF_THE_STORE = {"outbox": {"id", "position"}, "audit": {"event_cursor", "digest"}}
"""Cursors are each store's own, and so is what is made from them."""
_ORDERED = {"outbox": ("position", "id"), "audit": ("seq",)}
_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"


class InFile:
    """A SQLite file."""

    def __init__(self, path):
        self._path = path

    async def rows(self, tenant):
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            names = {name for (name,) in connection.execute(_TABLES)} - KEPT_BY_THE_STORE
            selected = {name: f"SELECT * FROM {name} WHERE tenant_id = ?" for name in names}  # noqa: S608 - of the schema
            return {name: _told(name, connection.execute(select, (tenant,))) for name, select in selected.items()}

    async def close(self):
        pass


class InDatabase:
    """A Postgres database, over one connection."""

    def __init__(self, url):
        self._url = url
        self._connection = None

    async def rows(self, tenant):
        if self._connection is None:
            self._connection = await asyncpg.connect(self._url)
            self._tables = [each for each in await self._connection.fetch(_COLUMNS) if each[0] not in KEPT_BY_THE_STORE]
        return {
            name: _told(
                name,
                await self._connection.fetch(f"select {columns} from symphainy.{name} where tenant_id = $1", tenant),  # noqa: S608
            )
            for name, columns in self._tables
        }

    async def close(self):
        if self._connection is not None:
            await self._connection.close()


def _told(table, found):
    rows = [dict(row) for row in found]
    if table in _ORDERED:
        kept = sorted(rows, key=lambda row: [row.get(column, 0) for column in _ORDERED[table]])
        return [_plain(table, row) for row in kept]
    return sorted((_plain(table, row) for row in rows), key=repr)


def _plain(table, row):
    """Columns by name, JSON as its values: how a database writes it is its own business."""
    kept = {name: value for name, value in sorted(row.items()) if name not in _OF_THE_STORE.get(table, ())}
    plain = {name: _value(name, value) for name, value in kept.items()}
    if table == "audit":
        plain["body"].pop("cursor")
    return plain


def _value(name, value):
    if name in _JSON and value is not None:
        return json.loads(value, object_pairs_hook=lambda pairs: dict(sorted(pairs)))
    return int(value) if isinstance(value, bool) else value
