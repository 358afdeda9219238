import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from live_server import environment, running

SUBMIT = "/api/intent/submit"
INITIALIZE = {"intent_type": "initialize_chat_session", "parameters": {}}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_stops_at_once_with_success(own_server, number):
    assert own_server.stop(number, timeout=5) == 0


def test_a_stopping_server_finishes_what_runs_and_refuses_what_is_new(own_server):
    with own_server.client() as client, own_server.database() as database, ThreadPoolExecutor() as pool:
        bob = own_server.bearer(user="bob")
        with client.stream("GET", "/api/events") as stream:
            lines = stream.iter_lines()
            next(lines)
            database.execute("begin immediate")  # the commit of the intent under way has to wait
            under_way = pool.submit(client.post, SUBMIT, json=INITIALIZE)
            _until_under_way(own_server)
            own_server.process.send_signal(signal.SIGTERM)
            assert list(lines)[-1:] == [""]  # the stream ends, whole
            refused = httpx.post(f"{own_server.url}{SUBMIT}", json=INITIALIZE, headers=bob)
            ready = httpx.get(f"{own_server.url}/health/ready")
            database.execute("rollback")
            finished = under_way.result(10)
    assert (refused.status_code, refused.json()["error_code"]) == (503, "SHUTTING_DOWN")
    assert refused.json()["retryable"] is True
    assert int(refused.headers["Retry-After"]) >= 1
    assert ready.status_code == 503
    assert (finished.status_code, finished.json()["status"]) == (200, "completed")
    assert own_server.process.wait(10) == 0
    assert own_server.state()["chat_sessions"] == 1


def _until_under_way(server):
    """Wait for the first intent's second connection, and let the loop come round to what it sent."""
    for _ in range(20):
        httpx.get(f"{server.url}/health/live")


def test_what_was_answered_survives_kill_9(tmp_path):
    with running(tmp_path) as server:
        first = httpx.post(f"{server.url}{SUBMIT}", json=INITIALIZE, headers=server.bearer()).json()
        server.process.kill()
        server.process.wait()
    with running(tmp_path) as server:
        again = httpx.post(f"{server.url}{SUBMIT}", json=INITIALIZE, headers=server.bearer()).json()
        assert again == first | {"idempotent_replay": True}


def test_a_server_sweeps_what_retention_gives_up(tmp_path):
    short = {"SYMPHAINY_SWEEP_INTERVAL_SECONDS": "0.05", "SYMPHAINY_OUTBOX_RETENTION_DAYS": "0.000001"}
    with running(tmp_path, **short) as server:
        httpx.post(f"{server.url}{SUBMIT}", json=INITIALIZE, headers=server.bearer())
        while server.state()["outbox"]:  # bounded by the timeout of the test
            pass
        assert server.state()["chat_sessions"] == 1
        assert server.stop() == 0


def test_a_server_takes_audited_events_into_their_chain(tmp_path):
    with running(tmp_path) as server, server.database() as database:
        server.token()  # opens a session, which is audited
        while not (kept := database.execute("SELECT tenant_id, seq FROM audit").fetchall()):
            pass  # bounded by the timeout of the test
        assert kept == [("t1", 1)]
        assert server.stop() == 0


def test_development_prints_a_line_that_works_when_pasted(tmp_path):
    with running(tmp_path, "--dev", SYMPHAINY_MASTER_KEY=None) as server:
        while not any(line.startswith("curl ") for line in server.lines):
            pass
        curl = next(line for line in server.lines if line.startswith("curl "))
        answer = subprocess.run(curl, shell=True, capture_output=True, check=True, timeout=10)  # noqa: S602
        assert json.loads(answer.stdout)["status"] == "completed"


def test_production_prints_no_token(server):
    assert "eyJ" not in "".join(server.lines)


REFUSED = {
    "dev on a public host": (["--dev", "--host", "192.0.2.1"], {}, "loopback"),
    "dev with a shared store": (["--dev", "--store", "postgresql://db/x"], {}, "sqlite"),
    "an unknown store": (["--store", "mongodb://db/x"], {}, "mongodb"),
    "an unknown setting": ([], {"SYMPHAINY_PROT": "1"}, "did you mean SYMPHAINY_PORT"),
    "a host that cannot be": (["--host", "no..host"], {}, "cannot listen"),
    "no master key": ([], {"SYMPHAINY_MASTER_KEY": None}, "SYMPHAINY_MASTER_KEY"),
    "a proxy that is none": (["--trusted-proxy", "*"], {}, "an address such as"),
    "a host that is none": (["--host", "no.such.host.invalid"], {}, "cannot listen"),
}


@pytest.mark.parametrize(("arguments", "chosen", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_refused_start_is_one_sentence_and_exit_2(tmp_path, arguments, chosen, reason):
    done = _start(tmp_path, *arguments, **chosen)
    assert done.returncode == 2
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


def test_a_key_that_others_may_read_is_a_refused_start(tmp_path):
    keys = tmp_path / ".symphainy" / "keys"
    keys.mkdir(parents=True)
    (keys / "cli-ed25519.pem").touch(0o644)
    done = _start(tmp_path)
    assert (done.returncode, "others may read" in done.stderr) == (2, True)


def test_another_master_key_is_a_refused_start_that_does_not_tell_it(tmp_path):
    with running(tmp_path) as server:
        server.token()
    other = "A" * 43
    done = _start(tmp_path, SYMPHAINY_MASTER_KEY=other)
    assert (done.returncode, "SYMPHAINY_MASTER_KEY is not the key" in done.stderr) == (2, True)
    assert other not in done.stderr


def test_a_taken_port_is_a_refused_start(server, tmp_path):
    done = _start(tmp_path, "--port", server.url.rpartition(":")[2])
    assert done.returncode == 2
    assert "cannot listen on 127.0.0.1 port" in done.stderr


def _start(folder, *arguments, **chosen):
    command = [sys.executable, "-m", "symphainy_platform.cli", "serve", "--port", "0", *arguments]
    return subprocess.run(  # noqa: S603
        command, cwd=folder, env=environment(**chosen), capture_output=True, text=True, timeout=20, check=False
    )
