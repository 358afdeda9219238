"""Everything that sessions and accounts can do, over HTTP and the command line, and all that it leaves behind."""

import asyncio
import base64
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import httpx
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from symphainy_platform import Identity, Platform, Settings
from symphainy_platform.context import SystemClock
from symphainy_platform.http.credentials import COOKIE_NAME
from symphainy_platform.identity.source import tokens_of

MASTER_BYTES = b"0 master key that nobody may see"
MASTER_KEY = base64.urlsafe_b64encode(MASTER_BYTES).rstrip(b"=").decode()
PASSWORD = 'Grüße "an" <alle> & 100 % ja/nein \\ +1'
NEW_PASSWORD = "неизвестный пароль — №2"
WRONG_PASSWORD = "a wrong guess; nobody may see it either"
WEAK_PASSWORD = "weak-öne"
EMAIL, OTHER_EMAIL = "ann@example.com", "bob@example.com"
TENANT = "acme"

CLI = [sys.executable, "-m", "symphainy_platform.cli"]


@dataclass
class Run:
    """What must be found nowhere, and where to look."""

    folder: object
    secrets: dict = field(default_factory=dict)
    seen: dict = field(default_factory=dict)
    url: str = ""

    def secret(self, name, value):
        self.secrets[f"{name} {len(self.secrets)}"] = value if isinstance(value, bytes) else value.encode()
        return value

    def token(self, name, token):
        """A token is as usable as its signature is: what is before it everybody may know."""
        self.secret(name, token)
        signature = self.secret(f"signature of a {name}", token.split(".")[2])
        self.secret(f"bytes of the signature of a {name}", base64.urlsafe_b64decode(signature + "=="))
        return token

    def note(self, place, content):
        self.seen[place] = self.seen.get(place, b"") + b"\n" + content

    # Over HTTP

    def post(self, intent, bearer=None, headers=(), **parameters):
        body = {"intent_type": intent, "parameters": parameters}
        return self.ask("POST", "/api/intent/submit", bearer, headers, json=body)

    def ask(self, method, path, bearer=None, headers=(), **content):
        headers = {**dict(headers), **({"Authorization": f"Bearer {bearer}"} if bearer else {})}
        answer = httpx.request(method, self.url + path, headers=headers, timeout=20, trust_env=False, **content)
        if answer.status_code >= 400:
            self.note("errors", answer.content + str(answer.headers).encode())
        return answer

    def refused(self, code, intent, bearer=None, headers=(), **parameters):
        answer = self.post(intent, bearer, headers, **parameters)
        assert answer.json()["error_code"] == code, answer.text

    def answer(self, intent, bearer=None, headers=(), **parameters):
        answer = self.post(intent, bearer, headers, **parameters)
        assert answer.status_code == 200, answer.text
        self.execution_id = answer.json()["execution_id"]
        return next(iter(answer.json()["artifacts"].values()))["semantic_payload"]

    def read(self, path, bearer):
        answer = self.ask("GET", path, bearer)
        assert answer.status_code == 200, answer.text
        self.note("answers", answer.content)

    # Sessions

    def proof(self, email=EMAIL, password=PASSWORD):
        found = self.answer("authenticate_user", tenant=TENANT, email=email, password=password)
        return self.token("proof", found["authentication_token"])

    def session(self, **parameters):
        return self.held(self.answer("create_session", **parameters))

    def held(self, opened):
        self.secret("session id", opened["session_id"])
        self.secret("bytes of a session id", base64.urlsafe_b64decode(opened["session_id"][5:] + "="))
        self.token("session token", opened["session_token"])
        return {name: opened[name] for name in ("session_id", "session_token")}

    # Beside the server

    def command(self, *arguments):
        done = subprocess.run(  # noqa: S603 - our own command
            [*CLI, *arguments], cwd=self.folder, env=environment(), capture_output=True, check=False, timeout=60
        )
        self.note("commands", done.stdout + done.stderr)
        assert done.returncode == 0, done.stderr

    def look(self):
        """Note what is at rest at this moment, while the server runs: pages, log and index of the log too."""
        home = self.folder / "home"
        copy = self.folder / "copy"
        copy.mkdir(exist_ok=True)
        for file in home.iterdir():
            if file.is_file():
                self.note(f"the file {file.name}", file.read_bytes())
                shutil.copy(file, copy)
        with closing(sqlite3.connect(copy / "platform.db")) as database:
            names = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
            for (name,) in names:
                for row in database.execute(f"SELECT * FROM {name}"):  # noqa: S608
                    values = (value if isinstance(value, bytes) else str(value).encode() for value in row)
                    self.note("tables", b"\0".join(values))

    @property
    def settings(self):
        return Settings(home=self.folder / "home", master_key=SecretStr(MASTER_KEY))

    async def keys(self):
        async with Platform.open(self.settings) as platform:
            keys = await platform.keys._vault.reload()
        for each in (*keys.sealing.values(), *keys.keyed.values()):
            self.secret("key", each.secret)
        pairs = [key.pair for key in keys.tokens.values()] + [tokens_of(self.settings)._key]
        for pair in pairs:
            self.secret("signing key", pair.private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))


