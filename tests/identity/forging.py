"""Forged tokens: what an attacker sends, and what only the right key could have signed but nobody should accept."""

import base64
import hashlib
import hmac
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from symphainy_platform.identity.keys import SigningKey

NOW = 1_800_000_000
OTHER_KEY = SigningKey.of(Ed25519PrivateKey.from_private_bytes(bytes(32)))
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def to_bytes(value):
    return value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()


JWK = {"kty": "OKP", "crv": "Ed25519", "x": b64(OTHER_KEY.public.public_bytes(Encoding.Raw, PublicFormat.Raw))}


def without(mapping, name):
    return {key: value for key, value in mapping.items() if key != name}


def loosened(token):
    """The same token with the unused bits of its signature set: equal bytes, another spelling."""
    return token[:-1] + ALPHABET[ALPHABET.index(token[-1]) + 1]


class Forger:
    """Signs anything with the right key, as the kind of token that has these claims."""

    def __init__(self, key, typ, claims):
        self.key = key
        self.header = {"alg": "EdDSA", "typ": typ, "kid": key.kid}
        self.claims = claims
        self.good = self.forge()
        self.public_pem = key.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self.public_raw = key.public.public_bytes(Encoding.Raw, PublicFormat.Raw)

    def forge(self, header=None, claims=None, key=None):
        header = self.header if header is None else header
        claims = self.claims if claims is None else claims
        signed = f"{b64(to_bytes(header))}.{b64(to_bytes(claims))}"
        return f"{signed}.{b64((key or self.key).private.sign(signed.encode()))}"

    def hs256(self, secret, header=None):
        signed = f"{b64(to_bytes(header or self.header | {'alg': 'HS256'}))}.{b64(to_bytes(self.claims))}"
        return f"{signed}.{b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


