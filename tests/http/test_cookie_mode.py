"""Cookie mode on a real server: the token is in the browser's cookie, and nowhere else."""

import re

import httpx
import pytest
from live_server import SUBMIT, running

NAME = "__Host-session"
SESSION_COOKIE = rf"{NAME}=([\w-]+\.[\w-]+\.[\w-]+); Path=/; Secure; HttpOnly; SameSite=Lax"
CLEARED = f"{NAME}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
HOUR = 3600


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("cookies"), SYMPHAINY_SESSION_COOKIE="true") as server:
        yield server


class Page:
    """A page of the server's own origin, in a browser that keeps one cookie."""

    def __init__(self, server, tenant):
        self.server = server
        self.tenant = tenant
        self.cookie = None
        self.session_id = None

    def headers(self, **more):
        kept = {} if self.cookie is None else {"Cookie": f"theme=dark; {NAME}={self.cookie}"}
        return {"Origin": self.server.url, **kept, **more}

    def submit(self, intent, parameters=None, **headers):
        answer = self.server.submit(intent, parameters or {}, **self.headers(**headers))
        for line in answer.headers.get_list("set-cookie"):
            self.cookie = re.match(rf"{NAME}=([^;]*)", line)[1] or None
        return answer

    def sign_in(self, **parameters):
        answer = self.submit("create_session", {"authentication_token": self.server.proof(self.tenant), **parameters})
        assert answer.status_code == 200, answer.text
        self.session_id = session_of(answer)["session_id"]
        return answer

    def get(self, path, **headers):
        return httpx.get(f"{self.server.url}{path}", headers=self.headers(**headers), timeout=10)


