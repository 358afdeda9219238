import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from symphainy_platform.context import Identity
from symphainy_platform.errors import Unauthenticated
from symphainy_platform.identity.claims import type_of
from symphainy_platform.identity.keys import SigningKey
from symphainy_platform.identity.tokens import TOKEN_TYPE, Tokens

NOW = 1_800_000_000
KEY = SigningKey.of(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER_KEY = SigningKey.of(Ed25519PrivateKey.from_private_bytes(bytes(32)))
ANN = Identity(tenant_id="t1", user_id="ann", roles=frozenset({"service", "editor"}))
HEADER = {"alg": "EdDSA", "typ": "cli+jwt", "kid": KEY.kid}
CLAIMS = {
    "iss": "symphainy",
    "aud": "symphainy",
    "sub": "ann",
    "tid": "t1",
    "jti": "j1",
    "roles": ["editor"],
    "iat": NOW,
    "nbf": NOW,
    "exp": NOW + 60,
}


class FrozenClock:
    def __init__(self, seconds=0):
        self.moment = datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=seconds)

    def now(self):
        return self.moment


@pytest.fixture
def tokens():
    return Tokens(KEY, issuer="symphainy", audience="symphainy")


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def to_bytes(value):
    return value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()


def forge(header=HEADER, claims=CLAIMS, key=KEY):
    """Sign anything with the right key: what only the first check can refuse."""
    signed = f"{b64(to_bytes(header))}.{b64(to_bytes(claims))}"
    return f"{signed}.{b64(key.private.sign(signed.encode()))}"


def hs256(secret, header=None):
    signed = f"{b64(to_bytes(header or HEADER | {'alg': 'HS256'}))}.{b64(to_bytes(CLAIMS))}"
    return f"{signed}.{b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


PUBLIC_PEM = KEY.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
PUBLIC_RAW = KEY.public.public_bytes(Encoding.Raw, PublicFormat.Raw)
JWK = {"kty": "OKP", "crv": "Ed25519", "x": b64(OTHER_KEY.public.public_bytes(Encoding.Raw, PublicFormat.Raw))}
GOOD = forge()


def without(mapping, name):
    return {key: value for key, value in mapping.items() if key != name}


def loosened(token):
    """The same token with the unused bits of its signature set: equal bytes, another spelling."""
    last = token[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(last) + 1]


