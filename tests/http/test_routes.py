import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from live_server import ORIGIN

SUBMIT = "/api/intent/submit"
SECURITY_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'",
}


def submit(client, intent, parameters=None, **envelope):
    headers = envelope.pop("headers", {})
    body = {"intent_type": intent, "parameters": parameters or {}, **envelope}
    return client.post(SUBMIT, json=body, headers=headers)


def payload(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()["artifacts"]["chat_session"]["semantic_payload"]


@pytest.fixture
def ann(server, request):
    with server.client(tenant=request.node.name[:200]) as client:
        yield client


def test_an_intent_is_committed_answered_and_replayed(ann):
    first, again = submit(ann, "initialize_chat_session").json(), submit(ann, "initialize_chat_session").json()
    assert first.keys() == {"execution_id", "intent_type", "status", "idempotent_replay", "artifacts", "events"}
    assert (first["status"], first["idempotent_replay"]) == ("completed", False)
    assert first["artifacts"]["chat_session"].keys() == {"result_type", "semantic_payload", "renderings"}
    assert again == first | {"idempotent_replay": True}


def test_the_call_of_the_seed_finds_the_active_session(ann):
    update = {
        "context_updates": {
            "conversation_history": [{"role": "user", "content": "hello"}, {"role": "agent", "content": "hi"}],
            "shared_intent": "migrate",
        }
    }
    assert submit(ann, "update_chat_context", update).json()["error_code"] == "SESSION_NOT_FOUND"
    submit(ann, "initialize_chat_session")
    assert payload(submit(ann, "update_chat_context", update))["context"]["shared_intent"] == "migrate"


def test_the_status_is_the_envelope_and_nobody_elses(server, ann):
    first = submit(ann, "initialize_chat_session").json()
    path = f"/api/execution/{first['execution_id']}/status"
    assert ann.get(path).json() == first
    tenant = first["artifacts"]["chat_session"]["semantic_payload"]["tenant_id"]
    with server.client(tenant=tenant, user="bob") as bob, server.client(tenant="other", roles=["service"]) as other:
        assert (bob.get(path).status_code, other.get(path).status_code) == (404, 404)
    with server.client(tenant=tenant, user="ops", roles=["service"]) as service:
        assert service.get(path).json() == first


def test_the_status_of_a_failure_is_its_envelope(ann):
    submit(ann, "initialize_chat_session")
    failure = submit(ann, "update_chat_context", {"context_updates": {"a": 1}, "expected_version": 7}).json()
    status = ann.get(f"/api/execution/{failure['execution_id']}/status")
    assert (status.status_code, status.json()["status"]) == (200, "failed")
    assert status.json()["error_code"] == failure["error_code"] == "VERSION_CONFLICT"


def test_the_status_of_a_read_can_be_asked_at_once(ann):
    submit(ann, "initialize_chat_session")
    for _ in range(5):
        read = submit(ann, "get_chat_session").json()
        assert ann.get(f"/api/execution/{read['execution_id']}/status").status_code == 200


def test_artifacts_and_their_versions_are_the_owners(server, ann):
    session = payload(submit(ann, "initialize_chat_session"))
    for intent in ("one", "two"):
        submit(ann, "update_chat_context", {"context_updates": {"shared_intent": intent}})
    path = f"/api/artifacts/{session['chat_session_id']}"
    assert ann.get(path).json()["version"] == 3
    assert [entry["version"] for entry in ann.get(f"{path}/versions").json()["versions"]] == [3, 2, 1]
    assert [entry["version"] for entry in ann.get(f"{path}/versions?before=3&limit=1").json()["versions"]] == [2]
    assert ann.get(f"{path}/versions/2").json()["semantic_payload"]["context"] == {"shared_intent": "one"}
    assert [
        entry["artifact_id"] for entry in ann.get("/api/artifacts?type=chat_session&state=ACTIVE").json()["artifacts"]
    ] == [session["chat_session_id"]]
    assert ann.get("/api/artifacts?state=EXPIRED").json() == {"artifacts": [], "cursor": None}
    with server.client(tenant=session["tenant_id"], user="bob") as bob:
        assert [bob.get(each).status_code for each in (path, f"{path}/versions", f"{path}/versions/1")] == [404] * 3
        assert bob.get("/api/artifacts?type=chat_session").json()["artifacts"] == []


def test_an_idempotency_key_answers_what_is_stored(ann):
    submit(ann, "initialize_chat_session")
    key = {"Idempotency-Key": "k" * 255}
    update = {"context_updates": {"shared_intent": "x"}}
    first = submit(ann, "update_chat_context", update, headers=key).json()
    submit(ann, "update_chat_context", {"context_updates": {"shared_intent": "y"}})
    assert submit(ann, "update_chat_context", update, headers=key).json() == first | {"idempotent_replay": True}
    other = submit(ann, "update_chat_context", {"context_updates": {"shared_intent": "z"}}, headers=key)
    assert (other.status_code, other.json()["error_code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_media_types_that_mean_json_in_utf8_are_taken(ann):
    body = json.dumps({"intent_type": "initialize_chat_session", "parameters": {}})
    for media_type in ("application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"', "application/json"):
        assert ann.post(SUBMIT, content=body, headers={"Content-Type": media_type}).status_code == 200


def test_a_large_history_is_taken_and_read_in_part(ann):
    submit(ann, "initialize_chat_session")
    history = [{"id": f"m{number}", "role": "user", "content": "x" * 400} for number in range(2000)]
    update = {"context_updates": {"conversation_history": history}, "history_limit": 2}
    after = payload(submit(ann, "update_chat_context", update))
    assert [message["id"] for message in after["context"]["conversation_history"]] == ["m1998", "m1999"]
    assert after["history_total"] == 2000


def test_the_callers_trace_is_kept_and_a_bad_one_replaced(ann):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    kept = ann.get("/api/artifacts/x", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert kept.json()["trace_id"] == trace
    for bad in (f"00-{'0' * 32}-00f067aa0ba902b7-01", f"00-{trace.upper()}-00f067aa0ba902b7-01", "x"):
        made = ann.get("/api/artifacts/x", headers={"traceparent": bad}).json()["trace_id"]
        assert re.fullmatch("[0-9a-f]{32}", made)
        assert made != trace


@pytest.mark.parametrize("path", [SUBMIT, "/api/artifacts", "/health/live", "/nowhere", "/api/events?after=x"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
def test_every_answer_has_the_security_headers(ann, path, method):
    answer = ann.request(method, path)
    assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert "server" not in answer.headers


PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, idempotency-key",
}


def test_a_preflight_of_an_exact_origin_is_answered(ann):
    answer = ann.options(SUBMIT, headers=PREFLIGHT | {"Origin": ORIGIN})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, ORIGIN)
    assert "access-control-allow-credentials" not in answer.headers
    assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS


@pytest.mark.parametrize("origin", ["https://evil.example", f"{ORIGIN}.evil.example", "http://app.example", "null"])
def test_another_origin_is_not_let_in(ann, origin):
    preflight = ann.options(SUBMIT, headers=PREFLIGHT | {"Origin": origin})
    assert preflight.status_code == 400
    assert "access-control-allow-origin" not in preflight.headers
    assert "access-control-allow-origin" not in ann.get("/api/artifacts", headers={"Origin": origin}).headers


def test_a_page_of_the_origin_can_read_failures_too(ann):
    del ann.headers["Authorization"]
    answer = ann.get("/api/artifacts", headers={"Origin": ORIGIN})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (401, ORIGIN)


def test_health_and_metrics_are_open_here_and_hold_no_names(server, ann):
    submit(ann, "initialize_chat_session")
    del ann.headers["Authorization"]
    assert ann.get("/health/live").json() == {"status": "live"}
    assert ann.get("/health/ready").json()["status"] == "ready"
    metrics = ann.get("/metrics").text
    assert 'symphainy_intents_total{intent="initialize_chat_session",outcome="completed"}' in metrics
    assert "ann" not in re.sub("[a-z_]*channel[a-z_]*", "", metrics)
    assert str(server.folder) not in metrics


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_behind_a_proxy_that_nobody_declared_they_are_hidden(ann, path, header):
    assert ann.get(path, headers={header: "203.0.113.9"}).status_code == 404


def test_contracts_and_openapi_are_open_to_tools(ann):
    del ann.headers["Authorization"]
    listed = {contract["intent"] for contract in ann.get("/api/contracts").json()["contracts"]}
    assert {"initialize_chat_session", "get_chat_session", "update_chat_context"} <= listed
    contract = ann.get("/api/contracts/update_chat_context").json()
    assert contract["params"]["merge_strategy"]["enum"] == ["merge", "replace"]
    assert "handler" not in contract
    for_tests = {"fixtures", "setups", "examples"}
    assert for_tests.isdisjoint(ann.get("/api/contracts/create_session").json())
    document = ann.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert SUBMIT in document["paths"]


def test_head_is_get_without_a_body(ann):
    for path in ("/health/live", "/api/artifacts", "/api/events"):
        answer = ann.head(path)
        assert (answer.status_code, answer.content) == (200, b"")


def test_twenty_at_once_are_one_session(server):
    with server.client(tenant="twenty") as client, ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: submit(client, "initialize_chat_session").json(), range(20)))
        events = client.get("/api/artifacts?type=chat_session").json()["artifacts"]
    assert len({answer["execution_id"] for answer in answers}) == 1
    assert [answer["idempotent_replay"] for answer in answers].count(False) == 1
    assert len(events) == 1


def test_a_caller_that_hangs_up_strands_nobody(server):
    body = json.dumps({"intent_type": "initialize_chat_session", "parameters": {}})
    address = urlsplit(server.url)
    head = (
        f"POST {SUBMIT} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: {server.bearer(tenant='hangs-up')['Authorization']}\r\n"
    )
    whole = f"{head}Content-Length: {len(body)}\r\n\r\n{body}"
    for sent in (whole, whole, whole[:-5], f"{head}Transfer-Encoding: chunked\r\n\r\n5\r\n{body[:5]}\r\n"):
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall(sent.encode())
    with server.client(tenant="hangs-up") as client:
        assert payload(submit(client, "initialize_chat_session"))["version"] == 1
        assert len(client.get("/api/artifacts?type=chat_session").json()["artifacts"]) == 1


def test_logs_hold_no_token_no_parameter_and_one_line_per_intent(server):
    token = server.token(tenant="logged")
    with server.client() as client:
        client.headers["Authorization"] = f"Bearer {token}"
        submit(client, "initialize_chat_session", {"initial_context": {"secret": "hunter2\n{}"}})
        submit(client, "no\nsuch\x1b[31mintent")
        client.get(f"/api/events?token={token}")
    log = (server.folder / "log").read_text()
    assert not any(word in log for word in ("hunter2", token, token.rpartition(".")[2], "\x1b"))
    lines = [json.loads(line) for line in log.splitlines()]
    told = {(line["intent"], line["outcome"]) for line in lines if line.get("tenant") == "logged"}
    signed_in = {("create_session", "completed"), ("acknowledge_session", "completed")}
    assert told == {("initialize_chat_session", "completed"), *signed_in}
