"""`serve --workers`: the parent replaces what ends, stops in order, refuses in one sentence, and is missed."""

import os
import signal

import httpx
import pytest
from server_process import ServerProcess, until
from servers.databases import Databases

UNREACHABLE = "postgresql://postgres@127.0.0.1:1/postgres"


@pytest.fixture(scope="module")
def store(postgres_server):
    databases = Databases(postgres_server)
    yield databases.url("workers")
    databases.empty()


@pytest.fixture
def started(tmp_path, store):
    """Start a server with two workers: started(SYMPHAINY_…="…")."""
    made = []

    def start(place=store, **chosen):
        made.append(ServerProcess(tmp_path, place, workers=2, **chosen))
        return made[-1]

    yield start
    for server in made:
        server.kill()


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def live(url):
    return httpx.get(f"{url}/health/live", timeout=10).status_code


def test_a_worker_that_ends_is_replaced_and_nobody_is_turned_away(started):
    server = started().await_url()
    first, second = server.workers()
    assert server.process.pid not in (first, second)
    os.kill(first, signal.SIGKILL)
    while len(server.workers()) < 2 or first in server.workers():
        assert live(server.url) == 200
    os.kill(second, signal.SIGTERM)  # this one finishes what it has begun
    until(lambda: len(server.workers()) == 2 and second not in server.workers())
    assert [(line["pid"], line["code"]) for line in server.events("worker_ended")] == [(first, -9), (second, 0)]


def test_a_stop_ends_every_worker_in_order(started):
    server = started().await_url()
    workers = server.workers()
    assert server.stop(signal.SIGINT) == 0
    assert all(map(gone, workers))
    assert server.events("worker_ended") == []
    assert list(server.temporary.iterdir()) == []


def test_many_signals_at_once_are_one_stop(started):
    """A service manager tells every process of the group, and so does the parent; then it gets impatient."""
    server = started().await_url()
    for pid in (*server.workers(), server.process.pid, *server.workers(), server.process.pid):
        os.kill(pid, signal.SIGTERM)
    assert server.process.wait(30) == 0


def test_workers_whose_parent_is_killed_leave_the_port_and_end(started, tmp_path, store):
    server = started().await_url()
    workers = server.workers()
    server.kill()
    until(lambda: refuses(server.url))
    until(lambda: all(map(gone, workers)))
    assert list(server.temporary.iterdir()) == []
    again = ServerProcess(tmp_path, store, workers=2, port=server.url.rpartition(":")[2])
    try:
        assert live(again.await_url().url) == 200
    finally:
        again.kill()


def refuses(url):
    try:
        live(url)
    except httpx.ConnectError:
        return True
    except httpx.TransportError:
        return False
    return False


REFUSED = {
    "a store of one process": ("sqlite:///x.db", 2, "choose a postgresql:// store"),
    "a store that is away": (UNREACHABLE, 1, "DATABASE_UNAVAILABLE"),
    "a store that is none": ("mongodb://db/x", 2, "mongodb"),
}


@pytest.mark.parametrize(("place", "code", "said"), REFUSED.values(), ids=REFUSED)
def test_a_start_that_cannot_be_is_said_once(started, place, code, said):
    server = started(place)
    assert server.process.wait(60) == code
    assert server.log.count(said) == 1
    assert "Traceback" not in server.log
    assert server.said == []