def environment(**chosen):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SYMPHAINY_")}
    chosen = {"HOME": "home", "MASTER_KEY": MASTER_KEY, "PASSWORD_MEMORY_KIB": "19456", **chosen}
    return clean | {f"SYMPHAINY_{name}": value for name, value in chosen.items()}


@contextmanager
def served(run, **chosen):
    """`symphainy serve`, which logs all that it can say."""
    limits = {"AUTHENTICATE_LIMIT_PER_ACCOUNT": "1000", "AUTHENTICATE_LIMIT_PER_ADDRESS": "1000"}
    log = run.folder / "log"
    with log.open("ab") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [*CLI, "serve", "--port", "0"],
            cwd=run.folder,
            env=environment(LOG_LEVEL="debug", LOG_FORMAT="json", **limits, **chosen),
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    try:
        first = process.stdout.readline()
        run.url = re.search(r"http://\S+", first.decode())[0]
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        run.note("output", first + process.stdout.read())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    run.note("logs", log.read_bytes())


def full_run(folder):
    """Do everything once, with tokens in headers and then in cookies; look in between."""
    run = Run(folder)
    for password in (PASSWORD, NEW_PASSWORD, WRONG_PASSWORD, WEAK_PASSWORD):
        run.secret("password", password)
    run.secret("master key", MASTER_KEY)
    run.secret("bytes of the master key", MASTER_BYTES)
    with served(run):
        ops = run.token("token of a service", minted(run, "ops", "service"))
        accounts(run, ops)
        with_bearers(run, ops)
        wrong_requests(run, ops)
        run.look()
    with served(run, SESSION_COOKIE="true"):
        with_cookies(run)
        run.look()
    for command in (["sweep"], ["audit", "export"], ["audit", "verify"], ["keys", "list"], ["doctor"]):
        run.command(*command)
    run.look()
    asyncio.run(run.keys())
    return run


def minted(run, user, *roles):
    identity = Identity(TENANT, user, frozenset(roles))
    return tokens_of(run.settings).mint(identity, ttl_seconds=600, clock=SystemClock())


def accounts(run, ops):
    run.answer("create_user_account", ops, email=EMAIL, password=PASSWORD, roles=["author"])
    bob = run.answer("create_user_account", ops, email=OTHER_EMAIL, password=PASSWORD)
    run.refused("EMAIL_TAKEN", "create_user_account", ops, email=EMAIL, password=NEW_PASSWORD)
    run.refused("WEAK_PASSWORD", "create_user_account", ops, email="c@example.com", password=WEAK_PASSWORD)
    for email in (EMAIL, "nobody@example.com"):
        assert not run.answer("authenticate_user", tenant=TENANT, email=email, password=WRONG_PASSWORD)["authenticated"]
    run.session(authentication_token=run.proof(OTHER_EMAIL))
    run.answer("set_user_roles", ops, user_id=bob["user_id"], roles=["editor"])
    run.answer("set_user_status", ops, user_id=bob["user_id"], status="DISABLED")


def with_bearers(run, ops):
    proof = run.proof()
    run.answer("validate_authorization", authentication_token=proof, required_roles=["author"])
    first = run.session(authentication_token=proof)
    assert run.session(authentication_token=proof) == first
    second = {**first, **run.held(run.answer("refresh_session", **first))}
    assert run.held(run.answer("refresh_session", **first)) == second
    run.read(f"/api/execution/{run.execution_id}/status", second["session_token"])
    run.refused("INVALID_AUTHENTICATION_TOKEN", "create_session", authentication_token=proof)
    run.command("keys", "rotate")
    third = run.held(run.answer("refresh_session", **second))
    run.refused("SESSION_TOKEN_REUSED", "refresh_session", **first)
    run.refused("SESSION_TERMINATED", "refresh_session", **third)
    introduced = run.session(bearer=run.token("token of a user", minted(run, "eve")))
    run.answer("initialize_chat_session", introduced["session_token"], {"Idempotency-Key": "chat"})
    run.answer("terminate_session", **introduced)
    run.answer("terminate_session", **introduced)
    run.refused("SESSION_TERMINATED", "list_sessions", introduced["session_token"])
    own(run, ops)


