import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symphainy_platform.errors import StartError
from symphainy_platform.identity.sealing import NotSealedHere, SealingKey

PLACE = ("t1", "credentials", "usr_1", "password")
ELSEWHERE = {
    "another tenant": ("t2", "credentials", "usr_1", "password"),
    "another table": ("t1", "secrets", "usr_1", "password"),
    "another row": ("t1", "credentials", "usr_2", "password"),
    "another column": ("t1", "credentials", "usr_1", "hint"),
    "nowhere": (),
    "fewer parts": ("t1", "credentials", "usr_1"),
    "more parts": (*PLACE, ""),
    "joined parts": ("t1", "credentials", "usr_1password"),
    "shifted parts": ("t1credentials", "", "usr_1", "password"),
    "quoted parts": ("t1", 'credentials","usr_1', "password"),
    "upper case": ("T1", "credentials", "usr_1", "password"),
    "with NUL": ("t1\0", "credentials", "usr_1", "password"),
    "look-alike": ("t\u0661", "credentials", "usr_1", "password"),
}
KEY = SealingKey.of(bytes(range(32)))


async def test_what_is_sealed_opens_at_its_place(ring, open_ring):
    sealed = await ring.seal(b"plain", place=PLACE)
    assert await ring.unseal(sealed, place=PLACE) == b"plain"
    assert await (await open_ring()).unseal(sealed, place=PLACE) == b"plain"
    assert b"plain" not in sealed


@pytest.mark.parametrize("place", ELSEWHERE.values(), ids=ELSEWHERE)
async def test_what_was_moved_does_not_open(ring, place):
    sealed = await ring.seal(b"plain", place=PLACE)
    with pytest.raises(NotSealedHere):
        await ring.unseal(sealed, place=place)


async def test_equal_texts_are_sealed_differently(ring):
    assert len({await ring.seal(b"plain", place=PLACE) for _ in range(20)}) == 20


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"x" * 200, b"\x01" + b"A" * 16, b"\x01" + b"\xff" * 60])
async def test_what_nobody_sealed_does_not_open(ring, sealed):
    with pytest.raises(NotSealedHere):
        await ring.unseal(sealed, place=PLACE)


async def test_what_another_key_sealed_does_not_open(ring):
    elsewhere = KEY.seal(b"plain", PLACE)
    with pytest.raises(NotSealedHere):
        await ring.unseal(elsewhere, place=PLACE)


@pytest.mark.parametrize("text", [b"", b"x", bytes(100_000)])
def test_every_text_comes_back(text):
    assert KEY.unseal(KEY.seal(text, PLACE), PLACE) == text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(plain=st.binary(max_size=50), data=st.data())
def test_law_sealed_bytes_with_one_change_do_not_open(plain, data):
    sealed = KEY.seal(plain, PLACE)
    place = data.draw(st.integers(0, len(sealed) - 1))
    flipped = bytes([sealed[place] ^ data.draw(st.integers(1, 255))])
    for changed in (sealed[:place] + flipped + sealed[place + 1 :], sealed[:place], sealed + flipped):
        with pytest.raises(NotSealedHere):
            KEY.unseal(changed, PLACE)


places = st.lists(st.text(max_size=5), max_size=5).map(tuple)


@given(here=places, there=places)
def test_law_two_places_are_never_taken_for_one(here, there):
    sealed = KEY.seal(b"plain", here)
    if here == there:
        assert KEY.unseal(sealed, there) == b"plain"
    else:
        with pytest.raises(NotSealedHere):
            KEY.unseal(sealed, there)


def test_a_key_shows_nothing_of_its_secret():
    assert "secret" not in repr(KEY)
    assert SealingKey.of(bytes(32)).kid != KEY.kid


async def test_names_depend_on_the_purpose_and_on_every_part(ring):
    asked = [
        ("p",),
        ("q",),
        ("p", ""),
        ("p", "a"),
        ("p", "a", "b"),
        ("p", "ab"),
        ("p", "b", "a"),
        ("pa",),
        ("p", 'a","b'),
    ]
    names = [await ring.keyed(purpose, *parts) for purpose, *parts in asked]
    assert len(set(names)) == len(asked)
    assert {len(name) for name in names} == {32}


async def test_names_outlive_rotation_and_process(ring, open_ring, clock):
    name = await ring.keyed("session", "sess_1")
    await ring.rotate()
    clock.advance(10_000_000)
    await ring.prune()
    assert await (await open_ring()).keyed("session", "sess_1") == name


async def change(ring, statement, *values):
    await ring._store._writer.run(lambda connection: connection.execute(statement, values))


TAMPERING = {
    "the public half of somebody else": "UPDATE sealed_keys SET public = zeroblob(32) WHERE purpose = 'tokens'",
    "the sealed half of another key": "UPDATE sealed_keys SET sealed = (SELECT sealed FROM sealed_keys)",
    "another purpose": "UPDATE sealed_keys SET purpose = 'sealing' WHERE purpose = 'keyed'",
    "another id": "UPDATE sealed_keys SET kid = 'AAAAAAAAAAAAAAAA' WHERE purpose = 'tokens'",
    "a bit": "UPDATE sealed_keys SET sealed = CAST(substr(sealed, 1, length(sealed) - 1) || x'00' AS BLOB)",
    "nothing sealed": "UPDATE sealed_keys SET sealed = x'' WHERE purpose = 'tokens'",
}


@pytest.mark.parametrize("statement", TAMPERING.values(), ids=TAMPERING)
async def test_a_key_that_was_changed_in_the_store_stops_everything(ring, open_ring, statement):
    await asyncio.gather(ring.current(), ring.keyed("x"))
    await change(ring, statement)
    with pytest.raises(StartError, match="is not as it was sealed"):
        await (await open_ring()).current()


async def test_no_secret_half_is_in_the_file(ring, home):
    kid = await ring.current()
    await ring.keyed("x")
    await ring.seal(b"x", place=PLACE)
    keys = await ring._vault.keys()
    secrets = [keys.tokens[kid].pair.private.private_bytes_raw()]
    secrets += [key.secret for key in (*keys.sealing.values(), *keys.keyed.values())]
    content = b"".join(path.read_bytes() for path in home.glob("platform.db*"))
    assert len(secrets) == 3
    assert not any(secret in content for secret in secrets)
