import json
import os
import re
import shlex
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from commands import ANN, CREATE, EVE, MASTER_KEY, SIGN_IN, good, serving

from symphainy_platform.cli.remote import connected, fetch


@contextmanager
def strange_server(status, body, seen=None):
    """Answers everything with the same; `seen` gets the Authorization header of each request."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            if seen is not None:
                seen.append(self.headers["Authorization"])
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the name is the library's

        def log_message(self, *_words):
            """Stay silent."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_demo_keeps_every_promise_it_tells(symphainy):
    done = symphainy("demo")
    assert done.returncode == 0, done.stdout
    for chapter in (
        "signed in",
        "two tabs refreshed",
        "stolen token replayed",
        "signed out",
        "created",
        "replayed",
        "merged",
        "two tabs united",
        "A→B→A",
        "stale version refused",
        "foreign tenant refused",
    ):
        assert re.search(f"✓ {chapter} ", done.stdout), chapter
    assert all(chapter["ok"] for chapter in good(symphainy("demo", "--json"))["chapters"])


def test_a_submit_prints_the_envelope_and_a_repeat_replays(cold_symphainy, symphainy):
    first = good(cold_symphainy(*CREATE, "-p", "active_agent=guide", "-p", 'initial_context={"shared_intent": "x"}'))
    assert first["artifacts"]["chat_session"]["semantic_payload"]["context"] == {"shared_intent": "x"}
    assert good(symphainy(*CREATE)) == first | {"idempotent_replay": True}


def test_parameters_come_from_a_file_from_standard_input_and_from_words(symphainy, tmp_path):
    symphainy(*CREATE)
    update = {"context_updates": {"shared_intent": "from a file"}}
    (tmp_path / "update.json").write_text(json.dumps(update))
    words = ("submit", "update_chat_context", *ANN)
    answers = [
        symphainy(*words, "--json", "update.json"),
        symphainy(*words, "--json", "-", stdin=json.dumps(update).replace("a file", "standard input")),
        symphainy(*words, "--json", "update.json", "-p", 'context_updates={"shared_intent": "words"}'),
    ]
    seen = [good(done)["artifacts"]["chat_session"]["semantic_payload"]["context"]["shared_intent"] for done in answers]
    assert seen == ["from a file", "from standard input", "words"]


def test_an_idempotency_key_replays_the_stored_answer(symphainy):
    symphainy(*CREATE)
    words = ("submit", "update_chat_context", *ANN, "--idempotency-key", "k1", "-p")
    first = good(symphainy(*words, 'context_updates={"a": 1}'))
    assert good(symphainy(*words, 'context_updates={"a": 1}')) == first | {"idempotent_replay": True}
    assert "IDEMPOTENCY_KEY_REUSED" in symphainy(*words, 'context_updates={"a": 2}').stderr


FAILURES = {
    "unknown intent": (("submit", "nope", *ANN), "UNKNOWN_INTENT"),
    "no session": (("submit", "update_chat_context", *ANN, "-p", "context_updates={}"), "SESSION_NOT_FOUND"),
    "unknown parameter": ((*CREATE, "-p", "x=1"), "UNKNOWN_PARAMETER"),
    "a token that proves nothing": (("submit", "get_chat_session", "--token", "x"), "UNAUTHENTICATED"),
    "no server": (("submit", "get_chat_session", *ANN, "--url", "http://127.0.0.1:9"), "SERVER_UNREACHABLE"),
    "an empty server": (("submit", "get_chat_session", *ANN, "--url", ""), "SERVER_UNREACHABLE"),
    "a session that lives too long": (("token", *ANN, "--ttl", "8d"), "INVALID_PARAMETER_VALUE"),
    "no contract": (("contracts", "show", "nope"), "NOT_FOUND"),
}


@pytest.mark.parametrize(("words", "code"), FAILURES.values(), ids=FAILURES)
def test_a_failure_is_exit_1_with_its_code_first_on_standard_error(symphainy, words, code):
    done = symphainy(*words)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{code}: ")
    assert "Traceback" not in done.stderr


