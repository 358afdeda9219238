"""Databases of one test: empty when they are first asked for, emptied at its end for the next one."""

import asyncio
import itertools
from concurrent.futures import ThreadPoolExecutor

import asyncpg

from symphainy_platform.testing.postgres import EMPTY_TABLES

_NUMBERS = itertools.count(1)
_FREE = {}
_ELSEWHERE = ThreadPoolExecutor(1, "databases")  # asked for inside tests whose own loop is running


OWNER = "owner"
_OWNER = f"""
    do $$ begin
      create role {OWNER} login createrole;
    exception when duplicate_object then null;
    end $$;
    do $$ begin
      create role symphainy_app nologin;
    exception when duplicate_object then null;
    end $$;
    grant symphainy_app to {OWNER} with admin option;
"""
"""Roles belong to the server: whichever test migrates a database first, this owner may grant the platform's."""
_ALONE = """
    select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and usename <> 'gateway';
"""
"""The API of Supabase keeps its connections, of which a test leaves none with a lock (and `forget` ends them)."""
_EMPTY = """
    drop schema if exists symphainy cascade;
    drop schema if exists auth cascade;
"""


class Databases:
    """Empty databases on a server, by the name that a test gives them.

    Emptying one takes a tenth of the time that making one takes.
    """

    def __init__(self, server, *, migrated=False):
        """With `migrated` they keep their schema and lose only their rows, which takes a tenth again."""
        self._server = server
        self._free = _FREE.setdefault((server, migrated), [])
        self._statement = EMPTY_TABLES if migrated else _EMPTY
        self._made = {}

    def url(self, name="main", user=OWNER):
        """Where the database of this name is, by default for its owner, who is no superuser."""
        return self.url_of(self.name(name), user)

    def url_of(self, database, user=OWNER):
        """Where a database of the server is, whoever made it."""
        return self._server.url(database, user)

    def name(self, name):
        """What the server calls the database of this name."""
        if name not in self._made:
            self._made[name] = self._free.pop() if self._free else self._create()
        return self._made[name]

    def empty(self):
        """Give them back, whichever store is still connected."""
        for database in self._made.values():
            self._run(_ALONE + self._statement, database)
            self._free.append(database)
        self._made = {}

    def _create(self):
        self._run(_OWNER)
        database = f"test_{next(_NUMBERS)}"
        self._run(f"create database {database} owner {OWNER}")
        return database

    def _run(self, statement, database="postgres"):
        _ELSEWHERE.submit(asyncio.run, _execute(self._server.url(database), statement)).result()


async def _execute(url, statement):
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
