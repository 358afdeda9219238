"""What no single request shows: many at once, whole runs, and that whatever is honest passes."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from attacks import runs
from attacks.attacked import attacked
from attacks.groups import steps
from attacks.scene import PASSWORD, Scene

from symphainy_platform.testing.state import difference

MANY = 20


@pytest.fixture
def server(tmp_path):
    with attacked(tmp_path) as server:
        yield server


@pytest.fixture
def scene(server):
    return Scene(server)


def session_of(answer):
    return answer.json()["artifacts"]["session"]["semantic_payload"]


def at_once(send):
    with ThreadPoolExecutor(MANY) as pool:
        return [future.result() for future in [pool.submit(send) for _ in range(MANY)]]


def test_twenty_refreshes_at_once_make_one_rotation_and_equal_answers(server, scene):
    before = server.state()
    answers = at_once(lambda: scene.refresh(scene.ann))
    change = difference(before, server.state())
    assert {answer.status_code for answer in answers} == {200}
    assert len({json.dumps(answer.json()["artifacts"]) for answer in answers}) == 1
    assert len({answer.json()["execution_id"] for answer in answers}) == 1
    assert sorted(answer.json()["idempotent_replay"] for answer in answers) == [False] + [True] * (MANY - 1)
    assert [row["type"] for row in change.came("outbox")] == ["session_refreshed"]
    assert [row["gen"] for row in change.came("sessions")] == [2]
    assert len(change.came("executions")) == 1


def test_twenty_uses_of_a_proof_at_once_open_one_session(server, scene):
    steps.cora(scene)
    before = server.state()
    answers = at_once(lambda: scene.open(scene.cora.proof))
    change = difference(before, server.state())
    assert {answer.status_code for answer in answers} == {200}
    assert len({session_of(answer)["session_id"] for answer in answers}) == 1
    assert [row["type"] for row in change.came("outbox")] == ["session_created"]
    assert len(change.came("sessions")) == 1


def test_twenty_thieves_at_once_revoke_the_session_once(server, scene):
    scene.rotate(scene.ann)
    scene.pass_time(11)
    before = server.state()
    answers = at_once(lambda: scene.refresh(scene.ann, token=scene.ann.older[0]))
    change = difference(before, server.state())
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.json()["error_code"] for answer in answers} == {"SESSION_TOKEN_REUSED", "SESSION_TERMINATED"}
    assert [row["type"] for row in change.came("outbox")] == ["session_revoked"]


def test_a_refresh_and_a_termination_at_once_leave_it_ended(server, scene):
    def either(number):
        return scene.end(scene.ann) if number % 2 else scene.refresh(scene.ann)

    with ThreadPoolExecutor(MANY) as pool:
        answers = list(pool.map(either, range(MANY)))
    assert {answer.status_code for answer in answers} <= {200, 401}
    (row,) = [row for row in server.state().rows("sessions") if row["session_ref"] == scene.ann.ref]
    assert row["lifecycle_state"] == "TERMINATED"
    assert scene.refresh(scene.ann).json()["error_code"] in {"SESSION_TERMINATED", "SESSION_TOKEN_REUSED"}


def survivors(scene, answers):
    """Which of the sessions that were opened still hold."""
    opened = [session_of(answer) for answer in answers if answer.status_code == 200]
    scene.pass_time(2)
    return [
        session["session_ref"]
        for session in opened
        if scene.submit("list_sessions", {}, bearer=session["session_token"]).status_code == 200
        or scene.submit(
            "refresh_session", {"session_id": session["session_id"], "session_token": session["session_token"]}
        ).status_code
        == 200
    ]


@pytest.mark.parametrize("end", [steps.disabled, steps.password_changed])
def test_what_is_opened_while_an_account_ends_its_sessions_does_not_survive(scene, end):
    steps.cora(scene)
    proofs = [scene.fresh_proof(scene.cora) for _ in range(MANY)]
    with ThreadPoolExecutor(MANY) as pool:
        opening = [pool.submit(scene.open, proof) for proof in proofs]
        end(scene)
        answers = [future.result() for future in opening]
    assert {answer.status_code for answer in answers} <= {200, 401}
    assert survivors(scene, answers) == []


@pytest.mark.parametrize("end", [steps.disabled, steps.password_changed])
def test_what_is_refreshed_while_an_account_ends_its_sessions_does_not_survive(scene, end):
    steps.cora(scene)
    with ThreadPoolExecutor(MANY) as pool:
        refreshing = [pool.submit(scene.refresh, scene.cora) for _ in range(MANY)]
        end(scene)
        answers = [future.result() for future in refreshing]
    assert {answer.status_code for answer in answers} <= {200, 401}
    assert survivors(scene, answers) == []


def told(answer):
    """A failure without what differs from call to call."""
    return answer.status_code, {
        name: value for name, value in answer.json().items() if name not in {"execution_id", "trace_id"}
    }


def test_foreign_and_unknown_are_told_in_the_same_words(scene):
    steps.cora(scene)
    nobody = "sess_" + "A" * 43
    assert told(scene.refresh(scene.ann, session_id=scene.eve.session_id)) == told(
        scene.refresh(scene.ann, session_id=nobody)
    )
    for foreign, unknown in [
        (f"/api/artifacts/{scene.ann.ref}", f"/api/artifacts/{'A' * 22}"),
        (f"/api/artifacts/{scene.cora.user_id}", f"/api/artifacts/{'usr_' + '0' * 32}"),
        (f"/api/artifacts/{scene.ann.ref}/versions/1", f"/api/artifacts/{'A' * 22}/versions/1"),
    ]:
        assert told(scene.get(foreign, bearer=scene.bob.token)) == told(scene.get(unknown, bearer=scene.bob.token))
    refs = [
        told(scene.submit("revoke_session", {"session_ref": ref}, bearer=scene.bob.token))
        for ref in (scene.ann.ref, scene.eve.ref, "A" * 22)
    ]
    assert refs[0] == refs[1] == refs[2]


def test_every_forged_token_is_refused_in_the_same_words(scene):
    forger = scene.forger(scene.ann)
    tokens = ["x", forger.hs256(forger.public_raw), forger.forge(claims=forger.claims | {"iss": "evil"})]
    assert len({str(told(scene.refresh(scene.ann, token=token))) for token in tokens}) == 1
    assert len({str(told(scene.submit("list_sessions", {}, bearer=token))) for token in tokens}) == 1


def test_signing_in_fails_in_the_same_words_whatever_is_wrong(scene):
    steps.cora(scene)
    dora = scene.make_account("dora")
    scene.as_service("set_user_status", user_id=dora.user_id, status="DISABLED")

    def signing_in(email, password):
        params = {"tenant": scene.tenant, "email": email, "password": password}
        answer = scene.submit("authenticate_user", params)
        return answer.status_code, answer.json()["artifacts"], answer.json()["events"]

    answers = [
        signing_in(scene.cora.email, "a guess of mine"),
        signing_in("nobody@example.com", "a guess of mine"),
        signing_in(dora.email, PASSWORD),
    ]
    assert answers[0] == answers[1] == answers[2]


def test_whoever_is_honest_passes(scene):
    """Else every refusal of this folder would prove nothing."""
    steps.cora(scene)
    assert scene.refresh(scene.ann, token=scene.forger(scene.ann).good).status_code == 200
    assert scene.submit("list_sessions", {}, bearer=scene.forger(scene.bob).good).status_code == 200
    assert scene.get("/api/artifacts", bearer=scene.bob.token).status_code == 200
    assert scene.introspect(scene.bob.token).json()["active"] is True
    proof = scene.forger(scene.cora, "auth+jwt").good
    assert scene.submit("validate_authorization", {"authentication_token": proof}).status_code == 200
    assert scene.open(scene.cora.proof).status_code == 200
    assert scene.end(scene.bob).status_code == 200


def test_a_key_that_was_rotated_still_proves_until_its_tokens_have_ended(scene):
    steps.keys_rotated(scene)
    scene.pass_time(steps.DAY - 1)
    assert scene.submit("list_sessions", {}, bearer=scene.ann.token).status_code == 200


@pytest.mark.parametrize("end", [steps.terminated, steps.revoked])
def test_a_stream_ends_with_its_session(server, end):
    runs.a_stream_ends_with_its_session(server, end)


@pytest.mark.parametrize(
    "run",
    [
        runs.a_stream_tells_of_nobody_else,
        runs.a_stream_of_a_service_tells_of_no_other_tenant,
        runs.no_secret_is_at_rest_in_events_or_in_logs,
    ],
)
def test_run(server, run):
    run(server)


def test_what_readable_logs_show_moves_no_cursor(tmp_path):
    with attacked(tmp_path, log_format="console", log_level="debug") as server:
        scene = Scene(server)
        for text in ("x\nforged", "\x1b[31mforged", "\x9bforged", "x\u2028forged"):
            scene.submit(text, {text: text}, bearer=scene.bob.token, metadata={text: text})
            scene.refresh(scene.ann, session_id=text)
            scene.submit("list_sessions", {}, bearer=scene.bob.token, headers=[("User-Agent", b"\x9bforged")])
        log = server.log.since(0)
    assert "forged" not in log
    assert not {"\x1b", "\x9b", "\u2028", "\r"} & set(log)
