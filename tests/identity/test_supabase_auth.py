import asyncio
import gzip
import hashlib
import hmac
import socket
import ssl
from contextlib import ExitStack, asynccontextmanager, suppress
from datetime import timedelta
from ipaddress import ip_address

import jwt
import pytest
from auth_server import KEY_SET, AuthServer, Key, answer, auth_server, b64, to_bytes
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from symphainy_platform.context import Identity
from symphainy_platform.errors import SettingsError, Unauthenticated
from symphainy_platform.identity import jwks
from symphainy_platform.identity.source import symphainy_identity_sources
from symphainy_platform.identity.supabase import MAX_TOKEN_BYTES, SupabaseAuth
from symphainy_platform.platform import Platform
from symphainy_platform.runtime.execution import IntentRequest
from symphainy_platform.settings import Settings
from symphainy_platform.testing.clock import START, ManualClock

NOW = int(START.timestamp())
SUB = "5f3c6f2e-8a53-4d0e-9a6e-0d0d6c9f2b11"
ANN = Identity(tenant_id="t1", user_id=f"supabase:{SUB}", roles=frozenset(), external=True)
EC, RSA, ED = Key.ec("ec-1"), Key.rsa("rsa-1"), Key.ed25519("ed-1")
NEW, OTHER = Key.ec("ec-2"), Key.ec("ec-1")
ISSUER = "https://project.supabase.co/auth/v1"
HEADER = {"alg": "ES256", "kid": "ec-1", "typ": "JWT"}


def claims_of(issuer, **changes):
    """What Supabase puts into an access token."""
    return {
        "iss": issuer,
        "sub": SUB,
        "aud": "authenticated",
        "exp": NOW + 3600,
        "iat": NOW,
        "email": "ann@example.com",
        "phone": "",
        "app_metadata": {"provider": "email", "providers": ["email"], "tenant_id": "t1"},
        "user_metadata": {"tenant_id": "t2", "name": "Ann Ünal", "score": 0.5},
        "role": "authenticated",
        "aal": "aal1",
        "amr": [{"method": "password", "timestamp": NOW}],
        "session_id": "a5a1b0a2-6a0f-4a2e-8f0f-4d6c2d0f7a10",
        "is_anonymous": False,
    } | changes


def without(mapping, *names):
    return {key: value for key, value in mapping.items() if key not in names}


class World:
    """A Supabase project, our source of its users' identities, and the time."""

    def __init__(self, server):
        self.server = server
        self.clock = ManualClock()
        self.auth = SupabaseAuth(Settings(supabase_auth_url=server.issuer), self.clock)

    def token(self, key=EC, **changes):
        return key.sign(claims_of(self.server.issuer, **changes))

    async def identity(self, key=EC, **changes):
        return await self.auth.identify(self.token(key, **changes))

    async def refused(self, token):
        with pytest.raises(Unauthenticated) as refusal:
            await self.auth.identify(token)
        assert refusal.value.to_dict() == Unauthenticated().to_dict()
        return True

    async def landed(self):
        """Wait for a fetch that nobody waits for."""
        if self.auth._keys._flight is not None:
            await self.auth._keys._flight

    @property
    def fetches(self):
        return len(self.server.requests)


@asynccontextmanager
async def world_of(*keys, tls=None):
    async with auth_server(*keys, tls=tls) as server:
        world = World(server)
        yield world
        await world.landed()