REFUSALS = {
    "nobody": (("submit", "get_chat_session"), "say who asks"),
    "half a caller": (("submit", "get_chat_session", "--tenant", "t"), "say who asks"),
    "two callers": (("submit", "get_chat_session", "--token", "x", *ANN), "say who asks"),
    "a parameter without a value": ((*CREATE, "-p", "x"), "expected KEY=JSON"),
    "a parameter that is not strict JSON": ((*CREATE, "-p", 'x={"a":1,"a":2}'), "same key twice"),
    "a file that is not there": ((*CREATE, "--json", "missing.json"), "No such file"),
    "a duration that is none": (("token", *ANN, "--ttl", "1w"), "no duration"),
    "a lifetime beyond time": (("token", *ANN, "--role", "service", "--ttl", "999999999d"), "token"),
    "an empty user": (("token", "--tenant", "t", "--user", ""), "user_id"),
    "an unknown command": (("sbumit",), "No such command"),
    "a server for what has none": (("--url", "http://127.0.0.1:9", "sweep"), "this process only"),
    "a server and a store": ((*CREATE, "--url", "http://127.0.0.1:9", "--store", "sqlite:///x.db"), "either --url"),
    "an empty store": ((*CREATE, "--store", ""), "at least 1 character"),
    "a folder without contracts": (("contracts", "render", "."), "holds no contracts"),
    "an unknown store": ((*CREATE, "--store", "mongodb://x"), "mongodb"),
}


