from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from forging import ATTACKS, NOW, OTHER_KEY, Forger, without

from symphainy_platform.context import Identity
from symphainy_platform.errors import Unauthenticated
from symphainy_platform.identity.claims import token_type
from symphainy_platform.identity.keys import SigningKey
from symphainy_platform.identity.tokens import TOKEN_TYPE, Tokens

KEY = SigningKey.of(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
ANN = Identity(tenant_id="t1", user_id="ann", roles=frozenset({"service", "editor"}))
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


FORGER = Forger(KEY, TOKEN_TYPE, CLAIMS)
HEADER = FORGER.header
GOOD = FORGER.good
LATE_OR_EARLY = {
    "exp past": FORGER.forge(claims=CLAIMS | {"exp": NOW}),
    "nbf future": FORGER.forge(claims=CLAIMS | {"nbf": NOW + 31}),
    "iat future": FORGER.forge(claims=CLAIMS | {"iat": NOW + 31}),
}


@pytest.mark.parametrize("attack", [*ATTACKS, *LATE_OR_EARLY])
def test_an_odd_token_proves_nothing_and_is_not_told_why(tokens, attack):
    token = LATE_OR_EARLY[attack] if attack in LATE_OR_EARLY else ATTACKS[attack](FORGER)
    with pytest.raises(Unauthenticated) as refused:
        tokens.verify(token, FrozenClock())
    assert refused.value.to_dict() == Unauthenticated().to_dict()


@pytest.mark.parametrize(("roles", "external"), [((), True), (("editor",), True), (("service",), False)])
def test_a_token_without_role_service_only_introduces_a_user(tokens, roles, external):
    token = tokens.mint(Identity("t1", "ann", frozenset(roles)), ttl_seconds=60, clock=FrozenClock())
    assert tokens.verify(token, FrozenClock()).external is external


def test_the_good_token_of_the_attacks_is_good(tokens):
    assert tokens.verify(GOOD, FrozenClock()) == Identity("t1", "ann", frozenset({"editor"}), external=True)


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
            tokens.verify(ATTACKS["key of somebody else"](FORGER), FrozenClock())


def test_thirty_seconds_of_skew_are_forgiven_at_the_beginning_only(tokens):
    ahead = FORGER.forge(claims=CLAIMS | {"iat": NOW + 30, "nbf": NOW + 30})
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
        tokens.verify(FORGER.forge(claims=CLAIMS | {"jti": f"j{number}"}), FrozenClock())
    assert len(tokens._verified) == 2


@pytest.mark.parametrize("token", ["", "x", GOOD + "=" * 5000, FORGER.forge(HEADER | {"typ": "sess+jwt"}), "é.e30.e30"])
def test_other_kinds_are_left_to_other_sources(token):
    assert token_type(token) != TOKEN_TYPE