@pytest.fixture(autouse=True)
def _away_from_dotenv(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
async def world():
    async with world_of(EC, RSA, ED) as world:
        yield world


# What is proven


@pytest.mark.parametrize("key", [EC, RSA, ED], ids=lambda key: key.algorithm)
async def test_a_token_of_a_signed_in_user_proves_tenant_and_user_and_no_role(world, key):
    assert await world.identity(key) == ANN


ALSO_GOOD = {
    "aud a list": {"aud": ["authenticated"]},
    "aud one of several": {"aud": ["other", "authenticated"]},
    "is_anonymous false": {"is_anonymous": False},
    "nbf now": {"nbf": NOW},
    "nbf 30 s ahead": {"nbf": NOW + 30},
    "iat 30 s ahead": {"iat": NOW + 30},
    "exp in a second": {"exp": NOW + 1},
    "unknown claims": {"custom": {"a": [1, None]}},
    "roles of its own": {"roles": ["service"], "app_metadata": {"tenant_id": "t1", "roles": ["service"]}},
}


@pytest.mark.parametrize("changes", ALSO_GOOD.values(), ids=ALSO_GOOD)
async def test_what_is_no_reason_to_refuse(world, changes):
    assert await world.identity(**changes) == ANN


async def test_optional_parts_may_be_absent(world):
    claims = without(claims_of(world.server.issuer), "is_anonymous", "user_metadata", "aal", "amr")
    assert await world.auth.identify(EC.sign(claims, {"alg": "ES256", "kid": "ec-1"})) == ANN


def of_size(world, size):
    """A good token of exactly this many bytes, or one or two less."""
    padding = (size - len(world.token(padding=""))) * 3 // 4
    return world.token(padding="x" * padding)


async def test_a_token_may_be_16_kib_long(world):
    token = of_size(world, MAX_TOKEN_BYTES)
    assert MAX_TOKEN_BYTES - 2 <= len(token) <= MAX_TOKEN_BYTES
    assert await world.auth.identify(token) == ANN


def test_the_proof_is_good_for_opening_a_session_only():
    assert SupabaseAuth.proves == "external"


# What is left to other sources

FOREIGN = {
    "empty": "",
    "words": "not a token",
    "another issuer": EC.sign(claims_of("https://other.supabase.co/auth/v1")),
    "no issuer": EC.sign(without(claims_of("x"), "iss")),
    "issuer a list": EC.sign(claims_of([ISSUER])),
    "claims an array": EC.sign([]),
    "claims null": EC.sign(b"null"),
    "claims not JSON": EC.sign(b"{"),
    "non-ascii": "é.e30.e30",
    "lone surrogate": "\ud800.e30.e30",
    "two parts": "e30.e30",
    "5 MB": "A" * 5_000_000,
    "5 MB of parts": "a." * 2_500_000,
}


@pytest.mark.parametrize("token", FOREIGN.values(), ids=FOREIGN)
async def test_what_is_no_token_of_the_issuer_is_left_to_other_sources(world, token):
    assert await world.auth.identify(token) is None
    assert world.fetches == 0


async def test_nearly_the_issuer_is_another_issuer(world):
    for issuer in (world.server.issuer + "/", world.server.issuer.upper(), world.server.issuer + "\0"):
        assert await world.auth.identify(EC.sign(claims_of(issuer))) is None


async def test_nothing_looks_into_a_token_beyond_16_kib(world):
    assert await world.auth.identify(of_size(world, MAX_TOKEN_BYTES + 4)) is None
    assert world.fetches == 0


def loosened(part):
    """The same bytes in another spelling: the unused bits of the last character set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return part[:-1] + alphabet[alphabet.index(part[-1]) + 1]


def respelled_claims(issuer, tail):
    return EC.sign(to_bytes(claims_of(issuer))[:-1] + tail)


NO_JWT = {
    "padded": lambda token, _: token + "=",
    "padded twice": lambda token, _: token + "==",
    "loose last character": lambda token, _: loosened(token),
    "trailing newline": lambda token, _: token + "\n",
    "leading space": lambda token, _: " " + token,
    "standard alphabet": lambda token, _: token + "+/",
    "padded header": lambda token, _: token.replace(".", "=.", 1),
    "four parts": lambda token, _: token + ".e30",
    "no header": lambda token, _: "." + token.partition(".")[2],
    "one character of a signature": lambda token, _: token.rpartition(".")[0] + ".A",
    "header an array": lambda _, issuer: EC.sign(claims_of(issuer), [HEADER]),
    "header with a duplicate key": lambda _, issuer: EC.sign(claims_of(issuer), b'{"alg":"ES256","alg":"ES256"}'),
    "header no JSON": lambda _, issuer: EC.sign(claims_of(issuer), b"{"),
    "claims with the issuer twice": lambda _, issuer: respelled_claims(issuer, b',"iss":"x"}'),
    "claims with a duplicate key": lambda _, issuer: respelled_claims(issuer, b',"sub":"x"}'),
    "claims with NaN": lambda _, issuer: respelled_claims(issuer, b',"x":NaN}'),
    "claims with 1e999": lambda _, issuer: respelled_claims(issuer, b',"x":1e999}'),
    "claims with 10^30": lambda _, issuer: respelled_claims(issuer, b',"x":1' + b"0" * 30 + b"}"),
    "claims with a tail": lambda _, issuer: respelled_claims(issuer, b"}}"),
    "claims with a BOM": lambda _, issuer: EC.sign(b"\xef\xbb\xbf" + to_bytes(claims_of(issuer))),
}


@pytest.mark.parametrize("spell", NO_JWT.values(), ids=NO_JWT)
async def test_another_spelling_of_a_good_token_is_no_token(world, spell):
    assert await world.auth.identify(spell(world.token(), world.server.issuer)) is None
    assert world.fetches == 0


# What is refused before any key is asked for

WRONG_CLAIMS = {
    "aud of another": {"aud": "anon"},
    "aud empty": {"aud": ""},
    "aud an empty list": {"aud": []},
    "aud a list without it": {"aud": ["other"]},
    "aud a list with a number": {"aud": ["authenticated", 1]},
    "aud a nested list": {"aud": [["authenticated"]]},
    "aud an object": {"aud": {"authenticated": True}},
    "aud null": {"aud": None},
    "role anon": {"role": "anon"},
    "role service_role": {"role": "service_role"},
    "role upper case": {"role": "Authenticated"},
    "role a list": {"role": ["authenticated"]},
    "role null": {"role": None},
    "anonymous": {"is_anonymous": True},
    "anonymous by number": {"is_anonymous": 1},
    "anonymous by zero": {"is_anonymous": 0},
    "anonymous by text": {"is_anonymous": "false"},
    "anonymous null": {"is_anonymous": None},
    "exp now": {"exp": NOW},
    "exp past, within the skew": {"exp": NOW - 1},
    "exp a string": {"exp": str(NOW + 60)},
    "exp a float": {"exp": NOW + 60.5},
    "exp an integral float": {"exp": float(NOW + 60)},
    "exp true": {"exp": True},
    "exp null": {"exp": None},
    "exp beyond every calendar": {"exp": 253_402_300_800},
    "exp negative": {"exp": -1},
    "iat 31 s ahead": {"iat": NOW + 31},
    "iat a string": {"iat": str(NOW)},
    "iat true": {"iat": True},
    "iat null": {"iat": None},
    "iat negative": {"iat": -1},
    "nbf 31 s ahead": {"nbf": NOW + 31},
    "nbf a string": {"nbf": str(NOW)},
    "nbf a float": {"nbf": float(NOW)},
    "nbf null": {"nbf": None},
    "sub empty": {"sub": ""},
    "sub a number": {"sub": 1},
    "sub null": {"sub": None},
    "sub an object": {"sub": {}},
    "sub endless": {"sub": "a" * 250},
    "no app_metadata": {"app_metadata": None},
    "app_metadata a text": {"app_metadata": "t1"},
    "app_metadata a list": {"app_metadata": [{"tenant_id": "t1"}]},
    "tenant only in user_metadata": {"app_metadata": {}, "user_metadata": {"tenant_id": "t1"}},
    "tenant only at the top": {"app_metadata": {}, "tenant_id": "t1", "tid": "t1"},
    "tenant empty": {"app_metadata": {"tenant_id": ""}},
    "tenant null": {"app_metadata": {"tenant_id": None}},
    "tenant a number": {"app_metadata": {"tenant_id": 1}},
    "tenant a list": {"app_metadata": {"tenant_id": ["t1"]}},
    "tenant an object": {"app_metadata": {"tenant_id": {"$ne": ""}}},
    "tenant endless": {"app_metadata": {"tenant_id": "t" * 256}},
}


@pytest.mark.parametrize("changes", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
async def test_well_signed_wrong_claims_prove_nothing_and_cost_no_fetch(world, changes):
    assert await world.refused(world.token(**changes))
    assert world.fetches == 0


@pytest.mark.parametrize("name", ["aud", "role", "exp", "iat", "sub", "app_metadata"])
async def test_no_required_claim_may_be_missing(world, name):
    assert await world.refused(EC.sign(without(claims_of(world.server.issuer), name)))
    assert world.fetches == 0


EVIL = "https://evil.example/jwks.json"
WRONG_HEADERS = {
    "alg none": HEADER | {"alg": "none"},
    "alg None": HEADER | {"alg": "None"},
    "alg HS256": HEADER | {"alg": "HS256"},
    "alg ES384": HEADER | {"alg": "ES384"},
    "alg PS256": HEADER | {"alg": "PS256"},
    "alg lower case": HEADER | {"alg": "es256"},
    "alg a list": HEADER | {"alg": ["ES256"]},
    "alg null": HEADER | {"alg": None},
    "alg missing": without(HEADER, "alg"),
    "kid missing": without(HEADER, "kid"),
    "kid empty": HEADER | {"kid": ""},
    "kid a number": HEADER | {"kid": 1},
    "kid a list": HEADER | {"kid": ["ec-1"]},
    "kid null": HEADER | {"kid": None},
    "kid endless": HEADER | {"kid": "k" * 256},
    "jku": HEADER | {"jku": EVIL},
    "x5u": HEADER | {"x5u": EVIL},
    "x5c": HEADER | {"x5c": ["MII"]},
    "jwk": HEADER | {"jwk": EC.jwk()},
    "crit": HEADER | {"crit": ["exp"]},
    "b64": HEADER | {"b64": False, "crit": ["b64"]},
    "zip": HEADER | {"zip": "DEF"},
    "cty": HEADER | {"cty": "JWT"},
    "typ of sessions": HEADER | {"typ": "sess+jwt"},
    "typ null": HEADER | {"typ": None},
}


@pytest.mark.parametrize("header", WRONG_HEADERS.values(), ids=WRONG_HEADERS)
async def test_a_wrong_header_proves_nothing_and_costs_no_fetch(world, header):
    assert await world.refused(EC.sign(claims_of(world.server.issuer), header))
    assert world.fetches == 0


# What the keys refuse


async def test_the_good_token_of_these_attacks_is_good(world):
    assert await world.auth.identify(EC.sign(claims_of(world.server.issuer), HEADER)) == ANN


def swapped(token, other):
    """The claims of one token under the signature of another."""
    return f"{token.rpartition('.')[0]}.{other.rpartition('.')[2]}"


BADLY_SIGNED = {
    "no signature": lambda world: world.token().rpartition(".")[0] + ".",
    "truncated": lambda world: world.token()[:-2],
    "zeros": lambda world: world.token().rpartition(".")[0] + "." + b64(bytes(64)),
    "of another token": lambda world: swapped(world.token(sub="eve"), world.token()),
    "of another key of that kid": lambda world: world.token(OTHER),
    "of another key of the set": lambda world: NEW.sign(claims_of(world.server.issuer), HEADER),
    "RS256 under the kid of an EC key": lambda world: RSA.sign(
        claims_of(world.server.issuer), HEADER | {"alg": "RS256"}
    ),
    "EdDSA under the kid of an EC key": lambda world: ED.sign(
        claims_of(world.server.issuer), HEADER | {"alg": "EdDSA"}
    ),
    "ES256 under the kid of an RSA key": lambda world: EC.sign(
        claims_of(world.server.issuer), HEADER | {"kid": "rsa-1"}
    ),
    "RSA-PSS named RS256": lambda world: RSA.sign(claims_of(world.server.issuer), algorithm="PS256"),
    "RS512 named RS256": lambda world: RSA.sign(claims_of(world.server.issuer), algorithm="RS512"),
    "kid as a path": lambda world: EC.sign(claims_of(world.server.issuer), HEADER | {"kid": "../../dev/null"}),
    "kid of nobody": lambda world: EC.sign(claims_of(world.server.issuer), HEADER | {"kid": "ec-9"}),
}


@pytest.mark.parametrize("forge", BADLY_SIGNED.values(), ids=BADLY_SIGNED)
async def test_a_bad_signature_proves_nothing_at_no_time(world, forge):
    for _ in range(2):
        assert await world.refused(forge(world))
    assert world.fetches == 1


@pytest.mark.parametrize("header", [HEADER, HEADER | {"alg": "HS256"}, {"alg": "HS256", "typ": "JWT"}])
@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
async def test_a_public_key_is_no_shared_secret(world, header, encoding):
    secret = EC.private.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{b64(to_bytes(header))}.{b64(to_bytes(claims_of(world.server.issuer)))}"
    token = f"{signed}.{b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"
    assert await world.refused(token)


SHORT = Key.rsa("k", 1024)
P384 = Key("k", "ES384", ec.generate_private_key(ec.SECP384R1()))
K256 = Key("k", "ES256K", ec.generate_private_key(ec.SECP256K1()))
ODD_KEYS = {
    "RSA below 2048 bits": (SHORT, SHORT.jwk()),
    "RSA of 2047 bits": (Key.rsa("k", 2047), None),
    "a private key": (Key.ec("k"), "private"),
    "P-384": (P384, P384.jwk()),
    "P-384 named ES256": (P384, P384.jwk(alg="ES256")),
    "secp256k1": (K256, K256.jwk()),
    "secp256k1 named ES256": (K256, K256.jwk(alg="ES256")),
    "Ed448": (Key.ed448("k"), None),
    "for encryption": (Key.ec("k"), {"use": "enc"}),
    "for other operations": (Key.ec("k"), {"key_ops": ["encrypt"]}),
    "operations a text": (Key.ec("k"), {"key_ops": "verify"}),
    "of another algorithm": (RSA, {"kid": "k", "alg": "RS512"}),
    "algorithm null": (Key.ec("k"), {"alg": None}),
    "of another curve than it says": (Key.ec("k"), {"crv": "P-384"}),
    "curve a list": (Key.ec("k"), {"crv": ["P-256"]}),
    "of another kind": (Key.ec("k"), {"kty": "RSA"}),
    "kind missing": (Key.ec("k"), {"kty": None}),
    "off the curve": (Key.ec("k"), {"x": b64(bytes(32))}),
    "half a point": (Key.ec("k"), {"x": "AA"}),
    "a point of numbers": (Key.ec("k"), {"x": 1}),
    "symmetric": (Key.ec("k"), {"kty": "oct", "k": b64(bytes(32)), "alg": "HS256"}),
    "kid empty": (Key.ec("k"), {"kid": ""}),
    "kid a number": (Key.ec("k"), {"kid": 1}),
    "kid missing": (Key.ec("k"), {"kid": None}),
}


def published(key, odd):
    if odd == "private":
        return key.private_jwk()
    return key.jwk(**(odd or {}))


@pytest.mark.parametrize(("key", "odd"), ODD_KEYS.values(), ids=ODD_KEYS)
async def test_an_odd_key_proves_nothing_and_takes_nothing_from_the_others(world, key, odd):
    world.server.keys.insert(0, published(key, odd))
    token = key.sign(claims_of(world.server.issuer), {"alg": key.algorithm, "kid": "k", "typ": "JWT"})
    assert await world.refused(token)
    assert await world.identity() == ANN
    assert world.fetches == 1


async def test_the_first_key_of_a_name_counts(world):
    world.server.keys.append(OTHER.jwk())
    assert await world.identity() == ANN
    assert await world.refused(world.token(OTHER))


def test_no_key_of_another_algorithm_is_ever_asked():
    assert set(jwks.ALGORITHMS) == {"ES256", "RS256", "EdDSA"}


# When keys are fetched


async def test_nothing_is_fetched_before_the_first_token_and_then_once(world):
    assert world.fetches == 0
    for key in (EC, RSA, ED):
        assert await world.identity(key) == ANN
    assert world.fetches == 1


async def test_the_fetch_says_nothing_but_what_it_wants(world):
    await world.identity()
    request = world.server.requests[0].lower()
    assert request.startswith(f"get {KEY_SET} http/1.1\r\n")
    assert not {"authorization", "cookie"} & {line.partition(":")[0] for line in request.splitlines()}


async def test_unknown_kids_cause_one_fetch_in_ten_seconds(world):
    await world.identity()
    for seconds in (0, 5, 4.999):
        world.clock.advance(seconds)
        assert await world.refused(world.token(NEW))
        assert world.fetches == 1
    world.clock.advance(0.001)
    for kid in ("a", "b", "c"):
        assert await world.refused(world.token(Key(kid, "ES256", NEW.private)))
    assert world.fetches == 2


async def test_a_new_key_is_found_without_a_restart(world):
    await world.identity()
    world.server.keys = [EC.jwk(), NEW.jwk()]
    world.clock.advance(10)
    assert await world.identity(NEW) == ANN
    assert await world.identity(EC) == ANN


async def test_the_first_tokens_share_one_fetch(world):
    world.server.hang()
    asked = [asyncio.create_task(world.identity(sub=f"user-{number}")) for number in range(20)]
    await world.server.arrived.wait()
    world.server.gate.set()
    assert {found.user_id for found in await asyncio.gather(*asked)} == {f"supabase:user-{n}" for n in range(20)}
    assert world.fetches == 1


async def test_who_goes_away_takes_the_fetch_from_nobody(world):
    world.server.hang()
    gone, waiting = asyncio.create_task(world.identity()), asyncio.create_task(world.identity())
    await world.server.arrived.wait()
    gone.cancel()
    with suppress(asyncio.CancelledError):
        await gone
    world.server.gate.set()
    assert await waiting == ANN
    assert world.fetches == 1


async def test_a_token_that_expires_during_the_fetch_proves_nothing(world):
    world.server.hang()
    asked = asyncio.create_task(world.refused(world.token()))
    await world.server.arrived.wait()
    world.clock.advance(3600)
    world.server.gate.set()
    assert await asked


async def test_known_keys_are_refreshed_every_ten_minutes_of_use(world):
    await world.identity()
    world.clock.advance(599.999)
    await world.identity()
    await world.landed()
    assert world.fetches == 1
    world.clock.advance(0.001)
    for _ in range(3):
        assert await world.identity() == ANN
        await world.landed()
    assert world.fetches == 2


async def test_a_refresh_keeps_nobody_waiting(world):
    await world.identity()
    world.clock.advance(600)
    world.server.hang()
    assert await world.identity() == ANN
    await world.server.arrived.wait()
    assert await world.identity() == ANN
    world.server.gate.set()
    await world.landed()
    assert world.fetches == 2


async def test_an_unknown_kid_waits_for_a_refresh_under_way(world):
    await world.identity()
    world.clock.advance(600)
    world.server.hang()
    await world.identity()
    world.server.keys = [NEW.jwk()]
    asked = asyncio.create_task(world.identity(NEW))
    await world.server.arrived.wait()
    world.server.gate.set()
    assert await asked == ANN
    assert world.fetches == 2


async def test_a_removed_key_dies_with_the_next_refresh_also_for_remembered_tokens(world):
    token = world.token()
    assert await world.auth.identify(token) == ANN
    world.server.keys = [NEW.jwk()]
    world.clock.advance(600)
    assert await world.auth.identify(token) == ANN
    await world.landed()
    assert await world.refused(token)
    assert await world.identity(NEW) == ANN


async def test_an_issuer_without_keys_proves_nobody(world):
    await world.identity()
    world.server.keys = []
    world.clock.advance(600)
    await world.identity()
    await world.landed()
    assert await world.refused(world.token())


async def test_another_key_of_the_same_kid_ends_the_tokens_of_the_first(world):
    token = world.token()
    assert await world.auth.identify(token) == ANN
    world.server.keys = [OTHER.jwk()]
    world.clock.advance(600)
    await world.identity()
    await world.landed()
    assert await world.refused(token)
    assert await world.identity(OTHER) == ANN


async def test_a_clock_that_is_set_back_stops_no_fetch(world):
    await world.identity()
    world.clock.advance(-timedelta(days=1).total_seconds())
    world.server.keys = [NEW.jwk()]
    token = world.token(NEW, iat=NOW - 86_400)
    assert await world.auth.identify(token) == ANN


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


async def test_a_host_that_cannot_be_looked_up_is_a_failed_fetch():
    world = World(AuthServer())
    world.auth = SupabaseAuth(Settings(supabase_auth_url=f"https://{'a' * 70}.invalid"), world.clock)
    assert await world.refused(EC.sign(claims_of(f"https://{'a' * 70}.invalid")))


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


def test_without_an_issuer_there_is_no_source():
    with pytest.raises(SettingsError, match="SYMPHAINY_SUPABASE_AUTH_URL"):
        SupabaseAuth(Settings(), ManualClock())
    assert not any(isinstance(source, SupabaseAuth) for source in symphainy_identity_sources(Settings(), ManualClock()))


async def test_the_platform_knows_these_users_and_lets_them_submit_nothing(world, tmp_path):
    settings = Settings(home=tmp_path / "home", supabase_auth_url=world.server.issuer)
    intent = {"intent_type": "get_chat_session", "parameters": {"session_id": "x"}}
    async with Platform.open(settings, clock=world.clock) as platform:
        assert await platform._lent().identify(world.token()) == ANN
        with pytest.raises(Unauthenticated):
            await platform.identify(world.token())
        for who in ({"identity": None, "bearer": world.token()}, {"identity": ANN}):
            with pytest.raises(Unauthenticated):
                await platform.dispatch(IntentRequest(**intent, **who))


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


# What is remembered


async def test_a_remembered_token_is_not_verified_again_but_still_expires(world, monkeypatch):
    token = world.token()
    assert await world.auth.identify(token) == ANN
    assert list(world.auth._verified._entries) == [hashlib.sha256(token.encode()).digest()]
    monkeypatch.setattr(jwt.PyJWS, "decode", None)
    world.clock.advance(3599.999)
    assert await world.auth.identify(token) == ANN
    world.clock.advance(0.001)
    assert await world.refused(token)


async def test_a_remembered_token_is_not_good_before_its_time(world):
    token = world.token(nbf=NOW + 30)
    assert await world.auth.identify(token) == ANN
    world.clock.advance(-1)
    assert await world.refused(token)


async def test_what_was_refused_is_not_remembered(world):
    assert await world.refused(world.token(OTHER))
    assert await world.refused(world.token(aud="anon"))
    assert len(world.auth._verified) == 0


async def test_the_memory_is_bounded_and_forgets_what_was_not_used(world, monkeypatch):
    monkeypatch.setattr(world.auth._verified, "_most", 2)
    first, second, third = (world.token(sub=name) for name in ("a", "b", "c"))
    for token in (first, second, first, third):
        await world.auth.identify(token)
    assert list(world.auth._verified._entries) == [hashlib.sha256(token.encode()).digest() for token in (first, third)]


# A law


@pytest.fixture(scope="module")
def offline():
    """A source that knows its keys, and a good token."""
    auth = SupabaseAuth(Settings(supabase_auth_url=ISSUER), ManualClock())
    auth._keys._keys = jwks.read_key_set(to_bytes({"keys": [ED.jwk()]}))
    auth._keys._asked_at = NOW
    return auth, ED.sign(claims_of(ISSUER))


@given(place=st.integers(0, 5000), character=st.characters(codec="utf-8"), insert=st.booleans())
def test_no_token_survives_a_change(offline, place, character, insert):
    auth, good = offline
    place %= len(good)
    changed = good[:place] + character + good[place + (not insert) :]
    try:
        found = asyncio.run(auth.identify(changed))
    except Unauthenticated:
        found = None
    assert found == (ANN if changed == good else None)
