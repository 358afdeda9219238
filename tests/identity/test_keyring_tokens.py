import json

import pytest
from forging import ALPHABET, ATTACKS, NOW, Forger, b64, loosened, without
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symphainy_platform.identity.claims import NotAToken
from symphainy_platform.identity.keyring import KeyRing
from symphainy_platform.settings import Settings

TYP = "sess+jwt"
SHAPE = {"sub": str, "tid": str, "jti": str, "roles": list, "gen": int, "iat": int, "nbf": int, "exp": int}
SAID = {"sub": "ann", "tid": "t1", "jti": "j1", "roles": ["editor"], "gen": 3, "iat": NOW, "nbf": NOW, "exp": NOW + 60}
PROVEN = SAID | {"roles": ("editor",)}


async def pair_of(ring):
    kid = await ring.current()
    return (await ring._vault.keys()).tokens[kid].pair


async def forger_of(ring):
    return Forger(await pair_of(ring), TYP, SAID | {"iss": "symphainy", "aud": "symphainy"})


async def minted(ring, **changes):
    return await ring.sign(TYP, SAID | changes, kid=await ring.current())


MORE_ATTACKS = {
    "typ of the command line": lambda f: f.forge(f.header | {"typ": "cli+jwt"}),
    "typ of proofs": lambda f: f.forge(f.header | {"typ": "auth+jwt"}),
    "kid of the naming key": lambda f: f.forge(f.header | {"kid": "A" * 16}),
    "kid too long": lambda f: f.forge(f.header | {"kid": f.key.kid * 2}),
    "kid with a newline": lambda f: f.forge(f.header | {"kid": f.key.kid[:15] + "\n"}),
    "kid a list": lambda f: f.forge(f.header | {"kid": [f.key.kid]}),
    "kid null": lambda f: f.forge(f.header | {"kid": None}),
    "gen missing": lambda f: f.forge(claims=without(f.claims, "gen")),
    "gen a text": lambda f: f.forge(claims=f.claims | {"gen": "3"}),
    "gen a float": lambda f: f.forge(claims=f.claims | {"gen": 3.0}),
    "gen true": lambda f: f.forge(claims=f.claims | {"gen": True}),
    "gen null": lambda f: f.forge(claims=f.claims | {"gen": None}),
    "gen 2^64": lambda f: f.forge(claims=f.claims | {"gen": 2**64}),
    "nbf 10^30": lambda f: f.forge(claims=f.claims | {"nbf": 10**30}),
    "iat a float": lambda f: f.forge(claims=f.claims | {"iat": NOW + 0.5}),
}


@pytest.mark.parametrize("attack", [*ATTACKS, *MORE_ATTACKS])
async def test_an_odd_token_is_none_and_nobody_says_why(ring, attack):
    forger = await forger_of(ring)
    token = (ATTACKS | MORE_ATTACKS)[attack](forger)
    for _ in range(2):
        with pytest.raises(NotAToken) as refused:
            await ring.verify(token, TYP, SHAPE)
        assert refused.value.args == ()
    assert await ring.verify(forger.good, TYP, SHAPE) == PROVEN


async def test_garbage_costs_no_query(open_store, home, clock):
    store = await open_store()
    ring = KeyRing(store, Settings(home=home), clock)
    forger = await forger_of(ring)
    before = store.asked
    for attack in (*ATTACKS.values(), *MORE_ATTACKS.values()):
        with pytest.raises(NotAToken):
            await ring.verify(attack(forger), TYP, SHAPE)
    assert store.asked <= before + 1  # once for all key ids that nobody knows


async def test_what_was_signed_is_proven_and_nothing_else_is_added(ring):
    assert await ring.verify(await minted(ring), TYP, SHAPE) == PROVEN


async def test_equal_claims_make_equal_bytes_in_whatever_order(ring, open_ring):
    other, kid = await open_ring(), await ring.current()
    token = await ring.sign(TYP, SAID, kid=kid)
    assert await ring.sign(TYP, dict(reversed(SAID.items())), kid=kid) == token
    assert await other.sign(TYP, SAID, kid=kid) == token


async def test_a_token_of_one_kind_proves_nothing_as_another(ring):
    token = await minted(ring)
    await ring.verify(token, TYP, SHAPE)  # remembered
    with pytest.raises(NotAToken):
        await ring.verify(token, "auth+jwt", SHAPE)
    with pytest.raises(NotAToken):
        await ring.verify(token, TYP, without(SHAPE, "gen"))
    with pytest.raises(NotAToken):
        await ring.verify(token, TYP, SHAPE | {"gen": str})


@pytest.mark.parametrize("named", [{"issuer": "else"}, {"audience": "else"}])
async def test_another_issuer_or_audience_is_another_world(ring, open_ring, named):
    other = await open_ring(**named)
    with pytest.raises(NotAToken):
        await other.verify(await minted(ring), TYP, SHAPE)


