"""After a full run nothing usable is at rest, in a log line, an event or an error, in whatever spelling."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from full_run import MASTER_BYTES, NEW_PASSWORD, PASSWORD, Run, full_run

PLACES = ("tables", "the file platform.db", "the file platform.db-wal", "the file platform.db-shm",
          "logs", "output", "errors", "answers", "metrics", "commands")  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return full_run(tmp_path_factory.mktemp("run"))


def spellings(secret):
    """Every way in which these bytes are usually written."""
    yield secret
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    yield from in_base64(secret)
    yield repr(secret)[2:-1].encode()
    try:
        text = secret.decode()
    except UnicodeDecodeError:
        return
    yield json.dumps(text)[1:-1].encode()
    yield json.dumps(text, ensure_ascii=False)[1:-1].encode()
    yield quote(text, safe="").encode()
    yield quote(text).encode()
    yield quote_plus(text).encode()


def in_base64(secret):
    """Also within something longer: what is before it shifts the letters, of which there are three ways."""
    for before in range(3):
        text = base64.b64encode(b"\0" * before + secret)
        inner = text[(0, 2, 3)[before] : -4]
        yield inner
        yield inner.replace(b"+", b"-").replace(b"/", b"_")


def found(secrets, content):
    return sorted(name for name, secret in secrets.items() if any(way in content for way in set(spellings(secret))))


@pytest.mark.parametrize("place", PLACES)
def test_no_secret_is_found(run, place):
    assert run.seen[place]
    assert found(run.secrets, run.seen[place]) == []


def test_there_is_no_other_place(run):
    assert set(run.seen) == set(PLACES)
    assert {path.name for path in (run.folder / "home").iterdir()} <= {"keys", "platform.db"}
    assert [path.name for path in (run.folder / "home" / "keys").iterdir()] == ["cli-ed25519.pem"]


def test_the_run_has_used_every_kind_of_secret(run):
    kinds = {name.rsplit(" ", 1)[0] for name in run.secrets}
    for kind in ("proof", "session token", "token of a service", "token of a user"):
        assert {kind, f"signature of a {kind}", f"bytes of the signature of a {kind}"} <= kinds
    assert {"password", "session id", "bytes of a session id", "master key", "signing key", "key"} <= kinds
    assert len(run.secrets) > 60


WHAT_IS_THERE = {
    "tables": [b"session_refreshed", b"session_revoked", b"password_changed", b"authentication_failed", b"sess"],
    "the file platform.db-wal": [b"session_created"],
    "logs": [b'"intent":"refresh_session"', b'"outcome":"SESSION_TOKEN_REUSED"', b'"session_ref":"'],
    "errors": [b"SESSION_TOKEN_REUSED", b"MALFORMED_REQUEST", b"WEAK_PASSWORD", b"CSRF_REJECTED"],
    "answers": [b'"session_ref"', b'"active":true', b"user_account"],
    "metrics": [b"symphainy_"],
    "commands": [b"session_terminated", b"master_key"],
}


@pytest.mark.parametrize(("place", "words"), WHAT_IS_THERE.items(), ids=WHAT_IS_THERE)
def test_what_is_no_secret_is_where_it_belongs(run, place, words):
    assert [word for word in words if word not in run.seen[place]] == []


LEAKS = {
    "plain": PASSWORD.encode(),
    "in JSON": json.dumps({"password": PASSWORD}).encode(),
    "in JSON, readable": json.dumps({"password": PASSWORD}, ensure_ascii=False).encode(),
    "in an address": f"/?password={quote(PASSWORD)}".encode(),
    "in a form": f"password={quote_plus(PASSWORD)}".encode(),
    "in base64": base64.b64encode(f"ann:{PASSWORD}".encode()),
    "in base64, shifted": base64.urlsafe_b64encode(f"an:{PASSWORD}!".encode()),
    "in base64, shifted again": base64.urlsafe_b64encode(f"a:{PASSWORD}".encode()),
    "in hex": b"x" + PASSWORD.encode().hex().encode(),
    "in a traceback": repr({"password": PASSWORD.encode()}).encode(),
    "raw bytes of a key": b"\0\1" + MASTER_BYTES + b"\2",
    "a key in hex": MASTER_BYTES.hex().upper().encode(),
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_a_leak_would_be_found(tmp_path, leak):
    run = Run(tmp_path)
    for secret in (PASSWORD, NEW_PASSWORD, MASTER_BYTES):
        run.secret("secret", secret)
    assert found(run.secrets, b"before " + leak + b" behind")
