import asyncio
import hashlib

import jwt
import pytest
from auth_server import to_bytes
from hypothesis import given
from hypothesis import strategies as st
from supabase_world import ANN, EC, ED, HEADER, ISSUER, NOW, OTHER, RSA, claims_of, without

from symphainy_platform.errors import SettingsError, Unauthenticated
from symphainy_platform.identity import jwks
from symphainy_platform.identity.source import symphainy_identity_sources
from symphainy_platform.identity.supabase import MAX_TOKEN_BYTES, SupabaseAuth
from symphainy_platform.platform import Platform
from symphainy_platform.runtime.execution import IntentRequest
from symphainy_platform.settings import Settings
from symphainy_platform.testing.clock import ManualClock

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


# The platform


def test_without_an_issuer_there_is_no_source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
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
