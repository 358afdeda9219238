"""Forged tokens: what an attacker without our key makes, and what our key could sign but nobody should accept.

Each takes a `Forger`, which holds the server's own signing key and the claims of a token that is good.
"""

import json

from identity.forging import JWK, OTHER_KEY, b64, loosened, to_bytes, without

_TIMES = ("iat", "nbf", "exp")


def _claims(**changed):
    return lambda f: f.forge(claims=f.claims | changed)


def _header(**changed):
    return lambda f: f.forge(f.header | changed)


def _raw(name, value):
    """One claim written as JSON text, for what no JSON library writes."""
    return lambda f: f.forge(
        claims=to_bytes(f.claims | {name: "@"}).replace(b'"@"', value),
    )


def _kid(text):
    return lambda f: f.forge(f.header | {"kid": text(f) if callable(text) else text})


def _other(forger):
    return forger.forge(claims=forger.claims | {"sub": "mallory"})


def _changed(token, at):
    return token[:at] + ("B" if token[at] == "A" else "A") + token[at + 1 :]


def _regenerated(forger):
    """The claims say a later generation, under the signature of this one."""
    header, _, signature = forger.good.split(".")
    claims = json.dumps(forger.claims | {"gen": forger.claims["gen"] + 1}, separators=(",", ":"), sort_keys=True)
    return f"{header}.{b64(claims.encode())}.{signature}"


FORMS = {
    "words": lambda _: "not-a-token",
    "one dot": lambda _: ".",
    "two dots": lambda _: "..",
    "two parts": lambda f: f.good.rpartition(".")[0],
    "four parts": lambda f: f.good + ".e30",
    "five parts as if encrypted": lambda _: "e30.e30.e30.e30.e30",
    "no signature": lambda f: f.good.rpartition(".")[0] + ".",
    "no claims": lambda f: "..".join(f.good.split(".")[::2]),
    "truncated": lambda f: f.good[:-1],
    "truncated by much": lambda f: f.good[:-40],
    "signature of zeros": lambda f: f.good.rpartition(".")[0] + "." + b64(bytes(64)),
    "signature of another token": lambda f: f.good.rpartition(".")[0] + "." + _other(f).rpartition(".")[2],
    "claims of another token": lambda f: ".".join(
        [f.good.split(".")[0], _other(f).split(".")[1], f.good.split(".")[2]]
    ),
    "first letter of the signature changed": lambda f: _changed(f.good, f.good.rindex(".") + 1),
    "a letter of the claims changed": lambda f: _changed(f.good, f.good.index(".") + 8),
    "padded": lambda f: f.good + "=",
    "padded twice": lambda f: f.good + "==",
    "claims padded": lambda f: f.good.replace(".", "=.", 1),
    "loose last character": lambda f: loosened(f.good),
    "standard alphabet": lambda f: f.good.replace("-", "+").replace("_", "/") + "+",
    "letters in percent": lambda f: f.good.replace(".", "%2E"),
    "token twice": lambda f: f.good + "." + f.good,
}
"""Texts that are no token, or not as it was spelled when it was signed."""

ALGORITHMS = {
    "alg none without signature": lambda f: f.forge(f.header | {"alg": "none"}).rpartition(".")[0] + ".",
    "alg none with a signature": _header(alg="none"),
    "alg None": _header(alg="None"),
    "alg nOnE": lambda f: f.forge(f.header | {"alg": "nOnE"}).rpartition(".")[0] + ".",
    "alg empty": _header(alg=""),
    "alg null": _header(alg=None),
    "alg a list": _header(alg=["EdDSA", "none"]),
    "alg lower case": _header(alg="eddsa"),
    "alg Ed25519": _header(alg="Ed25519"),
    "alg RS256": _header(alg="RS256"),
    "alg missing": lambda f: f.forge(without(f.header, "alg")),
    "HS256 with the public key": lambda f: f.hs256(f.public_pem),
    "HS256 with the raw public key": lambda f: f.hs256(f.public_raw),
    "HS256 with an empty key": lambda f: f.hs256(b""),
    "HS256 with the kid": lambda f: f.hs256(f.key.kid.encode()),
    "HMAC under our header": lambda f: f.hs256(f.public_raw, f.header),
}
"""Another algorithm than the one that is accepted."""

