"""`kill -9` under load, again and again: what was acknowledged is there once, and nothing is half-written."""

import asyncio
import itertools
import sqlite3
from contextlib import closing

import pytest
from served import Callers, Server, client_of

ROUNDS = 10
USERS = ("ann", "bob")
ACKNOWLEDGED_BEFORE_THE_KILL = 20


def keys_of(writer):
    return (f"{writer}/{turn}" for turn in itertools.count())


async def loaded_and_killed(server, callers, number):
    """Several writers per user, two of them with the same calls; the server is killed while they are at it."""
    acknowledged = itertools.count(1)

    def enough():
        if next(acknowledged) == ACKNOWLEDGED_BEFORE_THE_KILL + number:
            server.kill()

    async with client_of(server) as client:
        writers = [
            callers.load(client, keys_of(f"{user}/{number}/{writer % 4}"), enough)
            for user in USERS
            for writer in range(5)
        ]
        await asyncio.gather(*writers)


async def outcomes_are_true(server, callers):
    """Retries with the same key: what was answered is answered so again, what was unknown is known now."""
    async with client_of(server) as client:
        for key in sorted(callers.book.unknown):
            assert await callers.append(client, key)
        for key, told in list(callers.book.told.items())[-30:]:
            del callers.book.told[key]
            again = await callers.append(client, key)
            assert again == {**told, "idempotent_replay": True}


@pytest.fixture
async def killed(tmp_path):
    """The book of callers whose server was killed in every round, and its database."""
    callers = Callers(tmp_path, USERS)
    for number in range(ROUNDS):
        server = Server(tmp_path)
        if number == 0:
            async with client_of(server) as client:
                await callers.sign_in(client)
                for user in USERS:
                    await callers.submit(client, user, f"{user}-session", "initialize_chat_session")
            callers.book.told.clear()
        await outcomes_are_true(server, callers)
        await loaded_and_killed(server, callers, number)
    server = Server(tmp_path)
    await outcomes_are_true(server, callers)
    assert server.stop() == 0
    with closing(sqlite3.connect(tmp_path / "platform.db")) as connection:
        yield callers.book, connection.cursor()


async def test_ten_kills_lose_nothing_double_nothing_and_leave_nothing_half(killed):
    book, database = killed
    keys = set(book.told)
    assert not book.unknown
    assert len(keys) > ROUNDS * ACKNOWLEDGED_BEFORE_THE_KILL / 2
    check_messages(database, keys)
    check_executions(database, book)
    check_versions(database)
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def check_messages(database, keys):
    found = database.execute("SELECT entry_key FROM artifact_log WHERE log = 'conversation_history'").fetchall()
    assert sorted(key for (key,) in found) == sorted(f"s:{key}" for key in keys)
    for log, count, highest in database.execute(
        "SELECT artifact_id || log, count(DISTINCT seq), max(seq) FROM artifact_log GROUP BY 1"
    ).fetchall():
        assert count == highest, log


def check_executions(database, book):
    wrote = database.execute("SELECT execution_id FROM executions WHERE intent_type = 'update_chat_context'").fetchall()
    assert sorted(told["execution_id"] for told in book.told.values()) == sorted(name for (name,) in wrote)
    events = database.execute("SELECT execution_id FROM outbox WHERE type = 'chat_context_updated'").fetchall()
    assert sorted(events) == sorted(wrote)


def check_versions(database):
    for artifact_id, version, keys, told in database.execute(
        "SELECT artifacts.artifact_id, artifacts.version,"
        " (SELECT count(*) FROM json_each(json_extract(context, '$.pillar_context'))), chat_sessions.version"
        " FROM artifacts JOIN chat_sessions ON chat_session_id = artifact_id"
    ).fetchall():
        older = database.execute(
            "SELECT version FROM artifact_versions WHERE artifact_id = ? ORDER BY 1", [artifact_id]
        )
        assert older.fetchall() == [(n,) for n in range(1, version)]
        assert version == keys + 1 == told