def own(run, ops):
    """What a user does with their own account and sessions, and what can be read of it."""
    held, other = (run.session(authentication_token=run.proof()) for _ in range(2))
    token = held["session_token"]
    changed = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    run.refused("INVALID_CREDENTIALS", "change_password", token, **{**changed, "current_password": WRONG_PASSWORD})
    run.answer("change_password", token, **changed)
    run.refused("SESSION_TERMINATED", "refresh_session", **other)
    run.session(authentication_token=run.proof(password=NEW_PASSWORD))
    listed = run.answer("list_sessions", token)["sessions"]
    run.note("answers", json.dumps(listed).encode())
    run.answer("revoke_session", token, scope="others")
    for bearer in (token, ops):
        run.read("/api/artifacts?limit=100", bearer)
        run.read(f"/api/artifacts/{listed[0]['session_ref']}", bearer)
        run.read(f"/api/artifacts/{listed[0]['session_ref']}/versions", bearer)
    introspected = run.ask("POST", "/api/session/introspect", ops, json={"token": token})
    assert introspected.json()["active"]
    run.note("answers", introspected.content)
    run.note("metrics", run.ask("GET", "/metrics").content)


def wrong_requests(run, ops):
    """Secrets at places where none belongs."""
    held = run.session(authentication_token=run.proof(password=NEW_PASSWORD))
    token, session_id = held["session_token"], held["session_id"]
    for path in (f"/api/artifacts/{session_id}", f"/api/execution/{session_id}/status", f"/api/events?token={token}"):
        assert run.ask("GET", path, token).status_code >= 400
    broken = json.dumps({"intent_type": "authenticate_user", "parameters": {"password": WRONG_PASSWORD}})[:-3]
    json_type = {"Content-Type": "application/json"}
    assert run.ask("POST", "/api/intent/submit", headers=json_type, content=broken).status_code == 400
    run.refused("UNKNOWN_PARAMETER", "list_sessions", token, password=WRONG_PASSWORD)
    run.refused("INVALID_PARAMETER_TYPE", "refresh_session", **{**held, "session_token": [token]})
    run.refused("INVALID_SESSION_TOKEN", "refresh_session", **{**held, "session_token": token * 20})
    run.refused("INVALID_SESSION_ID", "refresh_session", **{**held, "session_id": session_id + "x"})
    run.refused("INVALID_SESSION_TOKEN", "refresh_session", **{**held, "session_token": token[:-4] + "AAAA"})
    run.refused("SESSION_NOT_FOUND", "refresh_session", **{**held, "session_id": "sess_" + "A" * 43})
    run.refused("SESSION_NOT_FOUND", "revoke_session", token, session_ref=session_id[5:27])
    run.refused("UNAUTHENTICATED", "list_sessions", token[:-4] + "AAAA")
    run.refused("UNKNOWN_INTENT", "sign_in", token, password=WRONG_PASSWORD)
    run.refused("PERMISSION_DENIED", "create_user_account", token, email="d@example.com", password=WRONG_PASSWORD)
    assert run.ask("POST", "/api/session/introspect", token, json={"token": ops}).status_code == 403


class Browser:
    """Signs in as a page does: the token is in the cookie, and in no body."""

    def __init__(self, run):
        self.run = run
        self.headers = {"Origin": run.url}

    def submit(self, intent, **parameters):
        answer = self.run.post(intent, headers=self.headers, **parameters)
        assert answer.status_code == 200, answer.text
        name, _, token = answer.headers.get("set-cookie", "").split(";")[0].partition("=")
        if token:
            self.headers["Cookie"] = f"{name}={self.run.token('session token', token)}"
            assert name == COOKIE_NAME
            assert token not in answer.text
        return next(iter(answer.json()["artifacts"].values()))["semantic_payload"]


def with_cookies(run):
    browser = Browser(run)
    found = browser.submit("authenticate_user", tenant=TENANT, email=EMAIL, password=NEW_PASSWORD)
    proof = run.token("proof", found["authentication_token"])
    session_id = browser.submit("create_session", authentication_token=proof, remember=True)["session_id"]
    run.secret("session id", session_id)
    for _ in range(2):
        browser.submit("refresh_session", session_id=session_id)
    browser.submit("list_sessions")
    run.refused("CSRF_REJECTED", "list_sessions", headers={**browser.headers, "Origin": "https://evil.example"})
    twice = {**browser.headers, "Cookie": "; ".join([browser.headers["Cookie"]] * 2)}
    run.refused("UNAUTHENTICATED", "list_sessions", headers=twice)
    signed_in = dict(browser.headers)
    browser.submit("terminate_session", session_id=session_id)
    run.refused("SESSION_TERMINATED", "list_sessions", headers=signed_in)
