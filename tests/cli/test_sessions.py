"""Sessions of the command line: those that it opens for users, and its own on a server."""

import sqlite3
from contextlib import closing

import pytest
from commands import ANN, CREATE, MASTER_KEY, good, serving

SERVICE = ("--role", "service")


@pytest.mark.parametrize("role", [(), ("--role", "editor"), SERVICE, (*SERVICE, "--role", "editor")])
def test_the_token_is_the_last_word_and_opens_the_server(symphainy, tmp_path, role):
    done = symphainy("token", *ANN, *role, "--ttl", "15m", **MASTER_KEY)
    token = done.stdout.split()[-1]
    assert token.count(".") == 2
    with serving(tmp_path) as url:
        created = good(symphainy("submit", "initialize_chat_session", "--url", url, "--token", token))
        assert created["artifacts"]["chat_session"]["semantic_payload"]["user_id"] == "ann"
        failed = symphainy("--url", url, "submit", "initialize_chat_session", "-p", "x=1", "--token", token)
        assert (failed.returncode, failed.stderr.partition(":")[0]) == (1, "UNKNOWN_PARAMETER")


def test_a_users_token_is_of_a_session_that_can_be_ended(symphainy):
    made = good(symphainy("token", *ANN, "--role", "editor", "--ttl", "15m", "--json"))
    assert {name: made[name] for name in ("tenant", "user", "roles")} == {
        "tenant": "acme",
        "user": "ann",
        "roles": ["editor"],
    }
    listed = good(symphainy("submit", "list_sessions", "--token", made["token"]))
    (session,) = listed["artifacts"]["session_list"]["semantic_payload"]["sessions"]
    assert (session["session_ref"], session["expires_at"]) == (made["session_ref"], made["expires_at"])
    good(symphainy("submit", "revoke_session", "--token", made["token"], "-p", "scope=all"))
    ended = symphainy("submit", "list_sessions", "--token", made["token"])
    assert (ended.returncode, ended.stderr.partition(":")[0]) == (1, "SESSION_TERMINATED")


def test_the_roles_of_an_account_are_told_not_those_that_were_asked_for(symphainy):
    account = ("-p", "email=ann@acme.example", "-p", "password=a walk along the river", "-p", 'roles=["editor"]')
    made = good(symphainy("submit", "create_user_account", *ANN, *SERVICE, *account))
    user = made["artifacts"]["user_account"]["semantic_payload"]["user_id"]
    opened = good(symphainy("token", "--tenant", "acme", "--user", user, "--role", "admin", "--json"))
    assert opened["roles"] == ["editor"]


def test_without_the_master_key_of_the_store_no_token_is_tried(symphainy):
    good(symphainy("token", *ANN, "--json", **MASTER_KEY))
    refused = symphainy("token", *ANN)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("error: ")
    assert "SYMPHAINY_MASTER_KEY" in refused.stderr


def test_a_command_on_a_server_ends_its_own_session(symphainy, tmp_path):
    with serving(tmp_path) as url:
        good(symphainy(*CREATE, "--url", url))
        assert symphainy(*CREATE, "--url", url, "-p", "x=1").returncode == 1
        good(symphainy(*CREATE, *SERVICE, "--url", url))
    with closing(sqlite3.connect(tmp_path / ".symphainy" / "platform.db")) as database:
        states = database.execute("SELECT lifecycle_state FROM sessions").fetchall()
    assert states == [("TERMINATED",), ("TERMINATED",)]


def test_a_command_speaks_with_a_server_in_cookie_mode_too(symphainy, tmp_path):
    with serving(tmp_path, SYMPHAINY_SESSION_COOKIE="true") as url:
        first = good(symphainy(*CREATE, "--url", url))
        assert good(symphainy(*CREATE, "--url", url)) == first | {"idempotent_replay": True}
    with closing(sqlite3.connect(tmp_path / ".symphainy" / "platform.db")) as database:
        states = database.execute("SELECT lifecycle_state FROM sessions").fetchall()
    assert states == [("TERMINATED",), ("TERMINATED",)]


@pytest.mark.parametrize("remote", [False, True], ids=["here", "on a server"])
def test_nobody_signs_in_with_what_the_parameters_prove(symphainy, tmp_path, remote):
    with serving(tmp_path) as url:
        place = ("--url", url) if remote else ()

        def told(intent, *words, **parameters):
            given = [word for name, value in parameters.items() for word in ("-p", f"{name}={value}")]
            return symphainy("submit", intent, *words, *given, *place, **MASTER_KEY)

        account = {"email": "ann@acme.example", "password": "a walk along the river"}
        good(told("create_user_account", *ANN, *SERVICE, **account))
        proven = good(told("authenticate_user", "--anonymous", tenant="acme", **account))
        proof = proven["artifacts"]["authentication_result"]["semantic_payload"]["authentication_token"]
        opened = good(told("create_session", "--anonymous", authentication_token=proof))
        session = opened["artifacts"]["session"]["semantic_payload"]
        assert session["lifecycle_state"] == "ACTIVE"
        good(told("list_sessions", "--token", session["session_token"]))
        refused = told("list_sessions", "--anonymous")
        assert (refused.returncode, refused.stderr.partition(":")[0]) == (1, "UNAUTHENTICATED")
        assert told("list_sessions", "--anonymous", *ANN).returncode == 2