ATTACKS = {
    "empty": "",
    "words": "not a token",
    "two parts": GOOD.rpartition(".")[0],
    "four parts": GOOD + ".e30",
    "five parts, encrypted": "e30.e30.e30.e30.e30",
    "no signature": GOOD.rpartition(".")[0] + ".",
    "truncated": GOOD[:-5],
    "another signature": GOOD[:-8] + "AAAAAAAA",
    "padded": GOOD + "=",
    "padded twice": GOOD + "==",
    "loose last character": loosened(GOOD),
    "leading space": " " + GOOD,
    "trailing newline": GOOD + "\n",
    "space within": GOOD.replace(".", ". ", 1),
    "standard alphabet": GOOD.replace("-", "+").replace("_", "/") + "+",
    "non-ascii": GOOD + "é",
    "look-alike dot": GOOD.replace(".", "\u2024"),
    "lone surrogate": GOOD + "\ud800",
    "5 MB": "A" * 5_000_000,
    "5 MB of parts": "a." * 2_500_000,
    "just over 4 KiB, well signed": forge(claims=CLAIMS | {"roles": ["r" * 200] * 16}),
    "alg none": forge(HEADER | {"alg": "none"}).rpartition(".")[0] + ".",
    "alg none, signed": forge(HEADER | {"alg": "none"}),
    "alg lower case": forge(HEADER | {"alg": "eddsa"}),
    "alg Ed25519": forge(HEADER | {"alg": "Ed25519"}),
    "alg missing": forge(without(HEADER, "alg")),
    "HS256 with the public key": hs256(PUBLIC_PEM),
    "HS256 with the raw public key": hs256(PUBLIC_RAW),
    "HS256 under our header": hs256(PUBLIC_PEM, HEADER),
    "kid of another key": forge(HEADER | {"kid": OTHER_KEY.kid}),
    "kid as a path": forge(HEADER | {"kid": "../../../../dev/null"}),
    "kid as SQL": forge(HEADER | {"kid": f"{KEY.kid}' or '1'='1"}),
    "kid missing": forge(without(HEADER, "kid")),
    "kid a number": forge(HEADER | {"kid": 1}),
    "key of somebody else": forge(key=OTHER_KEY),
    "key in the header": forge(HEADER | {"jwk": JWK}, key=OTHER_KEY),
    "jwk beside the right key": forge(HEADER | {"jwk": JWK}),
    "jku": forge(HEADER | {"jku": "https://evil.example/jwks"}),
    "x5u": forge(HEADER | {"x5u": "https://evil.example/cert"}),
    "x5c": forge(HEADER | {"x5c": ["MII"]}),
    "crit": forge(HEADER | {"crit": ["exp"]}),
    "b64 false": forge(HEADER | {"b64": False, "crit": ["b64"]}),
    "cty": forge(HEADER | {"cty": "JWT"}),
    "typ JWT": forge(HEADER | {"typ": "JWT"}),
    "typ of sessions": forge(HEADER | {"typ": "sess+jwt"}),
    "typ upper case": forge(HEADER | {"typ": "CLI+JWT"}),
    "typ missing": forge(without(HEADER, "typ")),
    "header an array": forge([HEADER]),
    "header a string": forge(b'"x"'),
    "header with a duplicate key": forge(to_bytes(HEADER)[:-1] + b',"alg":"EdDSA"}'),
    "header not JSON": forge(b"{"),
    "header not UTF-8": forge(b'{"alg":"\xff"}'),
    "claims with a duplicate key": forge(claims=to_bytes(CLAIMS)[:-1] + b',"tid":"t2"}'),
    "claims an array": forge(claims=[CLAIMS]),
    "claims null": forge(claims=b"null"),
    "claims empty": forge(claims={}),
    "claims with a BOM": forge(claims=b"\xef\xbb\xbf" + to_bytes(CLAIMS)),
    "claims with NaN": forge(claims=to_bytes(CLAIMS).replace(str(NOW + 60).encode(), b"NaN")),
    "claims 10,000 deep": forge(claims=b'{"roles":' + b"[" * 1000 + b"]" * 1000 + b"}"),
    "unknown claim": forge(claims=CLAIMS | {"admin": True}),
    "iss of another": forge(claims=CLAIMS | {"iss": "evil"}),
    "aud of another": forge(claims=CLAIMS | {"aud": "evil"}),
    "aud a list": forge(claims=CLAIMS | {"aud": ["symphainy"]}),
    "sub empty": forge(claims=CLAIMS | {"sub": ""}),
    "sub a number": forge(claims=CLAIMS | {"sub": 1}),
    "sub null": forge(claims=CLAIMS | {"sub": None}),
    "sub with NUL": forge(claims=CLAIMS | {"sub": "ann\0"}),
    "sub endless": forge(claims=CLAIMS | {"sub": "a" * 256}),
    "tid empty": forge(claims=CLAIMS | {"tid": ""}),
    "tid a number": forge(claims=CLAIMS | {"tid": 7}),
    "tid an object": forge(claims=CLAIMS | {"tid": {"$ne": ""}}),
    "jti empty": forge(claims=CLAIMS | {"jti": ""}),
    "roles a string": forge(claims=CLAIMS | {"roles": "service"}),
    "roles with a number": forge(claims=CLAIMS | {"roles": ["editor", 1]}),
    "roles with an empty one": forge(claims=CLAIMS | {"roles": [""]}),
    "roles nested": forge(claims=CLAIMS | {"roles": [["service"]]}),
    "roles null": forge(claims=CLAIMS | {"roles": None}),
    "exp a string": forge(claims=CLAIMS | {"exp": str(NOW + 60)}),
    "exp a float": forge(claims=CLAIMS | {"exp": NOW + 60.5}),
    "exp an integral float": forge(claims=CLAIMS | {"exp": float(NOW + 60)}),
    "exp true": forge(claims=CLAIMS | {"exp": True}),
    "exp null": forge(claims=CLAIMS | {"exp": None}),
    "exp 10^30": forge(claims=CLAIMS | {"exp": 10**30}),
    "exp 1e400": forge(claims=to_bytes(CLAIMS).replace(str(NOW + 60).encode(), b"1e400")),
    "exp beyond every calendar": forge(claims=CLAIMS | {"exp": 253_402_300_800}),
    "exp negative": forge(claims=CLAIMS | {"exp": -1}),
    "exp past": forge(claims=CLAIMS | {"exp": NOW}),
    "nbf future": forge(claims=CLAIMS | {"nbf": NOW + 31}),
    "nbf a string": forge(claims=CLAIMS | {"nbf": "0"}),
    "iat future": forge(claims=CLAIMS | {"iat": NOW + 31}),
    "iat true": forge(claims=CLAIMS | {"iat": True}),
    **{f"{name} missing": forge(claims=without(CLAIMS, name)) for name in CLAIMS},
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_an_odd_token_proves_nothing_and_is_not_told_why(tokens, attack):
    with pytest.raises(Unauthenticated) as refused:
        tokens.verify(attack, FrozenClock())
    assert refused.value.to_dict() == Unauthenticated().to_dict()


def test_the_good_token_of_the_attacks_is_good(tokens):
    assert tokens.verify(GOOD, FrozenClock()) == Identity("t1", "ann", frozenset({"editor"}))


def test_a_minted_token_proves_its_identity_until_it_expires(tokens):
    token = tokens.mint(ANN, ttl_seconds=60, clock=FrozenClock())
    assert tokens.verify(token, FrozenClock(59.9)) == ANN
    with pytest.raises(Unauthenticated):
        tokens.verify(token, FrozenClock(60))


def test_a_remembered_token_still_expires(tokens):
    for seconds in (0, 59):
        assert tokens.verify(GOOD, FrozenClock(seconds))
    with pytest.raises(Unauthenticated):
        tokens.verify(GOOD, FrozenClock(60))


def test_what_was_refused_once_is_not_remembered_as_good(tokens):
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            tokens.verify(ATTACKS["key of somebody else"], FrozenClock())


def test_thirty_seconds_of_skew_are_forgiven_at_the_beginning_only(tokens):
    ahead = forge(claims=CLAIMS | {"iat": NOW + 30, "nbf": NOW + 30})
    assert tokens.verify(ahead, FrozenClock())


def test_a_token_says_exactly_what_it_must(tokens):
    token = tokens.mint(ANN, ttl_seconds=60, clock=FrozenClock(0.9))
    assert jwt.get_unverified_header(token) == HEADER
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims.pop("jti")
    assert claims == without(CLAIMS, "jti") | {"roles": ["editor", "service"]}


def test_two_tokens_are_never_the_same(tokens):
    assert len({tokens.mint(ANN, ttl_seconds=60, clock=FrozenClock()) for _ in range(5)}) == 5


@pytest.mark.parametrize(
    ("identity", "ttl"),
    [
        (ANN, 0),
        (ANN, -5),
        (ANN, 10**12),
        (replace(ANN, user_id="a" * 256), 60),
        (replace(ANN, tenant_id="nul\0"), 60),
        (replace(ANN, roles=frozenset({""})), 60),
        (replace(ANN, roles=frozenset(f"role-{n:0250}" for n in range(20))), 60),
    ],
)
def test_no_token_is_minted_that_would_be_refused(tokens, identity, ttl):
    with pytest.raises(ValueError, match="token"):
        tokens.mint(identity, ttl_seconds=ttl, clock=FrozenClock())


def test_another_issuer_or_audience_or_key_is_another_world(tokens):
    token = tokens.mint(ANN, ttl_seconds=60, clock=FrozenClock())
    for other in (
        Tokens(KEY, issuer="else", audience="symphainy"),
        Tokens(KEY, issuer="symphainy", audience="else"),
        Tokens(OTHER_KEY, issuer="symphainy", audience="symphainy"),
    ):
        with pytest.raises(Unauthenticated):
            other.verify(token, FrozenClock())


def test_memory_of_tokens_is_bounded(monkeypatch):
    monkeypatch.setattr("symphainy_platform.identity.tokens._REMEMBERED", 2)
    tokens = Tokens(KEY, issuer="symphainy", audience="symphainy")
    for number in range(4):
        tokens.verify(forge(claims=CLAIMS | {"jti": f"j{number}"}), FrozenClock())
    assert len(tokens._verified) == 2


@pytest.mark.parametrize("token", ["", "x", GOOD + "=" * 5000, forge(HEADER | {"typ": "sess+jwt"}), "é.e30.e30"])
def test_other_kinds_are_left_to_other_sources(token):
    assert type_of(token) != TOKEN_TYPE