async def test_what_is_remembered_cannot_be_changed(ring):
    token = await minted(ring)
    claims = await ring.verify(token, TYP, SHAPE)
    with pytest.raises(TypeError):
        claims["sub"] = "eve"
    assert await ring.verify(token, TYP, SHAPE) == PROVEN


async def test_memory_of_tokens_is_bounded(open_ring, monkeypatch):
    monkeypatch.setattr("symphainy_platform.identity.keyring._REMEMBERED", 2)
    ring = await open_ring()
    for number in range(4):
        await ring.verify(await minted(ring, gen=number), TYP, SHAPE)
    assert len(ring._verified) == 2


async def test_a_remembered_token_is_not_checked_again(ring, monkeypatch):
    token = await minted(ring)
    await ring.verify(token, TYP, SHAPE)
    monkeypatch.setattr("symphainy_platform.identity.keyring.check_signature", None)
    assert await ring.verify(token, TYP, SHAPE) == PROVEN


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": ""},
        {"sub": "a" * 256},
        {"sub": "nul\0"},
        {"sub": None},
        {"exp": 1.5},
        {"exp": True},
        {"exp": 10**30},
        {"exp": "1"},
        {"gen": 2**63},
        {"gen": True},
        {"roles": [1]},
        {"roles": [f"role-{n:0250}" for n in range(20)]},
        {"nested": {"a": 1}},
        {"iss": "else"},
        {"aud": "else"},
    ],
    ids=str,
)
async def test_no_token_is_signed_that_would_be_refused(ring, claims):
    with pytest.raises(ValueError, match=r"claims are|ring's to say"):
        await minted(ring, **claims)


@pytest.mark.parametrize("kid", ["", "unknown", "A" * 16, "../../x"])
async def test_a_key_that_nobody_has_signs_nothing(ring, kid):
    with pytest.raises(LookupError):
        await ring.sign(TYP, SAID, kid=kid)


async def test_public_keys_are_the_public_halves(ring):
    kid = await ring.current()
    (key,) = await ring.public_keys()
    raw = (await pair_of(ring)).public.public_bytes_raw()
    assert key == {"kty": "OKP", "crv": "Ed25519", "x": b64(raw), "kid": kid, "alg": "EdDSA", "use": "sig"}


fuzzing = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60)
whole = st.integers(-(2**53 - 1), 2**53 - 1)
times = st.integers(0, 253_402_300_799)
said = st.fixed_dictionaries(
    {"sub": texts, "tid": texts, "jti": texts, "roles": st.lists(texts, max_size=4), "gen": whole}
    | {"iat": times, "nbf": times, "exp": times}
)


@fuzzing
@given(claims=said)
async def test_law_what_is_signed_is_what_is_proven(ring, claims):
    token = await ring.sign(TYP, claims, kid=await ring.current())
    assert await ring.verify(token, TYP, SHAPE) == claims | {"roles": tuple(claims["roles"])}


@fuzzing
@given(data=st.data())
async def test_law_a_token_with_one_change_is_none(ring, data):
    token = await minted(ring)
    place = data.draw(st.integers(0, len(token) - 1))
    kind = data.draw(st.sampled_from(["replace", "remove", "insert", "swap", "repeat"]))
    other = data.draw(st.sampled_from(ALPHABET + ".=+/ \n\0é"))
    changed = {
        "replace": token[:place] + other + token[place + 1 :],
        "remove": token[:place] + token[place + 1 :],
        "insert": token[:place] + other + token[place:],
        "swap": token[place:] + token[:place],
        "repeat": token + token[place:],
    }[kind]
    if changed != token:
        with pytest.raises(NotAToken):
            await ring.verify(changed, TYP, SHAPE)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@fuzzing
@given(name=st.sampled_from([*SHAPE, "iss", "aud", "extra"]), value=json_values)
async def test_law_even_well_signed_claims_are_strict(ring, name, value):
    """Signed by the right key: only the first check stands between an odd claim and the platform."""
    forger = await forger_of(ring)
    token = forger.forge(claims=json.dumps(forger.claims | {name: value}).encode())
    try:
        proven = await ring.verify(token, TYP, SHAPE)
    except NotAToken:
        return
    assert name != "extra"
    assert proven == PROVEN | ({name: tuple(value) if isinstance(value, list) else value} if name in SHAPE else {})
    assert all(type(proven[time]) is int for time in ("iat", "nbf", "exp", "gen"))


@fuzzing
@given(garbage=st.text(max_size=300) | st.binary(max_size=300).map(lambda data: f"{b64(data)}.{b64(data)}.{b64(data)}"))
async def test_law_garbage_is_no_token(ring, garbage):
    with pytest.raises(NotAToken):
        await ring.verify(garbage, TYP, SHAPE)


async def test_the_loose_spelling_of_a_remembered_token_is_none(ring):
    token = await minted(ring)
    await ring.verify(token, TYP, SHAPE)
    with pytest.raises(NotAToken):
        await ring.verify(loosened(token), TYP, SHAPE)