KEYS = {
    "key of somebody else": lambda f: f.forge(key=OTHER_KEY),
    "key of somebody else, named": lambda f: f.forge(f.header | {"kid": OTHER_KEY.kid}, key=OTHER_KEY),
    "key in the header": lambda f: f.forge(f.header | {"jwk": JWK}, key=OTHER_KEY),
    "key in the header, named": lambda f: f.forge(f.header | {"jwk": JWK, "kid": OTHER_KEY.kid}, key=OTHER_KEY),
    "jwk beside the right key": _header(jwk=JWK),
    "jku": lambda f: f.forge(f.header | {"jku": "https://evil.example/jwks"}, key=OTHER_KEY),
    "jku beside the right key": _header(jku="https://evil.example/jwks"),
    "x5u": lambda f: f.forge(f.header | {"x5u": "https://evil.example/cert"}, key=OTHER_KEY),
    "x5u beside the right key": _header(x5u="https://evil.example/cert"),
    "x5c": _header(x5c=["MII"]),
    "kid of another key": _kid(OTHER_KEY.kid),
    "kid as a path": _kid("../../dev/null"),
    "kid as a device": _kid("/dev/null"),
    "kid as SQL": _kid(lambda f: f"{f.key.kid[:5]}' or '1'='1"),
    "kid as a union": _kid("' UNION SELECT 1--"),
    "kid as a command": _kid("|cat /etc/passwd"),
    "kid as a URL": _kid("https://evil.example/k"),
    "kid with a NUL": _kid(lambda f: f.key.kid + "\0"),
    "kid upper case": _kid(lambda f: f.key.kid.swapcase()),
    "kid a number": _kid(1),
    "kid an object": _kid({"$ne": ""}),
    "kid missing": lambda f: f.forge(without(f.header, "kid")),
    "crit": _header(crit=["exp"]),
    "detached claims": _header(b64=False, crit=["b64"]),
    "compressed": _header(zip="DEF"),
    "cty": _header(cty="JWT"),
    "header with a duplicate key": lambda f: f.forge(to_bytes(f.header)[:-1] + b',"alg":"EdDSA"}'),
    "header in another order of two algs": lambda f: f.forge(b'{"alg":"none",' + to_bytes(f.header)[1:]),
    "header an array": lambda f: f.forge([f.header]),
    "header no JSON": lambda f: f.forge(b"{"),
    "header not UTF-8": lambda f: f.forge(b'{"alg":"\xff"}'),
}
"""A key that is not ours, or a way to one."""

NAMES = {
    "typ JWT": _header(typ="JWT"),
    "typ upper case": _header(typ="SESS+JWT"),
    "typ with its family": lambda f: f.forge(f.header | {"typ": f"application/{f.header['typ']}"}),
    "typ unknown": _header(typ="other+jwt"),
    "typ missing": lambda f: f.forge(without(f.header, "typ")),
    "typ null": _header(typ=None),
    "iss of another": _claims(iss="evil"),
    "iss longer": _claims(iss="symphainy.evil.example"),
    "iss a list": _claims(iss=["symphainy"]),
    "aud of another": _claims(aud="evil"),
    "aud a list": _claims(aud=["symphainy"]),
    "aud a list with another": _claims(aud=["evil", "symphainy"]),
    "aud upper case": _claims(aud="SYMPHAINY"),
    "sub empty": _claims(sub=""),
    "sub null": _claims(sub=None),
    "sub a number": _claims(sub=1),
    "sub a list": _claims(sub=["ann"]),
    "sub endless": _claims(sub="a" * 256),
    "tid empty": _claims(tid=""),
    "tid a number": _claims(tid=7),
    "tid an object": _claims(tid={"$ne": ""}),
    "jti empty": _claims(jti=""),
    "jti an object": _claims(jti={}),
    "unknown claim": _claims(admin=True),
    "roles claimed": _claims(roles=["service"]),
    "scope claimed": _claims(scope="service"),
    "claims with a duplicate key": lambda f: f.forge(claims=to_bytes(f.claims)[:-1] + b',"tid":"t2"}'),
    "claims an array": lambda f: f.forge(claims=[f.claims]),
    "claims null": lambda f: f.forge(claims=b"null"),
    "claims empty": lambda f: f.forge(claims={}),
    "claims with a BOM": lambda f: f.forge(claims=b"\xef\xbb\xbf" + to_bytes(f.claims)),
    "claims deep": lambda f: f.forge(claims=b'{"a":' * 300 + b"1" + b"}" * 300),
    "over 4 KiB, well signed": lambda f: f.forge(claims=f.claims | {"more": "m" * 2900}),
    **{
        f"{name} missing": lambda f, name=name: f.forge(claims=without(f.claims, name))
        for name in ("iss", "aud", "sub", "tid", "jti")
    },
}
"""Another kind, issuer, audience or subject, each well signed."""

