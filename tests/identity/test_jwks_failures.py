import gzip
import socket
import ssl
from contextlib import ExitStack
from datetime import timedelta
from ipaddress import ip_address

import pytest
from auth_server import KEY_SET, AuthServer, answer, auth_server, to_bytes
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from structlog.testing import capture_logs
from supabase_world import ANN, EC, NEW, World, claims_of, world_of

from symphainy_platform.errors import SettingsError, Unauthenticated
from symphainy_platform.identity import jwks
from symphainy_platform.identity.supabase import MAX_TOKEN_BYTES, SupabaseAuth
from symphainy_platform.settings import Settings
from symphainy_platform.testing.clock import START, ManualClock

# When the issuer is away, or answers nonsense

HTML = b"<!doctype html><title>Sign in</title>"
GOOD_SET = to_bytes({"keys": [NEW.jwk()]})
NONSENSE = {
    "500": answer(b"", "500 Internal Server Error"),
    "500 with keys": answer(GOOD_SET, "500 Internal Server Error"),
    "503": answer(HTML, "503 Service Unavailable"),
    "404": answer(GOOD_SET, "404 Not Found"),
    "201 with keys": answer(GOOD_SET, "201 Created"),
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "a redirect": answer(GOOD_SET, "302 Found", f"Location: {KEY_SET}?again"),
    "a permanent redirect": answer(GOOD_SET, "308 Permanent Redirect", "Location: http://evil.example/"),
    "HTML": answer(HTML, "200 OK", "Content-Type: text/html"),
    "nothing": answer(b""),
    "half of JSON": answer(GOOD_SET[:-9]),
    "no UTF-8": answer(b'{"keys":[],"x":"\xff"}'),
    "duplicate keys": answer(b'{"keys":[],"keys":[]}'),
    "no object": answer([NEW.jwk()]),
    "no keys": answer({"key": [NEW.jwk()]}),
    "keys no list": answer({"keys": {"ec-2": NEW.jwk()}}),
    "keys no objects": answer({"keys": [NEW.jwk(), "x"]}),
    "too deep": answer(b'{"keys":[],"x":' + b"[" * 9999 + b"]" * 9999 + b"}"),
    "one byte too many": answer(GOOD_SET + b" " * (256 * 1024 + 1 - len(GOOD_SET))),
    "5 MB": answer(GOOD_SET + b" " * 5_000_000),
    "packed": answer(gzip.compress(GOOD_SET), "200 OK", "Content-Encoding: gzip"),
    "cut off": answer(GOOD_SET)[:-40],
    "cut off in the head": b"HTTP/1.1 200 OK\r\nContent-",
    "hung up": b"",
    "no HTTP": b"\x16\x03\x01\x02\x00garbage\r\n\r\n",
    "endless head": b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"x" * 300_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("raw", NONSENSE.values(), ids=NONSENSE)
async def test_a_failed_fetch_keeps_the_old_set(world, raw):
    await world.identity()
    world.server.raw = raw
    world.clock.advance(10)
    assert await world.refused(world.token(NEW))
    assert await world.identity() == ANN
    assert world.fetches == 2


@pytest.mark.parametrize("raw", NONSENSE.values(), ids=NONSENSE)
async def test_after_a_failed_first_fetch_the_next_one_may_succeed(world, raw):
    world.server.raw = raw
    for _ in range(2):
        assert await world.refused(world.token(NEW))
    world.server.raw = None
    world.clock.advance(10)
    assert await world.identity() == ANN
    assert world.fetches == 2


async def test_a_failed_refresh_keeps_the_old_set_and_is_tried_again_ten_minutes_later(world):
    await world.identity()
    world.server.raw = NONSENSE["500"]
    for seconds, fetches in ((600, 2), (599, 2), (1, 3)):
        world.clock.advance(seconds)
        assert await world.identity() == ANN
        await world.landed()
        assert world.fetches == fetches


async def test_a_key_set_may_be_256_kib_long(world):
    world.server.raw = answer(GOOD_SET + b" " * (256 * 1024 - len(GOOD_SET)))
    assert await world.identity(NEW) == ANN


async def test_a_server_that_refuses_connections_is_a_failed_fetch():
    async with auth_server(EC) as server:
        world = World(server)
    assert await world.refused(world.token())


@pytest.mark.parametrize("host", ["nobody.invalid", "xn--no-name-", "a" * 70])
async def test_a_host_that_cannot_be_looked_up_is_a_failed_fetch(host):
    clock, issuer = ManualClock(), f"https://{host}/auth/v1"
    with pytest.raises(Unauthenticated):
        await SupabaseAuth(Settings(supabase_auth_url=issuer), clock).identify(EC.sign(claims_of(issuer)))


def test_the_limits_of_a_fetch():
    assert (jwks.CONNECT_SECONDS, jwks.TOTAL_SECONDS) == (1, 5)
    assert (jwks.RETRY_SECONDS, jwks.REFRESH_SECONDS) == (10, 600)
    assert (jwks.MAX_KEY_SET_BYTES, jwks.MIN_RSA_BITS, MAX_TOKEN_BYTES) == (256 * 1024, 2048, 16 * 1024)


async def test_a_server_that_hangs_is_given_up(world, monkeypatch):
    monkeypatch.setattr(jwks, "TOTAL_SECONDS", 0.1)
    world.server.hang()
    with capture_logs() as logs:
        assert await world.refused(world.token())
    assert logs[0]["reason"] == "no whole answer in time"


async def test_a_body_that_drips_is_given_up_in_the_same_time(world, monkeypatch):
    monkeypatch.setattr(jwks, "TOTAL_SECONDS", 0.2)
    world.server.raw, world.server.drips = b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", True
    with capture_logs() as logs:
        assert await world.refused(world.token())
    assert logs[0]["reason"] == "no whole answer in time"


async def test_a_connection_that_does_not_come_about_is_given_up_earlier(monkeypatch):
    monkeypatch.setattr(jwks, "CONNECT_SECONDS", 0.1)
    full, waiting = socket.socket(), [socket.socket() for _ in range(3)]
    with full, ExitStack() as stack:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for client in waiting:  # nobody accepts them, so that the queue is full
            stack.enter_context(client).settimeout(0)
            client.connect_ex(full.getsockname())
        world = World(AuthServer(port=full.getsockname()[1]))
        with capture_logs() as logs:
            assert await world.refused(world.token())
    assert logs[0]["reason"] == "ConnectTimeout"


async def test_a_failed_fetch_is_logged_once_and_without_the_token(world):
    world.server.raw = NONSENSE["503"]
    token = world.token()
    with capture_logs() as logs:
        for _ in range(3):
            assert await world.refused(token)
    assert logs == [
        {
            "event": "signing_keys_unavailable",
            "log_level": "warning",
            "url": world.server.issuer + "/.well-known/jwks.json",
            "reason": "status 503",
            "known_keys": 0,
        }
    ]


# Transport


@pytest.mark.parametrize(
    "url",
    ["http://project.supabase.co/auth/v1", "http://10.0.0.1/auth/v1", "ftp://localhost/auth/v1", "localhost", ""],
)
def test_keys_come_over_https_or_from_this_machine(url):
    with pytest.raises(SettingsError, match="https"):
        SupabaseAuth(Settings(supabase_auth_url=url), ManualClock())


@pytest.fixture
def certificate(tmp_path):
    """A server's context with a certificate that nobody trusts yet, and its file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "supabase.test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(START - timedelta(days=9999))
        .not_valid_after(START + timedelta(days=9999))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, SHA256())
    )
    file = tmp_path / "server.pem"
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(pem + made.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context, file


async def test_keys_behind_a_certificate_that_nobody_vouches_for_are_none(certificate, monkeypatch):
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    context, file = certificate
    async with world_of(EC, tls=context) as world:
        assert await world.refused(world.token())
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        world.clock.advance(10)
        assert await world.identity() == ANN


async def test_the_way_to_this_machine_leads_over_no_proxy(world, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert await world.identity() == ANN
