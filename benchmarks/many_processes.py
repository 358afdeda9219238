"""Four `symphainy serve` processes on one Postgres, against one of them with as many callers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.http_client import NextRequest, drive_http, drive_spread
from benchmarks.http_sessions import HttpSession, open_session, updater
from benchmarks.opened import caller, run, scratch
from benchmarks.pace import Pace
from benchmarks.postgres_servers import database, durable_server
from benchmarks.result import BrokenInvariantError, Result, ratio_of_at_least
from benchmarks.timing import Load, in_turns, median_rate
from symphainy_platform.state.postgres.connections import Database, end
from tests.processes.server_process import ServerProcess

PROCESSES, CALLERS = 4, 32
_STORED = """
    select version, (select count(*) from symphainy.artifact_log as l
                      where l.artifact_id = a.artifact_id and log = 'conversation_history' and revision = 0),
           (select count(*) from symphainy.outbox as o
             where o.artifact_id = a.artifact_id and type = 'chat_context_updated')
      from symphainy.artifacts as a where artifact_id = $1
"""


def measure(pace: Pace) -> list[Result]:
    """Start all processes, and load all of them and the first alone in turns."""
    with durable_server() as server, scratch() as home:
        url = run(database(server, "shared"))
        with _serving(home, url) as ports:
            ours, theirs, acknowledged = run(_measured(pace, home, url, ports))
    return [
        Result(
            measure=f"{PROCESSES} processes on one Postgres, {CALLERS} callers",
            ours=median_rate(ours),
            unit="requests/s",
            against=f"1 process, {CALLERS} callers",
            theirs=median_rate(theirs),
            target=ratio_of_at_least(0.7),
            facts={"updates acknowledged": acknowledged, "updates lost": 0},
        )
    ]


@contextmanager
def _serving(home: Path, store: str) -> Iterator[list[int]]:
    """Run the processes, which share a data folder, and give their ports."""
    servers = [ServerProcess(home, store) for _ in range(PROCESSES)]
    try:
        yield [urlsplit(server.await_url().url).port for server in servers]
    finally:
        for server in servers:
            server.kill()


async def _measured(pace: Pace, home: Path, url: str, ports: Sequence[int]) -> tuple[list[Load], list[Load], int]:
    sessions = [await open_session(home, ports[0], caller(f"user_{number}")) for number in range(CALLERS)]
    asked: Counter[str] = Counter()
    requests = [_counted(session, asked) for session in sessions]
    sides: list[Callable[[], Awaitable[Load]]] = [
        lambda: drive_spread(ports, pace.seconds, requests),
        lambda: drive_http(ports[0], pace.seconds, requests),
    ]
    await drive_spread(ports, pace.seconds, requests)  # each has its connections and plans before anything counts
    ours, theirs = await in_turns(pace.rounds, *sides)
    await _check(url, asked)
    return ours, theirs, asked.total()


def _counted(session: HttpSession, asked: Counter[str]) -> NextRequest:
    """Return updates of the session, each counted: one that is not answered with success fails the run."""
    request = updater(session)

    def counted() -> bytes:
        asked[session.session_id] += 1
        return request()

    return counted


async def _check(url: str, asked: Counter[str]) -> None:
    """Hold what was acknowledged against what is stored: a version, two messages and an event for each update."""
    connection = await Database(url).connect()
    try:
        for session_id, updates in asked.items():
            found = tuple(await connection.fetchrow(_STORED, session_id))
            if found != (1 + updates, 2 + 2 * updates, updates):
                msg = f"{updates} updates were acknowledged; stored are (version, messages, events) {found}"
                raise BrokenInvariantError(msg)
    finally:
        await end(connection)
