import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest
from auth_server import KEY_SET, Key, b64
from cryptography.hazmat.primitives.asymmetric import ec
from supabase_world import ANN, EC, ED, NEW, NOW, OTHER, RSA, claims_of

from symphainy_platform.identity import jwks

# Which keys count

P384 = Key("k", "ES384", ec.generate_private_key(ec.SECP384R1()))
K256 = Key("k", "ES256K", ec.generate_private_key(ec.SECP256K1()))
ODD_KEYS = {
    "RSA below 2048 bits": (Key.rsa("k", 1024), None),
    "RSA of 2047 bits": (Key.rsa("k", 2047), None),
    "a private key": (Key.ec("k"), "private"),
    "P-384": (P384, None),
    "P-384 named ES256": (Key.ec("k", ec.SECP384R1()), None),
    "secp256k1": (K256, None),
    "secp256k1 named ES256": (Key.ec("k", ec.SECP256K1()), None),
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
    "kid a list": (Key.ec("k"), {"kid": ["k"]}),
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


async def test_a_clock_that_jumps_starts_no_second_fetch_beside_one_under_way(world):
    world.server.hang()
    asked = [asyncio.create_task(world.identity())]
    await world.server.arrived.wait()
    world.clock.advance(20)
    asked.append(asyncio.create_task(world.identity()))
    await asyncio.sleep(0)
    world.server.gate.set()
    assert await asyncio.gather(*asked) == [ANN, ANN]
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


async def test_after_a_long_silence_a_removed_key_proves_nothing_even_once(world):
    await world.identity()
    world.server.keys = [NEW.jwk()]
    world.clock.advance(jwks.STALE_SECONDS)
    assert await world.refused(world.token(exp=NOW + 7200))


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