TIMES = {
    **{f"{name} missing": lambda f, name=name: f.forge(claims=without(f.claims, name)) for name in _TIMES},
    **{
        f"{name} a text": lambda f, name=name: f.forge(claims=f.claims | {name: str(f.claims[name])}) for name in _TIMES
    },
    **{
        f"{name} a fraction": lambda f, name=name: f.forge(claims=f.claims | {name: f.claims[name] + 0.5})
        for name in _TIMES
    },
    **{f"{name} true": _claims(**{name: True}) for name in _TIMES},
    "exp an integral fraction": lambda f: f.forge(claims=f.claims | {"exp": float(f.claims["exp"])}),
    "exp null": _claims(exp=None),
    "exp a list": _claims(exp=[2**40]),
    "exp negative": _claims(exp=-1),
    "exp beyond every calendar": _claims(exp=253_402_300_800),
    "exp 2^53": _claims(exp=2**53),
    "exp 2^64": _raw("exp", b"18446744073709551616"),
    "exp 10^30": _raw("exp", b"1" + b"0" * 30),
    "exp 1e400": _raw("exp", b"1e400"),
    "exp 1e9": _raw("exp", b"1e9"),
    "exp NaN": _raw("exp", b"NaN"),
    "exp Infinity": _raw("exp", b"Infinity"),
    "nbf in 31 seconds": lambda f: f.forge(claims=f.claims | {"nbf": f.now + 31}),
    "nbf in ten years": lambda f: f.forge(claims=f.claims | {"nbf": f.now + 10 * 365 * 86400}),
    "iat in 31 seconds": lambda f: f.forge(claims=f.claims | {"iat": f.now + 31}),
    "iat tomorrow": lambda f: f.forge(claims=f.claims | {"iat": f.now + 86400}),
    "iat negative": _claims(iat=-1),
}
"""Times that are no times, or have not come."""

FORGED = {**FORMS, **ALGORITHMS, **KEYS, **NAMES, **TIMES}

SESSION_ONLY = {
    "gen missing": lambda f: f.forge(claims=without(f.claims, "gen")),
    "gen a text": _claims(gen="1"),
    "gen a fraction": _claims(gen=1.5),
    "gen true": _claims(gen=True),
    "gen 2^64": _raw("gen", b"18446744073709551616"),
    "sid missing": lambda f: f.forge(claims=without(f.claims, "sid")),
    "sid empty": _claims(sid=""),
    "sid an object": _claims(sid={"$gt": ""}),
    "a proof's claims": lambda f: f.forge(claims=without(without(f.claims, "sid"), "gen") | {"epoch": 1}),
    "a proof": lambda f: f.forge(
        f.header | {"typ": "auth+jwt"}, without(without(f.claims, "sid"), "gen") | {"epoch": 1}
    ),
    "a command line's token by the server's key": lambda f: f.forge(
        f.header | {"typ": "cli+jwt"}, without(without(f.claims, "sid"), "gen") | {"roles": ["service"]}
    ),
    "known jti under another key": lambda f: f.forge(claims=f.claims | {"gen": f.claims["gen"] + 1}, key=OTHER_KEY),
    "known jti and signature, later gen": _regenerated,
}
"""What only a session's token can get wrong."""

PROOF_ONLY = {
    "exp now": lambda f: f.forge(claims=f.claims | {"exp": f.now}),
    "exp an hour ago": lambda f: f.forge(claims=f.claims | {"exp": f.now - 3600}),
    "exp 0": _claims(exp=0),
    "epoch missing": lambda f: f.forge(claims=without(f.claims, "epoch")),
    "epoch before": lambda f: f.forge(claims=f.claims | {"epoch": f.claims["epoch"] - 1}),
    "epoch after": lambda f: f.forge(claims=f.claims | {"epoch": f.claims["epoch"] + 1}),
    "epoch a text": _claims(epoch="1"),
    "epoch true": _claims(epoch=True),
    "sub nobody": _claims(sub="usr_00000000000000000000000000000000"),
    "sub a credential": lambda f: f.forge(claims=f.claims | {"sub": f.claims["sub"].replace("usr_", "crd_")}),
    "tid of another tenant": lambda f: f.forge(claims=f.claims | {"tid": "foreign"}),
    "a session's token": lambda f: f.forge(f.header | {"typ": "sess+jwt"}),
    "a command line's kind": lambda f: f.forge(f.header | {"typ": "cli+jwt"}),
}
"""What only an authentication token can get wrong."""