ATTACKS = {
    "empty": lambda _: "",
    "words": lambda _: "not a token",
    "two parts": lambda f: f.good.rpartition(".")[0],
    "four parts": lambda f: f.good + ".e30",
    "five parts, encrypted": lambda _: "e30.e30.e30.e30.e30",
    "no signature": lambda f: f.good.rpartition(".")[0] + ".",
    "truncated": lambda f: f.good[:-5],
    "another signature": lambda f: f.good[:-8] + "AAAAAAAA",
    "padded": lambda f: f.good + "=",
    "padded twice": lambda f: f.good + "==",
    "loose last character": lambda f: loosened(f.good),
    "leading space": lambda f: " " + f.good,
    "trailing newline": lambda f: f.good + "\n",
    "space within": lambda f: f.good.replace(".", ". ", 1),
    "standard alphabet": lambda f: f.good.replace("-", "+").replace("_", "/") + "+",
    "non-ascii": lambda f: f.good + "é",
    "look-alike dot": lambda f: f.good.replace(".", "\u2024"),
    "lone surrogate": lambda f: f.good + "\ud800",
    "5 MB": lambda _: "A" * 5_000_000,
    "5 MB of parts": lambda _: "a." * 2_500_000,
    "just over 4 KiB, well signed": lambda f: f.forge(claims=f.claims | {"roles": ["r" * 200] * 16}),
    "alg none": lambda f: f.forge(f.header | {"alg": "none"}).rpartition(".")[0] + ".",
    "alg none, signed": lambda f: f.forge(f.header | {"alg": "none"}),
    "alg lower case": lambda f: f.forge(f.header | {"alg": "eddsa"}),
    "alg Ed25519": lambda f: f.forge(f.header | {"alg": "Ed25519"}),
    "alg missing": lambda f: f.forge(without(f.header, "alg")),
    "HS256 with the public key": lambda f: f.hs256(f.public_pem),
    "HS256 with the raw public key": lambda f: f.hs256(f.public_raw),
    "HS256 under our header": lambda f: f.hs256(f.public_pem, f.header),
    "kid of another key": lambda f: f.forge(f.header | {"kid": OTHER_KEY.kid}),
    "kid as a path": lambda f: f.forge(f.header | {"kid": "../../../../dev/null"}),
    "kid as SQL": lambda f: f.forge(f.header | {"kid": f"{f.key.kid}' or '1'='1"}),
    "kid missing": lambda f: f.forge(without(f.header, "kid")),
    "kid a number": lambda f: f.forge(f.header | {"kid": 1}),
    "key of somebody else": lambda f: f.forge(key=OTHER_KEY),
    "key in the header": lambda f: f.forge(f.header | {"jwk": JWK}, key=OTHER_KEY),
    "jwk beside the right key": lambda f: f.forge(f.header | {"jwk": JWK}),
    "jku": lambda f: f.forge(f.header | {"jku": "https://evil.example/jwks"}),
    "x5u": lambda f: f.forge(f.header | {"x5u": "https://evil.example/cert"}),
    "x5c": lambda f: f.forge(f.header | {"x5c": ["MII"]}),
    "crit": lambda f: f.forge(f.header | {"crit": ["exp"]}),
    "b64 false": lambda f: f.forge(f.header | {"b64": False, "crit": ["b64"]}),
    "cty": lambda f: f.forge(f.header | {"cty": "JWT"}),
    "typ JWT": lambda f: f.forge(f.header | {"typ": "JWT"}),
    "typ of another kind": lambda f: f.forge(f.header | {"typ": "other+jwt"}),
    "typ upper case": lambda f: f.forge(f.header | {"typ": "CLI+JWT"}),
    "typ missing": lambda f: f.forge(without(f.header, "typ")),
    "header an array": lambda f: f.forge([f.header]),
    "header a string": lambda f: f.forge(b'"x"'),
    "header with a duplicate key": lambda f: f.forge(to_bytes(f.header)[:-1] + b',"alg":"EdDSA"}'),
    "header not JSON": lambda f: f.forge(b"{"),
    "header not UTF-8": lambda f: f.forge(b'{"alg":"\xff"}'),
    "claims with a duplicate key": lambda f: f.forge(claims=to_bytes(f.claims)[:-1] + b',"tid":"t2"}'),
    "claims an array": lambda f: f.forge(claims=[f.claims]),
    "claims null": lambda f: f.forge(claims=b"null"),
    "claims empty": lambda f: f.forge(claims={}),
    "claims with a BOM": lambda f: f.forge(claims=b"\xef\xbb\xbf" + to_bytes(f.claims)),
    "claims with NaN": lambda f: f.forge(claims=to_bytes(f.claims).replace(str(NOW + 60).encode(), b"NaN")),
    "claims 10,000 deep": lambda f: f.forge(claims=b'{"roles":' + b"[" * 1000 + b"]" * 1000 + b"}"),
    "unknown claim": lambda f: f.forge(claims=f.claims | {"admin": True}),
    "iss of another": lambda f: f.forge(claims=f.claims | {"iss": "evil"}),
    "aud of another": lambda f: f.forge(claims=f.claims | {"aud": "evil"}),
    "aud a list": lambda f: f.forge(claims=f.claims | {"aud": ["symphainy"]}),
    "sub empty": lambda f: f.forge(claims=f.claims | {"sub": ""}),
    "sub a number": lambda f: f.forge(claims=f.claims | {"sub": 1}),
    "sub null": lambda f: f.forge(claims=f.claims | {"sub": None}),
    "sub with NUL": lambda f: f.forge(claims=f.claims | {"sub": "ann\0"}),
    "sub endless": lambda f: f.forge(claims=f.claims | {"sub": "a" * 256}),
    "tid empty": lambda f: f.forge(claims=f.claims | {"tid": ""}),
    "tid a number": lambda f: f.forge(claims=f.claims | {"tid": 7}),
    "tid an object": lambda f: f.forge(claims=f.claims | {"tid": {"$ne": ""}}),
    "jti empty": lambda f: f.forge(claims=f.claims | {"jti": ""}),
    "roles a string": lambda f: f.forge(claims=f.claims | {"roles": "service"}),
    "roles with a number": lambda f: f.forge(claims=f.claims | {"roles": ["editor", 1]}),
    "roles with an empty one": lambda f: f.forge(claims=f.claims | {"roles": [""]}),
    "roles nested": lambda f: f.forge(claims=f.claims | {"roles": [["service"]]}),
    "roles null": lambda f: f.forge(claims=f.claims | {"roles": None}),
    "exp a string": lambda f: f.forge(claims=f.claims | {"exp": str(NOW + 60)}),
    "exp a float": lambda f: f.forge(claims=f.claims | {"exp": NOW + 60.5}),
    "exp an integral float": lambda f: f.forge(claims=f.claims | {"exp": float(NOW + 60)}),
    "exp true": lambda f: f.forge(claims=f.claims | {"exp": True}),
    "exp null": lambda f: f.forge(claims=f.claims | {"exp": None}),
    "exp 10^30": lambda f: f.forge(claims=f.claims | {"exp": 10**30}),
    "exp 1e400": lambda f: f.forge(claims=to_bytes(f.claims).replace(str(NOW + 60).encode(), b"1e400")),
    "exp beyond every calendar": lambda f: f.forge(claims=f.claims | {"exp": 253_402_300_800}),
    "exp negative": lambda f: f.forge(claims=f.claims | {"exp": -1}),
    "nbf a string": lambda f: f.forge(claims=f.claims | {"nbf": "0"}),
    "iat true": lambda f: f.forge(claims=f.claims | {"iat": True}),
    **{
        f"{name} missing": lambda f, name=name: f.forge(claims=without(f.claims, name))
        for name in ("iss", "aud", "sub", "tid", "jti", "roles", "iat", "nbf", "exp")
    },
}
"""By name, each made with a `Forger`: no verifier may accept one, whatever the time."""
