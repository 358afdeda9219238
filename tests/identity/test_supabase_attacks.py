import hashlib
import hmac

import pytest
from auth_server import b64, to_bytes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from supabase_world import ANN, EC, ED, HEADER, NEW, NOW, OTHER, RSA, claims_of, without

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