@pytest.mark.parametrize(("words", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_words_that_make_no_sense_are_exit_2(symphainy, words, reason):
    done = symphainy(*words)
    assert done.returncode == 2
    assert reason in re.sub(r"\s*\n[│ ]*", " ", done.stderr)
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_output_without_room_is_a_sentence(tmp_path, monkeypatch, unbuffered):
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    words = [sys.executable, "-m", "symphainy_platform.cli", *CREATE]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(words, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stderr) == (1, "error: [Errno 28] No space left on device\n")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_seen_enough_is_no_sentence(tmp_path, monkeypatch, unbuffered):
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    words = [sys.executable, "-m", "symphainy_platform.cli", *CREATE]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(words, cwd=tmp_path, stdout=write, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("missing", ["1>&-", "2>&-"])
def test_a_process_without_outputs_works_all_the_same(tmp_path, missing):
    words = shlex.join([sys.executable, "-m", "symphainy_platform.cli", *CREATE])
    assert subprocess.run(f"{words} {missing}", shell=True, cwd=tmp_path, capture_output=True).returncode == 0  # noqa: PLW1510, S602


def test_an_unknown_setting_is_exit_2_with_the_nearest_name(symphainy):
    done = symphainy("doctor", SYMPHAINY_STOER="x")
    assert done.returncode == 2
    assert "did you mean SYMPHAINY_STORE?" in done.stderr


def test_a_damaged_store_is_exit_2_and_stays_as_it_is(symphainy, tmp_path):
    (tmp_path / "bad.db").write_bytes(b"this is no database" * 500)
    done = symphainy(*CREATE, "--store", "sqlite:///bad.db")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert (tmp_path / "bad.db").read_bytes().startswith(b"this is no database")


UNSENDABLE = {
    "a token": (("submit", "get_chat_session", "--token", "é"), "UNAUTHENTICATED"),
    "a token of two lines": (("submit", "get_chat_session", "--token", "a\nb"), "MALFORMED_REQUEST"),
    "a key": ((*CREATE, "--idempotency-key", "é"), "INVALID_IDEMPOTENCY_KEY"),
    "a parameter": ((*CREATE, "-p", b"x=\xff"), "MALFORMED_REQUEST"),
    "an intent": (("submit", b"\xff", *ANN), "MALFORMED_REQUEST"),
    "a cursor": (("events", "--after", "é", *ANN), "INVALID_PARAMETER_VALUE"),
}


def test_words_that_http_cannot_carry_are_failures_with_a_code(symphainy, tmp_path):
    with serving(tmp_path) as url:
        for what, (words, code) in UNSENDABLE.items():
            done = symphainy(*words, "--url", url)
            assert (what, done.returncode, done.stderr.partition(":")[0]) == (what, 1, code)


STRANGE = {
    "no JSON": (200, b"<html>"),
    "an array": (200, b"[]"),
    "an empty object": (200, b"{}"),
    "an object of other things": (200, b'{"artifacts": {"session": 1}}'),
    "a failure that is an array": (500, b"[]"),
    "a failure without a code": (500, b"{}"),
    "a redirect": (302, b"{}"),
}


@pytest.mark.parametrize(("status", "body"), STRANGE.values(), ids=STRANGE)
def test_a_server_of_another_kind_is_recognized(symphainy, status, body):
    with strange_server(status, body) as url:
        for words in (CREATE, ("intents",), ("events", *ANN)):
            done = symphainy(*words, "--url", url)
            assert (done.returncode, done.stdout, done.stderr.partition(":")[0]) == (1, "", "SERVER_UNREACHABLE")


async def test_a_token_is_made_for_each_request_so_that_a_stream_can_be_followed_for_long():
    class Caller:
        tokens = iter(["one", "two"])
        left = False

        async def token(self, _submit):
            return next(self.tokens)

        async def leave(self, _submit):
            self.left = True

    seen, caller = [], Caller()
    with strange_server(200, b"{}", seen) as url:
        async with connected(url, caller) as client:
            await fetch(client, "/")
            await fetch(client, "/")
    assert seen == ["Bearer one", "Bearer two"]
    assert caller.left


def test_events_and_intents_are_the_same_here_and_on_a_server(symphainy, tmp_path):
    created = good(symphainy(*CREATE))
    here = symphainy("events", *ANN)
    (event,) = [json.loads(line) for line in here.stdout.splitlines()]
    assert (event["type"], event["execution_id"]) == ("chat_session_initialized", created["execution_id"])
    assert symphainy("events", *ANN, "--after", event["cursor"]).stdout == ""
    assert symphainy("events", *EVE).stdout == ""
    intents = symphainy("intents", "--json").stdout
    with serving(tmp_path) as url:
        there = symphainy("events", *ANN, "--url", url)
        assert [line for line in there.stdout.splitlines() if SIGN_IN not in line] == here.stdout.splitlines()
        remote = json.loads(symphainy("--url", url, "--json", "intents").stdout)
    assert [each["intent"] for each in remote] == [each["intent"] for each in json.loads(intents)]


@pytest.mark.parametrize("remote", [False, True], ids=["here", "on a server"])
def test_events_are_followed(symphainy, tmp_path, remote):
    with serving(tmp_path) as url:
        words = [sys.executable, "-m", "symphainy_platform.cli", "events", "--follow", "--after", "0", *ANN]
        follower = subprocess.Popen(  # noqa: S603
            [*words, *(("--url", url) if remote else ())], cwd=tmp_path, stdout=subprocess.PIPE, text=True
        )
        try:
            created = good(symphainy(*CREATE, "--url", url))
            line = next(line for line in follower.stdout if SIGN_IN not in line)
            assert json.loads(line)["execution_id"] == created["execution_id"]
        finally:
            follower.kill()
            follower.wait()
            follower.stdout.close()


def test_intents_are_a_table_for_people(symphainy):
    done = symphainy("intents")
    assert done.returncode == 0
    for word in ("initialize_chat_session", "get_chat_session", "update_chat_context", "coexistence", "1.0.0"):
        assert word in done.stdout


def test_a_journey_says_what_is_done(symphainy):
    symphainy(*CREATE)
    done = good(symphainy("journey", "journey_coexistence_chat_session", *ANN, "--json"))
    steps = {step["intent"]: step["completed"] for step in done["steps"]}
    assert steps["initialize_chat_session"]
    assert not steps["update_chat_context"]


def test_migrate_says_what_it_does(symphainy, tmp_path):
    planned = good(symphainy("migrate", "--dry-run", "--json"))
    assert planned["steps"]
    assert planned["applied"] is False
    assert good(symphainy("migrate", "--json")) == planned | {"applied": True}
    assert symphainy("migrate").stdout == "The schema is current.\n"
    with closing(sqlite3.connect(tmp_path / ".symphainy" / "platform.db")) as database:
        assert database.execute("select count(*) from executions").fetchone() == (0,)


def test_a_sweep_says_what_it_purged(symphainy):
    symphainy(*CREATE)
    assert good(symphainy("sweep", "--json")) == {"keys": 0, "executions": 0, "events": 0, "artifacts": 0}


def test_doctor_shows_sources_and_masks_secrets(symphainy, tmp_path):
    (tmp_path / ".env").write_text("SYMPHAINY_ISSUER=file\n")
    symphainy(*CREATE)
    report = good(symphainy("doctor", "--json", SYMPHAINY_LOG_LEVEL="error"))
    in_force = {line["name"]: (line["value"], line["source"]) for line in report["settings"]}
    assert in_force["issuer"] == ("file", ".env")
    assert in_force["log_level"] == ("error", "environment")
    assert in_force["port"] == ("8000", "default")
    assert all(check["ok"] for check in report["checks"])
    masked = symphainy("doctor", "--store", "postgresql://ann:hunter2@db/x")
    assert masked.returncode == 1
    assert "hunter2" not in masked.stdout + masked.stderr
    assert "postgresql://ann:****@db/x" in masked.stdout


def test_doctor_opens_the_sealed_keys_and_makes_none(symphainy, tmp_path):
    def told(**environment):
        done = symphainy("doctor", "--json", **environment)
        (found,) = [check for check in json.loads(done.stdout)["checks"] if check["check"] == "sealed keys"]
        return done.returncode, found["ok"], found["detail"]

    none_yet = (0, True, "none yet: the first session makes them")
    assert told() == none_yet
    symphainy("migrate")
    assert told() == none_yet
    assert not (tmp_path / ".symphainy" / "keys" / "master.key").exists()
    symphainy("token", *ANN, **MASTER_KEY)
    code, ok, detail = told(**MASTER_KEY)
    assert (code, ok, "opened with the master key" in detail) == (0, True, True)
    code, ok, detail = told(SYMPHAINY_MASTER_KEY="A" * 43)
    assert (code, ok, "is not the key" in detail) == (1, False, True)


def test_contracts_are_shown_linted_and_checked(symphainy, tmp_path):
    assert "# Intent Contract: get_chat_session" in symphainy("contracts", "show", "get_chat_session").stdout
    assert symphainy("contracts", "lint").returncode == 0
    assert symphainy("contracts", "render", "--check").returncode == 0
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "x.yaml").write_text("contract: 1\nintnet: x\n")
    broken = symphainy("contracts", "lint", "broken")
    assert broken.returncode == 1
    assert "x.yaml:" in broken.stdout


COMMANDS = ["serve", "token", "submit", "intents", "events", "journey", "demo", "migrate", "sweep", "doctor"]


GROUPS = [["contracts"], ["contracts", "lint"], ["keys"], ["keys", "list"], ["keys", "rotate"], ["keys", "generate"]]


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS), *GROUPS])
def test_help_is_quick_and_gives_an_example(cold_symphainy, command):
    done = cold_symphainy(*command, "--help")
    assert done.returncode == 0
    if command not in ([], ["contracts"], ["keys"], ["demo"]):
        assert f"Example: symphainy {' '.join(command)}" in done.stdout


def test_help_imports_nothing_heavy():
    code = (
        "import sys, symphainy_platform.cli.app\n"
        "heavy = {'httpx', 'uvicorn', 'starlette', 'jwt', 'cryptography', 'pydantic', 'structlog', 'jinja2', 'yaml'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == "[]\n"