def session_of(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()["artifacts"]["session"]["semantic_payload"]


@pytest.fixture
def page(server, request):
    page = Page(server, re.sub(r"\W+", "-", request.node.name)[:60])
    page.sign_in()
    return page


def code(answer):
    return answer.status_code, answer.json()["error_code"]


def test_signing_in_sets_the_cookie_and_leaves_the_token_out_of_the_body(server):
    answer = Page(server, "signs-in").sign_in()
    (line,) = answer.headers.get_list("set-cookie")
    token = re.fullmatch(SESSION_COOKIE, line)[1]
    assert token not in answer.text
    assert "session_token" not in session_of(answer)
    assert answer.headers["cache-control"] == "no-store"


def test_a_browser_that_remembers_keeps_it_until_the_grace_has_ended(server):
    answer = Page(server, "remembers").sign_in(remember=True, extend_hours=2)
    (line,) = answer.headers.get_list("set-cookie")
    seconds = int(re.fullmatch(rf"{SESSION_COOKIE}; Max-Age=(\d+)", line)[2])
    assert 3 * HOUR - 60 <= seconds <= 3 * HOUR


def test_the_cookie_is_the_bearer_of_everything_else(page):
    assert page.submit("initialize_chat_session").status_code == 200
    assert [found["artifact_type"] for found in page.get("/api/artifacts?type=chat_session").json()["artifacts"]] == [
        "chat_session"
    ]
    with httpx.stream("GET", f"{page.server.url}/api/events?after=0", headers=page.headers(), timeout=10) as stream:
        assert any("chat_session_initialized" in line for line in stream.iter_lines())
    page.cookie = None
    assert code(page.submit("initialize_chat_session")) == (401, "UNAUTHENTICATED")
    assert code(page.get("/api/artifacts")) == (401, "UNAUTHENTICATED")


def test_refreshing_moves_the_cookie_on_and_ending_clears_it(page):
    first = page.cookie
    refreshed = page.submit("refresh_session", {"session_id": page.session_id})
    assert "session_token" not in session_of(refreshed)
    assert page.cookie not in (None, first)
    ended = page.submit("terminate_session", {"session_id": page.session_id})
    assert session_of(ended)["lifecycle_state"] == "TERMINATED"
    assert ended.headers.get_list("set-cookie") == [CLEARED]
    page.cookie = first
    assert code(page.get("/api/artifacts"))[0] == 401


def test_two_tabs_that_refresh_hold_the_same_cookie(page):
    other = Page(page.server, page.tenant)
    other.cookie, other.session_id = page.cookie, page.session_id
    answers = [tab.submit("refresh_session", {"session_id": tab.session_id}) for tab in (page, other)]
    assert page.cookie == other.cookie
    assert [answer.json()["idempotent_replay"] for answer in answers] == [False, True]


@pytest.mark.parametrize("intent", ["refresh_session", "terminate_session"])
def test_the_token_is_no_parameter(page, intent):
    parameters = {"session_id": page.session_id, "session_token": page.cookie}
    before = page.server.state()
    answer = page.submit(intent, parameters)
    assert code(answer) == (422, "UNKNOWN_PARAMETER")
    assert answer.json()["details"]["parameter"] == "session_token"
    assert page.cookie not in answer.text
    assert page.server.state() == before


def test_without_a_cookie_the_token_is_missing(page):
    page.cookie = None
    answer = page.submit("refresh_session", {"session_id": page.session_id})
    assert code(answer) == (422, "MISSING_PARAMETER")


FORGED = {
    "no origin": {"Origin": None},
    "another site": {"Origin": "https://evil.example"},
    "an opaque origin": {"Origin": "null"},
    "a forwarded host": {"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"},
}


@pytest.mark.parametrize("headers", FORGED.values(), ids=FORGED)
@pytest.mark.parametrize("with_cookie", [True, False])
def test_a_forged_post_is_rejected_and_changes_nothing(page, headers, with_cookie):
    proof = page.server.proof(page.tenant)
    page.cookie = page.cookie if with_cookie else None
    before = page.server.state()
    for intent, parameters in (
        ("initialize_chat_session", {}),
        ("create_session", {"authentication_token": proof}),
        ("terminate_session", {"session_id": page.session_id}),
    ):
        sent = {name: value for name, value in page.headers(**headers).items() if value is not None}
        answer = page.server.submit(intent, parameters, **sent)
        assert code(answer) == (403, "CSRF_REJECTED")
        assert "set-cookie" not in answer.headers
    assert page.server.state() == before


def test_a_wrong_media_type_is_refused_before_that(page):
    sent = {**page.headers(), "Origin": "https://evil.example", "Content-Type": "text/plain"}
    answer = httpx.post(f"{page.server.url}{SUBMIT}", content=b"{}", headers=sent)
    assert code(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_two_session_cookies_are_nobody(page):
    two = {"Cookie": f"{NAME}={page.cookie}; {NAME}={page.cookie}"}
    assert code(page.submit("initialize_chat_session", **two)) == (401, "UNAUTHENTICATED")
    assert code(page.get("/api/artifacts", **two)) == (401, "UNAUTHENTICATED")
    assert code(page.get("/api/events", **two)) == (401, "UNAUTHENTICATED")


def test_a_bearer_wins_over_the_cookie(page):
    for bearer in ("Bearer x", "Basic YTpi", ""):
        assert code(page.get("/api/artifacts", Authorization=bearer)) == (401, "UNAUTHENTICATED")
    bob = page.server.bearer(tenant=page.tenant, user="bob")
    made = page.server.submit("initialize_chat_session", {}, **page.headers(**bob))
    assert made.json()["artifacts"]["chat_session"]["semantic_payload"]["user_id"] == "bob"


def test_a_bearer_may_be_refreshed_too_and_its_token_is_in_no_body(page):
    token, session_id, _ = page.server.open_session(tenant=page.tenant, user="carol")
    answer = page.server.submit("refresh_session", {"session_id": session_id}, Authorization=f"Bearer {token}")
    assert "session_token" not in session_of(answer)
    assert re.fullmatch(SESSION_COOKIE, answer.headers["set-cookie"])


def test_no_token_of_a_cookie_is_logged(page):
    page.submit("initialize_chat_session")
    page.submit("refresh_session", {"session_id": page.session_id, "session_token": page.cookie})
    log = (page.server.folder / "log").read_text()
    assert page.cookie not in log
    assert page.session_id not in log


def test_the_openapi_document_is_the_one_of_this_mode(server):
    schemas = httpx.get(f"{server.url}/openapi.json", timeout=10).json()["components"]["schemas"]
    assert schemas["RefreshSessionParameters"]["required"] == ["session_id"]
